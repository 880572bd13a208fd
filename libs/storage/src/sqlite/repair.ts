import {
  closeSync,
  copyFileSync,
  existsSync,
  openSync,
  readSync,
  rmSync,
  statSync,
  truncateSync,
  writeSync,
} from 'node:fs';
import { openDatabase, recordsOfPages, type PageRecord, type SqlValue } from '@device-metrics/sqlite';
import type { Database, Statement } from 'better-sqlite3';
import { DataSource } from 'typeorm';
import { deviceOfChunk, END_OF_TIME } from '../columnar/hour.js';
import { sqliteOptions } from './data-source.js';
import { isJournalId } from './journal.js';
import { openSampleStore } from '../open-sample-store.js';

/** What was saved of a damaged database. */
export interface RepairReport {
  /** Rows by table, of those that have any. */
  readonly rows: ReadonlyMap<string, number>;
  /** Tables with places that could not be read by their tree; what their pages hold was taken all the same. */
  readonly brokenTables: readonly string[];
  /** Devices whose name is lost; they have a name of their number now. */
  readonly namelessDevices: number;
  readonly devices: number;
  readonly series: number;
  /** Samples that the new database reads. */
  readonly samples: number;
  /** Pieces that are set aside in the table `damaged`, as nobody can vouch for them. */
  readonly damaged: number;
}

const OF_THE_SCHEMA = new Set(['migrations', 'typeorm_metadata']);
const PAGE = 4_096;
const MAGIC = 'SQLite format 3\0';
/** The first columns of tables without which samples belong to nobody: an index has them, too, where the page of a row is lost. */
const NAMED_BY_INDEX: Readonly<Record<string, string>> = {
  device: 'id, name',
  series: 'id, device_id, metric_name, labels_key',
};
/** How far beyond a place that cannot be read another row is looked for. */
const FARTHEST = 2 ** 52;

/**
 * Saves what can be read of a database into a new file, which must not be there yet. The damaged one stays as it is, and its
 * api must not run.
 *
 * @throws Error where the new file cannot be written.
 */
export async function repairDatabase(damaged: string, fresh: string): Promise<RepairReport> {
  if (existsSync(fresh)) throw new Error(`${fresh} is there already; name a new file`);
  const copy = `${fresh}.copy`;
  try {
    copyReadable(damaged, copy);
    await makeEmpty(fresh);
    const found = takeOver(copy, fresh);
    return { ...found, ...(await readAll(fresh)) };
  } catch (error) {
    for (const suffix of ['', '-wal', '-shm']) rmSync(fresh + suffix, { force: true });
    throw error;
  } finally {
    for (const suffix of ['', '-wal', '-shm', '-journal']) rmSync(copy + suffix, { force: true });
  }
}

/** With its log, so that the damaged file itself stays as it is. A disk that cannot read a place gives zeros there. */
function copyReadable(from: string, to: string): void {
  for (const suffix of ['', '-wal']) {
    if (!existsSync(from + suffix)) continue;
    try {
      copyFileSync(from + suffix, to + suffix);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EIO') throw error;
      copyPages(from + suffix, to + suffix);
    }
  }
  const { size } = statSync(to);
  const file = openSync(to, 'r+');
  try {
    const head = Buffer.alloc(100);
    readSync(file, head, 0, 100, 0);
    const pages = Math.ceil(size / PAGE);
    if (head.toString('latin1', 0, 16) !== MAGIC) writeSync(file, header(pages), 0, 100, 0);
    // SQLite reads nothing of a file that is shorter than it says.
    truncateSync(to, Math.max(pages, Math.min(head.readUInt32BE(28), 2 * pages)) * PAGE);
  } finally {
    closeSync(file);
  }
}

function copyPages(from: string, to: string): void {
  const [source, target] = [openSync(from, 'r'), openSync(to, 'w')];
  const { size } = statSync(from);
  for (let at = 0; at < size; at += PAGE) {
    const page = Buffer.alloc(Math.min(PAGE, size - at));
    try {
      readSync(source, page, 0, page.length, at);
    } catch {
      // It stays zeros.
    }
    writeSync(target, page, 0, page.length, at);
  }
  closeSync(source);
  closeSync(target);
}

/** The first 100 bytes as the api's own databases have them. */
function header(pages: number): Buffer {
  const bytes = Buffer.alloc(100);
  bytes.write(MAGIC, 'latin1');
  bytes.writeUInt16BE(PAGE, 16);
  bytes.set([2, 2, 0, 64, 32, 32], 18);
  bytes.writeUInt32BE(1, 24);
  bytes.writeUInt32BE(pages, 28);
  for (const [offset, value] of [
    [40, 1],
    [44, 4],
    [52, 1],
    [56, 1],
    [64, 1],
    [92, 1],
    [96, 3_051_003],
  ] as const) {
    bytes.writeUInt32BE(value, offset);
  }
  return bytes;
}

async function makeEmpty(path: string): Promise<void> {
  const dataSource = await new DataSource(sqliteOptions(path)).initialize();
  await dataSource.destroy();
}

interface Column {
  readonly name: string;
  readonly type: string;
  readonly mayBeNull: boolean;
  /** Whether it stands for the row id. */
  readonly isRowId: boolean;
}

interface Table {
  readonly name: string;
  readonly columns: readonly Column[];
  readonly hasRowId: boolean;
  /** Columns that every row has; rows of before a column was added have fewer. */
  readonly least: number;
}

function takeOver(copy: string, fresh: string): Pick<RepairReport, 'rows' | 'brokenTables' | 'namelessDevices'> {
  const into = openDatabase(fresh);
  const old = openDatabase(copy);
  try {
    into.pragma('foreign_keys = OFF');
    // What is wrong in one line of the schema then costs that table only.
    old.unsafeMode(true);
    attempt(() => old.pragma('writable_schema = ON'));
    const tables = tablesOf(into);
    const rows = new Map<string, number>();
    const brokenTables: string[] = [];
    into.transaction(() => {
      const writers = new Map(tables.map((table) => [table, writerOf(into, table)]));
      const write = (table: Table, values: readonly SqlValue[]): void => {
        if (writers.get(table)?.(values)) rows.set(table.name, (rows.get(table.name) ?? 0) + 1);
      };
      for (const table of tables) {
        if (!copyTable(old, table, (values) => write(table, values))) brokenTables.push(table.name);
      }
      for (const record of recordsOfPages(copy)) {
        const [table, ...others] = tables.filter((one) => fits(record, one));
        if (table && others.length === 0) write(table, rowOf(record, table));
      }
      for (const table of tables.filter(({ name }) => brokenTables.includes(name) && name in NAMED_BY_INDEX)) {
        const index = `"${table.name}" INDEXED BY "sqlite_autoindex_${table.name}_1"`;
        readTo(old, `SELECT ${NAMED_BY_INDEX[table.name]} FROM ${index}`, [], (values) => write(table, values));
      }
      keepSequences(old, into);
    })();
    return { rows, brokenTables, namelessDevices: nameDevices(into) };
  } finally {
    old.close();
    into.close();
  }
}

function attempt<T>(act: () => T): T | undefined {
  try {
    return act();
  } catch {
    return undefined;
  }
}

function tablesOf(db: Database): Table[] {
  const names = db
    .prepare(
      `SELECT name, wr FROM pragma_table_list WHERE type = 'table' AND schema = 'main' AND name NOT LIKE 'sqlite_%'`,
    )
    .all() as { name: string; wr: number }[];
  return names
    .filter(({ name }) => !OF_THE_SCHEMA.has(name))
    .map(({ name, wr }) => {
      const info = db.prepare('SELECT * FROM pragma_table_info(?)').all(name) as {
        name: string;
        type: string;
        notnull: number;
        dflt_value: string | null;
        pk: number;
      }[];
      const keys = info.filter(({ pk }) => pk > 0).length;
      const columns = info.map((column) => ({
        name: column.name,
        type: column.type.toLowerCase(),
        mayBeNull: column.notnull === 0,
        isRowId: wr === 0 && keys === 1 && column.pk === 1 && column.type.toLowerCase() === 'integer',
      }));
      const required = info.map(({ notnull, dflt_value }) => notnull === 1 && dflt_value === null);
      return { name, columns, hasRowId: wr === 0, least: required.lastIndexOf(true) + 1 };
    });
}

/** @returns what says whether the row was new. */
function writerOf(db: Database, { name, columns }: Table): (values: readonly SqlValue[]) => boolean {
  const statements = new Map<number, Statement<SqlValue[]>>();
  return (values) => {
    let statement = statements.get(values.length);
    if (!statement) {
      const names = columns.slice(0, values.length).map((column) => `"${column.name}"`);
      const sql = `INSERT OR IGNORE INTO "${name}" (${names.join()}) VALUES (${names.map(() => '?').join()})`;
      statements.set(values.length, (statement = db.prepare<SqlValue[]>(sql)));
    }
    // A row that breaks a rule of its table is no row of it.
    return (attempt(() => statement.run(...values).changes) ?? 0) > 0;
  };
}

/**
 * Takes every row that the tree of a table leads to: up from its beginning, beyond each place that cannot be read, and at
 * last down from its end.
 *
 * @returns whether all of it could be read.
 */
function copyTable(old: Database, table: Table, take: (values: SqlValue[]) => void): boolean {
  const known = attempt(() => old.prepare('SELECT name FROM pragma_table_info(?)').pluck().all(table.name) as string[]);
  // One that the old database is too old for is not broken, where its schema can be read at all.
  if (!known || known.length === 0) return attempt(() => old.prepare('SELECT 1 FROM device').get()) !== undefined;
  const count = table.columns.findIndex(({ name }) => !known.includes(name));
  const columns = (count === -1 ? table.columns : table.columns.slice(0, count)).map(({ name }) => `"${name}"`).join();
  const from = `FROM "${table.name}" NOT INDEXED`;
  if (!table.hasRowId) return readTo(old, `SELECT ${columns} ${from}`, [], take);
  let last = -1;
  const takeRow = ([rowId, ...values]: SqlValue[]): void => {
    last = Number(rowId);
    take(values);
  };
  const upFrom = `SELECT rowid, ${columns} ${from} WHERE rowid > ? ORDER BY rowid`;
  let isWhole = true;
  for (let next: number | undefined = -1; next !== undefined; next = nextReadable(old, table.name, last)) {
    last = Math.max(last, next);
    if (readTo(old, upFrom, [last], takeRow)) return isWhole;
    isWhole = false;
  }
  readTo(old, `SELECT ${columns} ${from} ORDER BY rowid DESC`, [], take);
  return false;
}

/** @returns whether it came to the end. */
function readTo(db: Database, sql: string, values: number[], take: (values: SqlValue[]) => void): boolean {
  try {
    for (const row of db
      .prepare(sql)
      .raw()
      .iterate(...values))
      take(row as SqlValue[]);
    return true;
  } catch {
    return false;
  }
}

/** A row id beyond `last` after which rows can be read; undefined where none is found. */
function nextReadable(db: Database, table: string, last: number): number | undefined {
  const isReadable = (rowId: number): boolean =>
    attempt(() => db.prepare(`SELECT rowid FROM "${table}" WHERE rowid > ? ORDER BY rowid LIMIT 1`).get(rowId)) !==
    undefined;
  let step = 1;
  while (!isReadable(last + step)) if ((step *= 2) > FARTHEST) return undefined;
  let unreadable = last + Math.floor(step / 2);
  let readable = last + step;
  while (readable - unreadable > 1) {
    const middle = Math.floor((readable + unreadable) / 2);
    if (isReadable(middle)) readable = middle;
    else unreadable = middle;
  }
  return readable;
}

/** Whether a record of a page can be a row of this table. */
function fits({ rowId, values }: PageRecord, { columns, hasRowId, least }: Table): boolean {
  if (rowId === undefined || !hasRowId || values.length < least || values.length > columns.length) return false;
  return values.every((value, index) => {
    const { type, mayBeNull, isRowId } = columns[index];
    if (value === null) return isRowId || mayBeNull;
    if (isRowId) return false;
    if (type === 'integer') return Number.isInteger(value);
    if (type === 'text') return typeof value === 'string';
    // Doubles stand in columns without a type, which keep every bit of them.
    return type === 'blob' ? Buffer.isBuffer(value) : typeof value === 'number';
  });
}

const rowOf = ({ rowId = 0, values }: PageRecord, { columns }: Table): SqlValue[] =>
  values.map((value, index) => (columns[index]?.isRowId ? rowId : value));

/** Numbers of rows that were deleted are never given again. */
function keepSequences(old: Database, into: Database): void {
  const sequences = attempt(() => old.prepare('SELECT name, seq FROM sqlite_sequence').raw().all()) ?? [];
  // What is in a piece is not read from the journal again: no row may have a number that a piece says to have.
  const sealed = into.prepare('SELECT sealed_through FROM chunk UNION SELECT sealed_through FROM part').pluck().all();
  const last = (sealed as number[]).filter(isJournalId).reduce((one, other) => Math.max(one, other), 0);
  for (const [name, sequence] of [...sequences, ['journal', last]] as [string, number][]) {
    if (name === 'migrations' || !Number.isSafeInteger(sequence)) continue;
    const { changes } = into.prepare('UPDATE sqlite_sequence SET seq = max(seq, ?) WHERE name = ?').run(sequence, name);
    if (changes === 0) into.prepare('INSERT INTO sqlite_sequence VALUES (?, ?)').run(name, sequence);
  }
}

/** Gives a name to devices that have samples but lost theirs: a store deletes what belongs to no device. */
function nameDevices(db: Database): number {
  const tables = new Set(tablesOf(db).map(({ name }) => name));
  const owners = new Set(db.prepare('SELECT DISTINCT device_id FROM series').pluck().all() as number[]);
  const known = new Set(db.prepare('SELECT id FROM device').pluck().all() as number[]);
  for (const table of ['chunk', 'part'].filter((name) => tables.has(name))) {
    for (const id of db.prepare(`SELECT id FROM "${table}"`).pluck().iterate() as Iterable<number>) {
      owners.add(deviceOfChunk(id));
    }
  }
  const idsOf = (table: string, column: string): number[] =>
    tables.has(table) ? (db.prepare(`SELECT ${column} FROM ${table}`).pluck().all() as number[]) : [];
  const gone = new Set([...idsOf('device_deletion', 'device_id'), ...idsOf('device_merge', 'source_id')]);
  const add = db.prepare('INSERT OR IGNORE INTO device (id, name) VALUES (?, ?)');
  let named = 0;
  for (const id of owners) {
    if (!known.has(id) && !gone.has(id)) named += add.run(id, `repaired-device-${id}`).changes;
  }
  return named;
}

/** Reads everything once by the store, which sets aside what is damaged in itself. */
async function readAll(path: string): Promise<Pick<RepairReport, 'devices' | 'series' | 'samples' | 'damaged'>> {
  const dataSource = await new DataSource(sqliteOptions(path)).initialize();
  try {
    const store = await openSampleStore(dataSource, { sealInterval: 0, rawRetention: 0, hourlyRetention: 0 });
    let samples = 0;
    for await (const { timestamps } of store.readSamples(await store.findSeries({}), { start: 0, end: END_OF_TIME })) {
      samples += timestamps.length;
    }
    const { devices, series, damaged } = await store.health();
    await store.close();
    return { devices, series, samples, damaged };
  } finally {
    await dataSource.destroy();
  }
}
