import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { lockFile, type FileLock } from '@device-metrics/sqlite';

/** Another process runs on the database. */
export class DatabaseTakenError extends Error {
  override readonly name = 'DatabaseTakenError';
}

/**
 * Takes a database file for this process, until the lock is closed or the process ends: two stores on one would delete each other's
 * journal, and samples with it.
 *
 * @returns undefined where nothing can be written beside it: then a store cannot write to it either.
 * @throws DatabaseTakenError
 */
export function takeDatabase(path: string): FileLock | undefined {
  let lock: FileLock | undefined;
  try {
    mkdirSync(dirname(path), { recursive: true });
    lock = lockFile(path);
  } catch {
    return undefined;
  }
  if (!lock) throw new DatabaseTakenError(`another api runs on ${path}; each needs a database of its own`);
  return lock;
}
