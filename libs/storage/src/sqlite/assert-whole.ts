import { createReadStream } from 'node:fs';
import { finished } from 'node:stream/promises';
import { crc32 } from 'node:zlib';
import { reasonOf } from '@device-metrics/domain';
import { sqliteDriver } from '@device-metrics/sqlite';
import type { Database } from 'better-sqlite3';
import { StoreFullError } from '../store.js';
import { migrations } from './migrations/index.js';
import { asRefusal } from './refusal.js';

/**
 * A flipped bit in the schema makes another column or another rule, which SQLite does not mind: then each call that needs it
 * fails, or what it stores is wrong. So the header of the file has a checksum of the schema, as its `user_version`; 0 while a
 * version changes it, and in a file of a version that kept none.
 */
const UNKNOWN = 0;

/**
 * To be called before a version changes the schema.
 *
 * @throws SqliteError where it is not as it was written.
 */
export function assertSchemaAsWritten(db: Database): void {
  const kept = keptChecksum(db);
  if (kept === UNKNOWN) return;
  if (kept !== schemaChecksum(db)) {
    throw damage('the schema is malformed: it is not as it was written');
  }
  const known = db.prepare('SELECT count(*) FROM migrations').pluck().get() as number;
  if (known < migrations.length) db.pragma(`user_version = ${UNKNOWN}`);
}

/** Where these are damaged, everything else goes on: what stands in that place is left out, or the store does not open. */
const READ_AROUND = new Set(['device', 'series', 'device_alias', 'latest', 'journal', 'chunk', 'part', 'damaged']);

/**
 * Whoever calls, rules of alerts and the like are looked up by most calls: one damaged page there would make all of them fail.
 *
 * @throws SqliteError where SQLite cannot go through one of these tables and its indexes.
 */
export function assertOtherTablesWhole(db: Database): void {
  const names = db
    .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
    .pluck()
    .all() as string[];
  for (const name of names) {
    if (READ_AROUND.has(name)) continue;
    const found = db.pragma(`quick_check('${name}')`, { simple: true });
    if (found === 'ok') continue;
    if (isOfDisk(String(found))) throw diskError(`the disk does not give back the table ${name}: ${String(found)}`);
    throw damage(`the table ${name} is malformed: ${String(found)}`);
  }
}

/** SQLITE_IOERR_SHORT_READ: what the file says of itself reaches beyond its end. */
const SHORT_READ = 522;

/** Whether the check has met another error of the family SQLITE_IOERR. */
function isOfDisk(found: string): boolean {
  const code = Number(/error code=(\d+)/.exec(found)?.[1]);
  return (code & 0xff) === 10 && code !== SHORT_READ;
}

/**
 * Where the disk does not give back a page, SQLite says that the file is malformed, as where it has given back another one.
 *
 * @throws SqliteError where the files of the database cannot be read to their ends.
 */
export async function assertDiskGives(db: Database): Promise<void> {
  for (const path of db.memory ? [] : [db.name, `${db.name}-wal`]) {
    try {
      await finished(createReadStream(path, { highWaterMark: 1 << 20 }).resume());
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== 'ENOENT') throw diskError(`the disk does not give back ${path}: ${reasonOf(error)}`);
    }
  }
}

/** To be called once the schema is as this version has it. */
export function keepSchemaChecksum(db: Database): void {
  const checksum = schemaChecksum(db);
  if (keptChecksum(db) === checksum) return;
  try {
    db.pragma(`user_version = ${checksum}`);
  } catch (error) {
    // A full disk keeps nobody from reading: the next start writes it.
    if (!(asRefusal(error, db.name) instanceof StoreFullError)) throw error;
  }
}

const damage = (message: string): Error => new (sqliteDriver().SqliteError)(message, 'SQLITE_CORRUPT');
const diskError = (message: string): Error => new (sqliteDriver().SqliteError)(message, 'SQLITE_IOERR_READ');

const keptChecksum = (db: Database): number => db.pragma('user_version', { simple: true }) as number;

/** A signed integer of 32 bits, as the header takes it. Whoever runs ANALYZE on the file makes tables that nothing needs. */
function schemaChecksum(db: Database): number {
  const rows = db
    .prepare(
      `SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite^_stat%' ESCAPE '^' ORDER BY type, name`,
    )
    .raw()
    .all();
  return crc32(JSON.stringify(rows)) | 0 || 1;
}
