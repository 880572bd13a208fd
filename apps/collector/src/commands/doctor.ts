import { accessSync, constants, existsSync, mkdirSync, statfsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { reasonOf, showDuration } from '@device-metrics/domain';
import { commandLine, isInstalled } from '@device-metrics/settings';
import { isOnThisPc } from '../config/api.js';
import type { Config } from '../config/config.js';
import type { SourceConfig } from '../config/sources.js';
import { SourceRunner } from '../run/run-source.js';
import type { SourceTools } from '../run/source.js';
import { ApiConnection } from '../upload/api-connection.js';
import { takeSpool } from '../upload/open-spool.js';
import { askWhetherReady } from './ask-api.js';
import { UsageError, type Print } from './command.js';
import { detailOf } from '../upload/detail.js';

const MIB = 2 ** 20;
const TIMEOUT = 10_000;
/** Its answer says whether this collector may send. */
const NOTHING_TO_STORE = {
  method: 'POST',
  path: '/api/v1/aggregator/metrics/batch/',
  data: Buffer.from('{"metrics": []}'),
} as const;
/** Beyond this samples seem to come from another time, ms. */
const MOST_SKEW = 30_000;

/** What is the matter, and what to do about it. */
class Finding extends Error {}

type Check = readonly [name: string, look: () => string | Promise<string>];

/** Looks at everything that a collector needs, reads each source once, and says what to do about what is wrong. */
export async function doctor(config: Config, _args: readonly string[], print: Print): Promise<void> {
  const connection = new ApiConnection(config.api, TIMEOUT);
  let wrong = 0;
  const run = async (checks: readonly Check[]): Promise<void> => {
    for (const [name, look] of checks) {
      try {
        print(`ok     ${name}: ${await look()}`);
      } catch (error) {
        wrong += 1;
        print(`WRONG  ${name}: ${reasonOf(error)}`);
      }
    }
  };
  await run([
    ['settings', () => settings(config)],
    ['folder', () => folder(config)],
    ['disk', () => disk(config)],
    ['service', () => isRunning(config)],
    ['api', () => reachable(config, connection)],
    ['credential', () => credential(config, connection)],
  ]);
  const notes: string[] = [];
  const tools: SourceTools = { say: (note) => void notes.push(note) };
  // At once: each has its own limit, and one that hangs delays no other.
  const looks = config.sources.map((source) => {
    const said = readOnce(source, tools);
    // Whoever asks for it first may come late.
    said.catch(() => undefined);
    return [`source ${source.name}`, () => said] as const;
  });
  await run(looks);
  for (const note of notes) print(`       ${note}`);
  if (wrong > 0) throw new UsageError(wrong === 1 ? 'One thing is wrong' : `${wrong} things are wrong`);
}

function settings({ file, unheeded }: Config): string {
  if (unheeded.length > 0) throw new Finding(unheeded.join('; '));
  return `${file}, and every setting`;
}

function folder({ spool, api }: Config): string {
  for (const path of new Set([dirname(spool.path), dirname(api.credentialPath)])) {
    try {
      mkdirSync(path, { recursive: true });
      accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK);
    } catch {
      throw new Finding(
        `this user may not write to ${path}: chown it to the user of the collector, or run this as that user`,
      );
    }
  }
  if (
    existsSync(api.credentialPath) &&
    process.platform !== 'win32' &&
    (statSync(api.credentialPath).mode & 0o077) !== 0
  ) {
    throw new Finding(`others may read ${api.credentialPath}, which is a secret: chmod 600 ${api.credentialPath}`);
  }
  return `${dirname(spool.path)} can be written`;
}

function disk({ spool }: Config): string {
  const { bavail, bsize } = statfsSync(dirname(spool.path));
  const free = bavail * bsize;
  if (free < spool.minFreeBytes) {
    throw new Finding(
      `${mib(free)} are free at ${spool.path}, and SPOOL_MIN_FREE_BYTES leaves ${mib(spool.minFreeBytes)}: nothing is kept while the ` +
        'api is away; make room',
    );
  }
  return `${mib(free)} free`;
}

/** Whoever runs holds the spool. */
function isRunning(config: Config): string {
  try {
    takeSpool(config).close();
  } catch {
    return 'a collector runs on this spool';
  }
  const start = isInstalled() ? 'systemctl start device-metrics-collector' : commandLine('collector');
  throw new Finding(`no collector runs on ${config.spool.path}: ${start} starts one`);
}

async function reachable({ api }: Config, connection: ApiConnection): Promise<string> {
  const answer = await askWhetherReady(connection);
  if (answer.problem !== undefined) throw new Finding(`${api.url} ${answer.problem}`);
  const skew = Date.now() - Date.parse(answer.date);
  if (Math.abs(skew) > MOST_SKEW) {
    const way = skew > 0 ? 'ahead of' : 'behind';
    throw new Finding(
      `the clock here is ${showDuration(Math.abs(skew))} ${way} that of ${api.url}; set it, or install chrony`,
    );
  }
  return `${api.url} answers, and its clock is like the one here`;
}

async function credential({ api, deviceName }: Config, connection: ApiConnection): Promise<string> {
  const again = `${commandLine('collector')} join ${api.url} --code CODE gives it one`;
  const signal = new AbortController().signal;
  if (api.token === undefined && !isOnThisPc(api.url)) throw new Finding(`there is none for ${api.url}; ${again}`);
  if (!connection.hasJoined) {
    const { status, body } = await connection.request({ ...NOTHING_TO_STORE, signal });
    if (status === 401 || status === 403)
      throw new Finding(`the api refuses it: ${status} ${detailOf(body)}; ${again}`);
    if (api.token !== undefined) return 'a token, which the api takes';
    return 'none, which the api of this machine needs only once it has users';
  }
  const { status, body } = await connection.request({ method: 'GET', path: '/api/v1/collectors/self', signal });
  if (status === 404) throw new Finding(`${api.url} is of a version that knows no collectors: upgrade the server`);
  if (status !== 200) throw new Finding(`the api refuses it: ${status} ${detailOf(body)}; ${again}`);
  const { device_name: name, state } = JSON.parse(body) as { device_name?: string; state?: string };
  if (state === 'conflict') {
    throw new Finding(
      `there is a device ${deviceName} already, of another collector or of somebody who has not joined: an admin says under System of the api whether this is a new one or the same`,
    );
  }
  return `this PC is the device ${name}`;
}

async function readOnce(source: SourceConfig, tools: SourceTools): Promise<string> {
  const quiet = (): void => undefined;
  const runner = new SourceRunner(source.create(tools), { ...source, mostNamed: 3 }, { log: quiet, warn: quiet });
  try {
    await runner.run(Date.now());
  } finally {
    await runner.close();
  }
  const { success = false, readings = 0, duration = 0, rejected = [], reason = '' } = runner.outcome ?? {};
  if (!success) throw new Finding(reason || 'it could not be read');
  const inPart = rejected.map(({ part, reason }) => `${part}: ${reason}`).join('; ');
  return `${readings} readings in ${showDuration(duration)}${inPart === '' ? '' : `, without ${inPart}`}`;
}

const mib = (bytes: number): string => `${Math.floor(bytes / MIB)} MiB`;
