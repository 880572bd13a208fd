import { copyFileSync, existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { reasonOf } from '@device-metrics/domain';
import { checkDatabase, copySqlite, isInUse, schemaStateOf } from '@device-metrics/storage';
import type { ApiSettings } from '../settings.js';
import { onePath, UsageError } from './usage.js';

export const RESTORE_USAGE = `restore FILE
    puts a backup in the place of the database, once it is checked; stop the api before. The one before stays beside it`;

/** @throws UsageError where the backup is not whole, or the api runs; then nothing has changed. */
export function restore(
  args: readonly string[],
  { databasePath }: ApiSettings,
  now: number,
  print: (line: string) => void,
): void {
  const file = onePath('restore', args, RESTORE_USAGE);
  const content = whole(file);
  if ((schemaStateOf(file)?.unknown.length ?? 0) > 0) {
    throw new UsageError(`${file} is of a newer version of Device Metrics than this; install that first`);
  }
  if (isInUse(databasePath))
    throw new UsageError(`The api runs, or a command of it: stop it before, as it has ${databasePath} open`);
  mkdirSync(dirname(databasePath), { recursive: true });
  const draft = `${databasePath}.restoring`;
  try {
    // A file that was copied beside its log, as of an api that was killed, is whole only together with it.
    rmSync(draft, { force: true });
    if (existsSync(`${file}-wal`)) copySqlite(file, draft);
    else copyFileSync(file, draft);
    whole(draft);
  } catch (error) {
    rmSync(draft, { force: true });
    throw error instanceof UsageError ? error : new UsageError(`${file} cannot be copied: ${reasonOf(error)}`);
  }
  const before = `${databasePath}.before-restore-${new Date(now).toISOString().replaceAll(':', '-')}`;
  const hadOne = existsSync(databasePath);
  for (const suffix of ['', '-wal', '-shm']) {
    if (existsSync(databasePath + suffix)) renameSync(databasePath + suffix, before + suffix);
  }
  renameSync(draft, databasePath);
  print(`${databasePath} is the backup now: ${content.devices} devices, ${content.series} series. Start the api.`);
  if (hadOne) print(`The database before is ${before}; delete it once you do not need it.`);
}

function whole(file: string): ReturnType<typeof checkDatabase> {
  try {
    return checkDatabase(file);
  } catch (error) {
    throw new UsageError(`${file} is not whole, so that nothing was changed: ${reasonOf(error)}`);
  }
}
