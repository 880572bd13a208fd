import { existsSync, renameSync, rmSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { openDatabase, recordsOfPages, sqliteDriver, type PageRecord } from '@device-metrics/sqlite';
import type Database from 'better-sqlite3';

export { SqliteUnavailableError, sqliteDriver } from '@device-metrics/sqlite';

/** Told what was found and saved. */
export type OnDamage = (message: string) => void;

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS batch (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    state    TEXT    NOT NULL CHECK (state IN ('pending', 'quarantined')),
    attempts INTEGER NOT NULL DEFAULT 0,
    created  INTEGER NOT NULL,
    newest   INTEGER NOT NULL,
    samples  INTEGER NOT NULL,
    bytes    INTEGER NOT NULL,
    reason   TEXT,
    payload  BLOB    NOT NULL
  );
  CREATE INDEX IF NOT EXISTS batch_order ON batch (state, attempts, sequence, newest);

  -- What has gone through the spool.
  CREATE TABLE IF NOT EXISTS total (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;

  -- How the last run of each source ended, for who looks in from outside: written when that changes.
  CREATE TABLE IF NOT EXISTS source (name TEXT PRIMARY KEY, state TEXT NOT NULL) WITHOUT ROWID;

  -- What is in it, by state.
  CREATE TABLE IF NOT EXISTS held (
    state   TEXT PRIMARY KEY,
    batches INTEGER NOT NULL DEFAULT 0,
    samples INTEGER NOT NULL DEFAULT 0,
    bytes   INTEGER NOT NULL DEFAULT 0
  ) WITHOUT ROWID;
  INSERT OR IGNORE INTO held (state) VALUES ('pending'), ('quarantined');
  CREATE TRIGGER IF NOT EXISTS batch_added AFTER INSERT ON batch BEGIN
    UPDATE held SET batches = batches + 1, samples = samples + new.samples, bytes = bytes + new.bytes
    WHERE state = new.state;
  END;
  CREATE TRIGGER IF NOT EXISTS batch_removed AFTER DELETE ON batch BEGIN
    UPDATE held SET batches = batches - 1, samples = samples - old.samples, bytes = bytes - old.bytes
    WHERE state = old.state;
  END;
  CREATE TRIGGER IF NOT EXISTS batch_moved AFTER UPDATE OF state ON batch BEGIN
    UPDATE held SET batches = batches - 1, samples = samples - old.samples, bytes = bytes - old.bytes
    WHERE state = old.state;
    UPDATE held SET batches = batches + 1, samples = samples + new.samples, bytes = bytes + new.bytes
    WHERE state = new.state;
  END;
`;

/**
 * Opens the file of a spool or makes it; a damaged one is recovered. Durable at every commit: WAL, synchronous=FULL.
 *
 * @param onDamage without it a damaged file is an error and stays where it is.
 */
export function openSpoolFile(file: string, onDamage: OnDamage | undefined): Database.Database {
  let db: Database.Database | undefined;
  try {
    // A recovery that ended between its two renames.
    if (!existsSync(file) && existsSync(salvagedOf(file))) renameSync(salvagedOf(file), file);
    db = connect(file);
    const check = db.pragma('quick_check(1)', { simple: true });
    if (check !== 'ok') throw new (sqliteDriver().SqliteError)(String(check), 'SQLITE_CORRUPT');
    return db;
  } catch (error) {
    db?.close();
    if (!isDamage(error) || !onDamage) throw error;
    return recoverSpoolFile(file, error, onDamage);
  }
}

/**
 * Sets a damaged file aside as `<file>.damaged-<time>` and goes on in a new one with what can be read of it. Only when that
 * is whole does it take the place of the other: where the disk is too full for it, the damaged file waits for another try.
 */
export function recoverSpoolFile(file: string, damage: Error, onDamage: OnDamage): Database.Database {
  const { batches, samples, lost = 'an unknown number of' } = salvage(file, salvagedOf(file));
  const aside = `${file}.damaged-${new Date().toISOString().replaceAll(':', '-')}`;
  // The file itself last: a log must not be taken for that of the new one.
  for (const suffix of ['-shm', '-wal', '']) {
    if (existsSync(file + suffix)) renameSync(file + suffix, aside + suffix);
  }
  renameSync(salvagedOf(file), file);
  onDamage(
    `The spool ${file} is damaged (${damage.message}); it is kept as ${aside}. ` +
      `Saved from it: ${batches} batches, ${samples} samples; lost: ${lost} samples.`,
  );
  return connect(file);
}

const salvagedOf = (file: string): string => `${file}.salvaged`;

export function isDamage(error: unknown): error is Error {
  const { code } = error as { code?: unknown };
  return typeof code === 'string' && /^SQLITE_(CORRUPT|NOTADB)/.test(code);
}

const AUTO_VACUUM_FULL = 1;

function connect(file: string): Database.Database {
  const db = openDatabase(file, { timeout: 5_000 });
  try {
    // Gives the space of a long outage back to the disk. Setting it writes even where it is set, which a full disk refuses.
    if (db.pragma('auto_vacuum', { simple: true }) !== AUTO_VACUUM_FULL) db.pragma('auto_vacuum = FULL');
    db.pragma('journal_mode = WAL');
    db.pragma('synchronous = FULL');
    assertOwnSchema(db);
    db.exec(SCHEMA);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/**
 * A flipped bit in the schema makes another column or another trigger of one, which SQLite does not mind. What this version does
 * not have yet or not any more is no damage, so that versions can follow each other; one name in place of another is.
 *
 * @throws SqliteError
 */
function assertOwnSchema(db: Database.Database): void {
  const found = schemaOf(db);
  if (found.size === 0) return;
  const own = (ownSchema ??= makeOwnSchema());
  const isWhole = [...own.keys()].every((name) => found.has(name));
  for (const [name, sql] of found) {
    if (own.has(name) ? own.get(name) === sql : isWhole) continue;
    throw new (sqliteDriver().SqliteError)(`its schema has ${JSON.stringify(sql)}`, 'SQLITE_CORRUPT');
  }
}

let ownSchema: ReadonlyMap<string, string> | undefined;

function makeOwnSchema(): ReadonlyMap<string, string> {
  const db = openDatabase(':memory:');
  try {
    db.exec(SCHEMA);
    return schemaOf(db);
  } finally {
    db.close();
  }
}

/** The text of tables, indexes and triggers, by name. */
function schemaOf(db: Database.Database): Map<string, string> {
  const rows = db.prepare("SELECT name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite%'").raw();
  return new Map(rows.all() as [string, string][]);
}

interface Salvaged {
  readonly batches: number;
  readonly samples: number;
  /** Samples that were in the damaged file and are not in the new one; undefined where its totals cannot be read. */
  readonly lost: number | undefined;
}

const COLUMNS = 'sequence, state, attempts, created, newest, samples, bytes, reason, payload';

interface DamagedRow {
  readonly sequence: number;
  readonly samples: number;
}

/**
 * Copies what can be read of a damaged spool into a new one, under the same sequences: by its tree from the first row up to
 * the damage and from the last row down to it, then page by page what the tree does not lead to. Samples that are lost count
 * as evicted, so that the totals still add up.
 */
function salvage(damaged: string, fresh: string): Salvaged {
  for (const suffix of ['', '-wal', '-shm', '-journal']) rmSync(fresh + suffix, { force: true });
  const into = connect(fresh);
  let old: Database.Database | undefined;
  try {
    // A write-ahead log would hold all of it a second time.
    into.pragma('journal_mode = DELETE');
    // Not read-only: the write-ahead log beside it may hold the newest batches.
    old = openDatabase(damaged, { fileMustExist: true });
    const salvaged = into.transaction(copy)(old, damaged, into);
    into.close();
    return salvaged;
  } catch (error) {
    into.close();
    rmSync(fresh, { force: true });
    throw error;
  } finally {
    old?.close();
  }
}

function copy(old: Database.Database, damaged: string, into: Database.Database): Salvaged {
  const insert = into.prepare(
    `INSERT OR IGNORE INTO batch (${COLUMNS}) VALUES (${COLUMNS.replace(/\w+/g, (name) => `@${name}`)})`,
  );
  let batches = 0;
  let samples = 0;
  const take = (row: DamagedRow): void => {
    if (insert.run(row).changes === 0) return;
    batches += 1;
    samples += row.samples;
  };
  for (const direction of ['ASC', 'DESC'] as const) for (const row of readable(old, direction)) take(row);
  const inPages = new Counters();
  for (const record of recordsOfPages(damaged)) {
    const row = batchOf(record);
    if (row) take(row);
    else inPages.see(record);
  }
  return { batches, samples, lost: setCounters(readCounters(old) ?? inPages, into, samples) };
}

/** Every row from one end of the table to the first that cannot be read, one at a time: a spool may not fit into memory. */
function* readable(old: Database.Database, direction: 'ASC' | 'DESC'): Generator<DamagedRow> {
  try {
    // Not by the index: it may be damaged where the table is whole.
    const rows = old.prepare(`SELECT ${COLUMNS} FROM batch NOT INDEXED ORDER BY sequence ${direction}`);
    yield* rows.iterate() as IterableIterator<DamagedRow>;
  } catch {
    // Here the damage begins; the rows before it are what there is.
  }
}

/** The row of the table `batch` that a page holds; undefined where the record is something else, or torn. */
function batchOf({ rowId, values }: PageRecord): DamagedRow | undefined {
  if (rowId === undefined || values.length !== 9 || values[0] !== null) return undefined;
  const [, state, attempts, created, newest, samples, bytes, reason, payload] = values;
  const isWhole =
    (state === 'pending' || state === 'quarantined') &&
    [attempts, created, newest, samples, bytes].every((value) => Number.isSafeInteger(value)) &&
    (reason === null || typeof reason === 'string') &&
    Buffer.isBuffer(payload) &&
    payload.length === bytes &&
    isGzip(payload);
  return isWhole
    ? ({ sequence: rowId, state, attempts, created, newest, samples, bytes, reason, payload } as DamagedRow)
    : undefined;
}

/** Whether a payload is whole: gzip has a checksum. */
function isGzip(payload: Buffer): boolean {
  try {
    gunzipSync(payload);
    return true;
  } catch {
    return false;
  }
}

const COUNTERS = ['generated', 'sent', 'evicted', 'dropped'];

/** The totals, and the last sequence that was given. */
class Counters {
  readonly totals = new Map<string, number>();
  sequence: number | undefined;

  see({ rowId, values: [name, value, ...more] }: PageRecord): void {
    if (more.length > 0 || typeof name !== 'string' || typeof value !== 'number') return;
    if (rowId === undefined && COUNTERS.includes(name)) this.totals.set(name, value);
    if (rowId !== undefined && name === 'batch') this.sequence = value;
  }
}

function readCounters(old: Database.Database): Counters | undefined {
  const found = new Counters();
  try {
    const rows = old.prepare('SELECT name, value FROM total').raw().all() as [string, number][];
    for (const [name, value] of rows) found.totals.set(name, value);
    found.sequence = old.prepare(`SELECT seq FROM sqlite_sequence WHERE name = 'batch'`).pluck().get() as
      number | undefined;
    return found;
  } catch {
    return undefined;
  }
}

function setCounters({ totals, sequence }: Counters, into: Database.Database, saved: number): number | undefined {
  const set = into.prepare('INSERT OR REPLACE INTO total VALUES (?, ?)');
  if (sequence !== undefined) {
    into.prepare(`UPDATE sqlite_sequence SET seq = max(seq, ?) WHERE name = 'batch'`).run(sequence);
    into
      .prepare(
        `INSERT INTO sqlite_sequence SELECT 'batch', ? WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'batch')`,
      )
      .run(sequence);
  }
  if (!totals.has('generated')) {
    set.run('generated', saved);
    return undefined;
  }
  const total = (name: string): number => totals.get(name) ?? 0;
  const lost = total('generated') - total('sent') - total('evicted') - total('dropped') - saved;
  for (const [name, value] of totals) set.run(name, value);
  // Fewer than none: a page that the last commits did not reach any more holds what was sent meanwhile.
  if (lost < 0) set.run('generated', total('generated') - lost);
  else set.run('evicted', total('evicted') + lost);
  return Math.max(0, lost);
}
