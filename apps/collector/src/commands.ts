import { existsSync } from 'node:fs';
import { quote } from '@device-metrics/contract/rules';
import type { Config } from './config.js';
import { openSpool } from './open-spool.js';
import { thisMachine } from './pc/machine.js';
import { showDuration } from '@device-metrics/domain';
import { SourceRunner } from './run-source.js';
import { didYouMean } from './section.js';
import type { Quarantined, Spool } from './upload/spool.js';

/** Something that a command was asked for and cannot do; the message says what would do. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export type Print = (line: string) => void;

/** What `collector <name>` does; `usage` is its line in the help. */
interface Command {
  readonly usage: string;
  /** How many arguments it takes. */
  readonly most: number;
  run(config: Config, args: readonly string[], print: Print): Promise<void> | void;
}

export const commands: Readonly<Record<string, Command>> = {
  check: { usage: 'check                          say what is wrong in the configuration', most: 0, run: check },
  read: {
    usage: 'read <source>                  run one source once and print what it would send',
    most: 1,
    run: read,
  },
  status: { usage: 'status                         show what is in the spool', most: 0, run: status },
  quarantine: {
    usage:
      'quarantine list|retry|drop     show, send again or delete what the api refused: retry|drop <number>… or all',
    most: Infinity,
    run: quarantine,
  },
};

/** What `collector --help` prints. */
export const help = `Without a command the collector runs until it gets SIGTERM; SIGHUP, or a change of the file, reads its
configuration again. Commands:
${Object.values(commands)
  .map(({ usage }) => `  ${usage}`)
  .join('\n')}

What it reads stands in collector.yaml, or the file that COLLECTOR_CONFIG names; collector.example.yaml shows everything. The
other settings come from the environment or a file .env in the working folder: API_URL, API_TOKEN, DEVICE_NAME,
COLLECT_INTERVAL, SPOOL_PATH, SPOOL_MAX_BYTES, SPOOL_MIN_FREE_BYTES, COLLECTOR_METRICS_PORT; .env.example explains them.`;

/** The configuration has been read, so all of it is right. */
function check({ file, apiUrl, deviceName, sources }: Config, _args: readonly string[], print: Print): void {
  print(existsSync(file) ? `${file} is right` : `There is no ${file}; these are the defaults`);
  print(`device ${deviceName}, api ${apiUrl}`);
  for (const { name, deviceName: device, interval, timeout } of sources) {
    print(`  ${name}: device ${device}, every ${showDuration(interval)}, at most ${showDuration(timeout)}`);
  }
}

async function read({ sources }: Config, [name = '']: readonly string[], print: Print): Promise<void> {
  const config = sources.find((source) => source.name === name);
  if (!config) {
    const names = sources.map((source) => source.name);
    const wrong = name === '' ? 'read needs a source' : `There is no source ${quote(name)}${didYouMean(name, names)}`;
    throw new UsageError(`${wrong.replace(/[^?]$/, '$&.')} There are: ${names.join(', ')}`);
  }
  // Only here: no other command needs it, and it takes a quarter of its time.
  const { default: axios } = await import('axios');
  const notes: string[] = [];
  const say = (message: string): void => void notes.push(message);
  const source = config.create({ http: axios.create(), machine: thisMachine(), say });
  const runner = new SourceRunner(source, { ...config, mostNamed: Infinity }, { log: say, warn: say });
  for (const metric of (await runner.run(Date.now())) ?? []) print(JSON.stringify(metric));
  await runner.close();
  const { success = false, duration = 0, readings = 0, rejected = [] } = runner.outcome ?? {};
  if (!success) throw new UsageError(notes.join('\n'));
  for (const note of notes) print(`# ${note}`);
  const inPart = rejected.length > 0 ? `; ${rejected.length} parts could not be read or sent` : '';
  print(`# ${readings} readings in ${showDuration(duration)}${inPart}`);
}

function status(config: Config, _args: readonly string[], print: Print): void {
  withSpool(config, (spool) => {
    const totals = spool.totals();
    const age =
      totals.oldest === undefined ? '' : `, the oldest ${showDuration(Math.max(0, Date.now() - totals.oldest))} old`;
    print(`waiting      ${totals.pendingBatches} batches, ${totals.pendingSamples} samples${age}`);
    print(`quarantined  ${totals.quarantinedBatches} batches, ${totals.quarantinedSamples} samples`);
    print(`sent         ${totals.sent} samples`);
    print(
      `given up     ${totals.evicted} samples by a full or damaged spool, ${totals.dropped} dropped from quarantine`,
    );
    print(`in all       ${totals.generated} samples`);
    print(
      `size         ${Math.ceil(totals.bytes / 1024)} KiB of at most ${Math.ceil(config.spool.maxBytes / 1024)} KiB`,
    );
    list(spool.quarantined(), print);
  });
}

function quarantine(config: Config, [action, ...numbers]: readonly string[], print: Print): void {
  if (action !== 'list' && action !== 'retry' && action !== 'drop') {
    throw new UsageError(`quarantine needs list, retry or drop, got ${quote(action)}`);
  }
  withSpool(config, (spool) => {
    const batches = spool.quarantined();
    if (batches.length === 0 && (action === 'list' || numbers.includes('all'))) {
      return print('Nothing is in quarantine');
    }
    if (action === 'list') return list(batches, print);
    if (numbers.length === 0) throw new UsageError(`quarantine ${action} needs the numbers of batches, or all`);
    const chosen = numbers.includes('all') ? batches.map(({ sequence }) => String(sequence)) : numbers;
    for (const number of chosen) {
      const done = action === 'retry' ? spool.release(Number(number)) : spool.drop(Number(number));
      if (!done) throw new UsageError(`There is no batch ${quote(number)} in quarantine`);
      print(action === 'retry' ? `${number} waits for upload again` : `${number} is deleted`);
    }
  });
}

function list(batches: readonly Quarantined[], print: Print): void {
  for (const { sequence, samples, created, reason, example } of batches) {
    const what = example ? `${example.device_name} ${example.metric_name} ${example.value}` : 'unreadable';
    print(`${sequence}  ${new Date(created).toISOString()}  ${samples} samples, as ${what}: ${reason}`);
  }
}

function withSpool(config: Config, work: (spool: Spool) => void): void {
  if (!existsSync(config.spool.path)) throw new UsageError(`There is no spool ${config.spool.path}`);
  const spool = openSpool(config);
  try {
    work(spool);
  } finally {
    spool.close();
  }
}
