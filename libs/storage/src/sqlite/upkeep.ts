import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { openDatabase } from '@device-metrics/sqlite';
import type { Database } from 'better-sqlite3';
import { migrations } from './migrations/index.js';

/** How far a database has come, by the names of its migrations. */
export interface SchemaState {
  /** What this version would still change. */
  readonly pending: readonly string[];
  /** What a newer version has changed, of which this one knows nothing. */
  readonly unknown: readonly string[];
}

/** What a look into a whole database finds. */
export interface DatabaseContent {
  readonly devices: number;
  readonly series: number;
}

/** Of the file at `path`; undefined where there is none, or one without a schema. @throws SqliteError where it cannot be read. */
export function schemaStateOf(path: string): SchemaState | undefined {
  if (!existsSync(path) || statSync(path).size === 0) return undefined;
  return reading(path, (db) => {
    if (!hasTable(db, 'migrations')) return undefined;
    const done = db.prepare('SELECT name FROM migrations ORDER BY id').pluck().all() as string[];
    const known = migrations.map(({ name }) => name);
    return {
      pending: known.filter((name) => !done.includes(name)),
      unknown: done.filter((name) => !known.includes(name)),
    };
  });
}

/** @throws Error with the reason where a file is not there, or not for the user that this runs as. */
export function assertReadable(path: string): void {
  try {
    accessSync(path, constants.R_OK);
  } catch (error) {
    const isMissing = ['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '');
    const reason = isMissing ? 'there is no such file' : 'it may not be read by the user that this runs as';
    throw new Error(reason, { cause: error });
  }
}

/** What a database of any version holds. @throws Error with the reason where it is not whole, or is none. */
export function checkDatabase(path: string): DatabaseContent {
  assertReadable(path);
  return reading(path, (db) => {
    const found = db.pragma('quick_check(1)', { simple: true }) as string;
    if (found !== 'ok') throw new Error(found);
    if (!hasTable(db, 'migrations')) throw new Error('it is no database of Device Metrics');
    const count = (table: string): number =>
      hasTable(db, table) ? (db.prepare(`SELECT count(*) FROM ${table}`).pluck().get() as number) : 0;
    return { devices: count('device'), series: count('series') };
  });
}

/**
 * Writes a consistent copy to a new file, also while another process writes to the database.
 *
 * @throws SqliteError where it cannot be read, or there is no room.
 */
export function copySqlite(from: string, to: string): void {
  const db = openDatabase(from, { fileMustExist: true });
  try {
    db.pragma('busy_timeout = 5000');
    db.prepare('VACUUM INTO ?').run(to);
  } finally {
    db.close();
  }
}

/** Whether another process has it open, such as an api that runs. What its log holds goes into the file. */
export function isInUse(path: string): boolean {
  if (!existsSync(path)) return false;
  const db = openDatabase(path);
  try {
    db.pragma('busy_timeout = 0');
    // Nobody else may have it open for that.
    return db.pragma('journal_mode = DELETE', { simple: true }) !== 'delete';
  } catch (error) {
    return /^SQLITE_(BUSY|LOCKED)/.test((error as { code?: string }).code ?? '');
  } finally {
    db.close();
  }
}

/** A backup is alone in its folder, and stays so: a log beside it would belong to it. */
function reading<T>(path: string, read: (db: Database) => T): T {
  const db = openDatabase(path, { readonly: true, fileMustExist: true });
  try {
    return read(db);
  } finally {
    db.close();
  }
}

const hasTable = (db: Database, name: string): boolean =>
  db.prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?").get(name) !== undefined;
