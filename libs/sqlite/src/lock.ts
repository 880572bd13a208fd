import { existsSync, realpathSync, rmSync } from 'node:fs';
import type Sqlite from 'better-sqlite3';
import { openDatabase } from './driver.js';

/** What holds a file for one process, until it is closed or the process ends, however it does. */
export type FileLock = Pick<Sqlite.Database, 'close'>;

/**
 * Takes a file for this process, by `<file>.lock` beside it. The system gives the lock back when the process ends, by SIGKILL
 * too. Whoever only looks into the file needs none.
 *
 * @returns undefined where another process has it.
 * @throws SqliteError where there can be no file beside it.
 */
export function lockFile(file: string): FileLock | undefined {
  const path = `${existsSync(file) ? realpathSync(file) : file}.lock`;
  try {
    return lock(path);
  } catch (error) {
    if ((error as { code?: string }).code !== 'SQLITE_NOTADB') throw error;
    // It holds nothing: one that is damaged is made anew, and nobody has that.
    rmSync(path);
    return lock(path);
  }
}

function lock(path: string): FileLock | undefined {
  const db = openDatabase(path, { timeout: 0 });
  try {
    db.exec('BEGIN EXCLUSIVE');
    return db;
  } catch (error) {
    db.close();
    if ((error as { code?: string }).code !== 'SQLITE_BUSY') throw error;
    return undefined;
  }
}
