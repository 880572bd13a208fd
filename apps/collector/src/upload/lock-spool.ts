import { existsSync, realpathSync } from 'node:fs';
import { openDatabase } from '@device-metrics/sqlite';
import type Database from 'better-sqlite3';

/** What holds a spool for one collector, until it is closed or the process ends, however it does. */
export type SpoolLock = Pick<Database.Database, 'close'>;

/**
 * Takes a spool for this process: two collectors on one would each count and send what is the other's. The system gives the
 * lock back when the process ends, by SIGKILL too. Commands that look into the spool need none.
 *
 * @throws Error that says who has it.
 */
export function lockSpool(file: string): SpoolLock {
  const db = openDatabase(`${existsSync(file) ? realpathSync(file) : file}.lock`, { timeout: 0 });
  try {
    db.exec('BEGIN EXCLUSIVE');
    return db;
  } catch (error) {
    db.close();
    const { code } = error as { code?: string };
    if (code !== 'SQLITE_BUSY') throw error;
    throw new Error('another collector runs on it; each needs a spool of its own', { cause: error });
  }
}
