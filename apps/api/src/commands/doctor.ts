import { accessSync, constants, existsSync, readdirSync, statfsSync, statSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { basename, dirname, join, resolve } from 'node:path';
import { X509Certificate } from 'node:crypto';
import { DAY, reasonOf, showDuration } from '@device-metrics/domain';
import { commandLine, unheeded, Mistakes, readEnvironment } from '@device-metrics/settings';
import { dataSourceOptions, durabilityOf, openDataSource, schemaStateOf } from '@device-metrics/storage';
import { tlsMaterial } from '../access/tls/tls-material.js';
import { BackupFiles } from '../admin/backup-files.js';
import { apiSettingGroups, type ApiSettings } from '../settings.js';
import { UsageError } from './usage.js';

export const DOCTOR_USAGE = `doctor
    looks at settings, folders, disk, database, backups, clock and certificate, asks the api that runs, and says what to do`;

export const HEALTHY_USAGE = `healthy
    ends 0 where the api of these settings answers, as health checks of containers want it`;

const MIB = 2 ** 20;
const LEAST_FREE = 512 * MIB;
const YEAR_2020 = 1_577_836_800_000;

/** What is the matter, and what to do about it. */
class Finding extends UsageError {}

/** Says of each thing that it is right, or what is wrong with it. */
export async function doctor(settings: ApiSettings, now: number, print: (line: string) => void): Promise<void> {
  const checks: readonly [name: string, look: () => string | Promise<string>][] = [
    ['settings', names],
    ['folder', () => folder(settings)],
    ['disk', () => disk(settings)],
    ['database', () => database(settings)],
    ['backups', () => backups(settings, now)],
    ['clock', () => clock(now)],
    ['certificate', () => certificate(settings, now)],
    ['api', () => answers(settings)],
  ];
  let wrong = 0;
  for (const [name, look] of checks) {
    try {
      print(`ok     ${name}: ${await look()}`);
    } catch (error) {
      wrong += 1;
      print(`WRONG  ${name}: ${reasonOf(error)}`);
    }
  }
  if (wrong > 0) throw new UsageError(wrong === 1 ? 'One thing is wrong' : `${wrong} things are wrong`);
}

function names(): string {
  const wrong = unheeded(apiSettingGroups, readEnvironment(new Mistakes()));
  if (wrong.length > 0) throw new Finding(wrong.join('; '));
  return 'every one is allowed';
}

function folder({ databasePath, databaseUrl }: ApiSettings): string {
  if (databaseUrl !== '') return 'the database is PostgreSQL';
  const path = resolve(dirname(databasePath));
  if (!existsSync(path)) {
    throw new Finding(`${path} is not there; it is made at the first start. If there was one, is its disk mounted?`);
  }
  try {
    accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch {
    throw new Finding(`this user may not write to ${path}; chown it to the user of the api, or run this as that user`);
  }
  const secrets = ['secret.key', 'tls/key.pem', 'update.key'];
  const files = ['', '-wal', '-shm', '.lock'].map((suffix) => basename(databasePath) + suffix);
  for (const file of [...files, ...secrets].map((name) => join(path, name)).filter((one) => existsSync(one))) {
    if (!isMine(file)) {
      throw new Finding(
        `this user may not read and write ${file}; chown it to the user of the api, or run this as that user`,
      );
    }
  }
  for (const name of secrets) {
    const file = join(path, name);
    if (existsSync(file) && (statSync(file).mode & 0o077) !== 0) {
      throw new Finding(`others may read ${file}, which is a secret: chmod 600 ${file}`);
    }
  }
  return `${path} can be written, and its secrets are its own`;
}

function isMine(file: string): boolean {
  try {
    accessSync(file, constants.R_OK | constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

function disk({ databasePath, databaseUrl, operation }: ApiSettings): string {
  if (databaseUrl !== '') return 'that of PostgreSQL is not looked at';
  const path = nearest(dirname(resolve(databasePath)));
  const { bavail, bsize, ffree, files } = statfsSync(path);
  const free = bavail * bsize;
  const size = existsSync(databasePath) ? statSync(databasePath).size : 0;
  if (files > 0 && ffree < 100) throw new Finding(`the disk of ${path} has ${ffree} inodes left; delete files there`);
  if (free < LEAST_FREE) {
    throw new Finding(`the disk of ${path} has ${mib(free)} left; make room, or shorten RETENTION_RAW`);
  }
  if (operation.backupSchedule !== '' && free < size * 1.1 && dirname(resolve(operation.backupPath)).startsWith(path)) {
    throw new Finding(
      `a backup needs ${mib(size)}, and the disk of ${path} has ${mib(free)}; set BACKUP_PATH to another disk`,
    );
  }
  return `${mib(free)} free, the database has ${mib(size)}`;
}

async function database({ databasePath, databaseUrl, operation }: ApiSettings): Promise<string> {
  if (databaseUrl !== '') return postgres(databaseUrl);
  if (!existsSync(databasePath)) throw new Finding(`there is no ${databasePath}; the first start makes it`);
  let state;
  try {
    state = schemaStateOf(databasePath);
  } catch (error) {
    throw new Finding(
      `it cannot be read (${reasonOf(error)}); ${commandLine('api')} restore a backup of ${operation.backupPath}, or repair it`,
    );
  }
  if (!state) throw new Finding(`${databasePath} is empty; the next start makes its tables`);
  if (state.unknown.length > 0) throw new Finding('a newer version has changed it; install that version again');
  if (state.pending.length > 0) return `the next start changes it (${state.pending.join(', ')}), after a backup`;
  return 'it can be read, and is of this version';
}

/** As the api opens it at its start, with or without one that runs. */
async function postgres(url: string): Promise<string> {
  const dataSource = await openDataSource(dataSourceOptions(url));
  try {
    const { isSafe, said } = (await durabilityOf(dataSource)) ?? { isSafe: true, said: 'it answers' };
    if (!isSafe) throw new Finding(said);
    return said;
  } finally {
    await dataSource.destroy();
  }
}

async function backups({ databaseUrl, operation }: ApiSettings, now: number): Promise<string> {
  if (databaseUrl !== '') return 'those of PostgreSQL are not looked at';
  const { backupSchedule, backupPath, backupKeep } = operation;
  if (backupSchedule === '') {
    return `none are scheduled; BACKUP_SCHEDULE=0 3 * * * makes one each night in ${backupPath}`;
  }
  const [newest] = await new BackupFiles(backupPath, backupKeep).scheduled(now);
  const { CronTime } = await import('cron');
  const [next, afterNext] = new CronTime(backupSchedule).sendAt(2);
  if (newest === undefined) return `there is none yet; the first is due ${next?.toISO() ?? ''}`;
  const age = now - statSync(join(backupPath, newest)).mtimeMs;
  const period = (afterNext?.toMillis() ?? 0) - (next?.toMillis() ?? 0);
  if (age > 2 * period + DAY) {
    throw new Finding(
      `the newest, ${newest}, is ${showDuration(age)} old; the log of the api says why there is none since`,
    );
  }
  return `the newest is ${newest}, of ${readdirSync(backupPath).length} files in ${backupPath}`;
}

function clock(now: number): string {
  if (now < YEAR_2020) throw new Finding(`it says ${new Date(now).toISOString()}; set it, or install chrony`);
  return new Date(now).toISOString();
}

async function certificate(settings: ApiSettings, now: number): Promise<string> {
  if (settings.access.tls === 'off' && settings.access.tlsCert === '') return 'none, as TLS is off';
  const material = await tlsMaterial(settings, now);
  const { validTo, fingerprint256 } = new X509Certificate(material?.cert ?? '');
  const left = Date.parse(validTo) - now;
  if (left < 0) throw new Finding(`it ended ${validTo}; renew TLS_CERT and TLS_KEY`);
  if (left < 7 * DAY) throw new Finding(`it ends ${validTo}; renew TLS_CERT and TLS_KEY before`);
  return `until ${validTo}, ${fingerprint256}`;
}

/** For health checks of containers, which have no program that asks. @throws Finding where the api does not answer. */
export function answers({ host, port, access }: ApiSettings): Promise<string> {
  const isTls = access.tls !== 'off' || access.tlsCert !== '';
  const address = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
  const options = { host: address, port, path: '/readyz', timeout: 5_000, rejectUnauthorized: false };
  return new Promise((done, failed) => {
    const request = (isTls ? httpsRequest : httpRequest)(options, (response) => {
      response.resume();
      const { statusCode } = response;
      if (statusCode === 200) return done(`it answers at ${address}:${port}`);
      failed(new Finding(`it answers ${statusCode} at ${address}:${port}; its log says why`));
    });
    request.once('timeout', () => request.destroy(new Error('no answer within 5 s')));
    request.once('error', (error) =>
      failed(
        new Finding(
          `nothing answers at ${address}:${port} (${reasonOf(error)}); is it started? systemctl status device-metrics-api`,
        ),
      ),
    );
    request.end();
  });
}

const nearest = (path: string): string => (existsSync(path) ? path : nearest(dirname(path)));
const mib = (bytes: number): string => `${Math.floor(bytes / MIB)} MiB`;
