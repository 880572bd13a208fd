import { cpSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join, resolve, sep } from 'node:path';
import { reasonOf } from '@device-metrics/domain';
import { isInstalled, settingsFile } from '@device-metrics/settings';
import { checkDatabase, isInUse } from '@device-metrics/storage';
import type { ApiSettings } from '../settings.js';
import { onePath, UsageError } from './usage.js';

export const MOVE_USAGE = `move DIR
    copies the database and the keys beside it into another folder, checks the copy, and says which setting to change;
    stop the api before`;

/** What belongs to the database, beside it. */
const COMPANIONS = ['tls', 'secret.key', 'update.key'];

/** @throws UsageError where it cannot be moved; then everything is where it was. */
export function move(args: readonly string[], { databasePath }: ApiSettings, print: (line: string) => void): void {
  const folder = onePath('move', args, MOVE_USAGE);
  const [from, to] = [resolve(databasePath), join(resolve(folder), basename(databasePath))];
  if (!existsSync(from)) throw new UsageError(`There is no ${databasePath}, as DATABASE_PATH says`);
  if (to === from || dirname(to).startsWith(from + sep)) throw new UsageError(`${databasePath} is there already`);
  if (existsSync(to)) throw new UsageError(`There is a ${to} already; name another folder`);
  if (isInUse(from)) {
    throw new UsageError(`The api runs, or a command of it: stop it before, as it has ${databasePath} open`);
  }
  const made: string[] = [];
  const copy = (name: string, as = join(dirname(to), name)): void => {
    if (existsSync(as)) throw new Error(`there is a ${as} already`);
    made.push(as);
    cpSync(join(dirname(from), name), as, { recursive: true, preserveTimestamps: true });
  };
  try {
    mkdirSync(dirname(to), { recursive: true });
    for (const name of readdirSync(dirname(from)).filter((one) => COMPANIONS.includes(one))) copy(name);
    copy(basename(from));
    // There still is one where the disk can only be read: what an api that was killed has written last is in it alone.
    if (existsSync(`${from}-wal`)) copy(`${basename(from)}-wal`);
    checkDatabase(to);
  } catch (error) {
    for (const file of [...made, `${to}-wal`, `${to}-shm`]) rmSync(file, { recursive: true, force: true });
    throw new UsageError(`Nothing was moved: ${reasonOf(error)}${rightsHint(error, dirname(to))}`);
  }
  print(`The database is ${to}. Before you start the api, set DATABASE_PATH=${to} in ${settingsFile()}`);
  if (isInstalled()) {
    print('and let the service write there: systemctl edit device-metrics-api, with');
    print('  [Service]');
    print(`  ReadWritePaths=${dirname(to)}`);
  }
  print(setAside(from));
}

/** So that nobody goes on with it by mistake. @returns where it is. */
function setAside(from: string): string {
  try {
    renameSync(from, `${from}.moved`);
    return `The one before is ${from}.moved; delete it once the api has started.`;
  } catch (error) {
    return `The one before is still ${from}, as it cannot be renamed: ${reasonOf(error)}`;
  }
}

/** What to do where a folder may not be written or a file not be read. */
function rightsHint(error: unknown, folder: string): string {
  const { code } = error as NodeJS.ErrnoException;
  if (code !== 'EACCES' && code !== 'EPERM') return '';
  return isInstalled()
    ? `. The folder has to be the service's: sudo install -d -o device-metrics -g device-metrics -m 0700 ${folder}; then run this with sudo again`
    : `. Run it as the user of the api, and let that user write to ${folder}: it may have to be made, or given to it, as by sudo chown`;
}
