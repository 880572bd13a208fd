import { existsSync, renameSync } from 'node:fs';
import Database from 'better-sqlite3';

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

/** Opens the file of a spool or makes it; a damaged one is recovered. Durable at every commit: WAL, synchronous=FULL. */
export function openSpoolFile(file: string, onDamage: (message: string) => void): Database.Database {
  let db: Database.Database | undefined;
  try {
    db = connect(file);
    const check = db.pragma('quick_check(1)', { simple: true });
    if (check !== 'ok') throw new Database.SqliteError(String(check), 'SQLITE_CORRUPT');
    return db;
  } catch (error) {
    db?.close();
    if (!isDamage(error)) throw error;
    return recoverSpoolFile(file, error, onDamage);
  }
}

/** Sets a damaged file aside as `<file>.damaged-<time>` and goes on in a new one with what can be read of it. */
export function recoverSpoolFile(file: string, damage: Error, onDamage: (message: string) => void): Database.Database {
  const aside = `${file}.damaged-${new Date().toISOString().replaceAll(':', '-')}`;
  for (const suffix of ['', '-wal', '-shm']) {
    if (existsSync(file + suffix)) renameSync(file + suffix, aside + suffix);
  }
  const db = connect(file);
  const { batches, samples, lost = 'an unknown number of' } = salvage(aside, db);
  onDamage(
    `The spool ${file} is damaged (${damage.message}); it is kept as ${aside}. ` +
      `Saved from it: ${batches} batches, ${samples} samples; lost: ${lost} samples.`,
  );
  return db;
}

export function isDamage(error: unknown): error is Error {
  const { code } = error as { code?: unknown };
  return typeof code === 'string' && /^SQLITE_(CORRUPT|NOTADB)/.test(code);
}

function connect(file: string): Database.Database {
  const db = new Database(file, { timeout: 5_000 });
  try {
    // Gives the space of a long outage back to the disk.
    db.pragma('auto_vacuum = FULL');
    db.pragma('journal_mode = WAL');
    db.pragma('synchronous = FULL');
    db.exec(SCHEMA);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
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
 * Copies what can be read of a damaged spool into a new one, under the same sequences. Reads from the first row up to the
 * damage, then from the last row down to it. Samples that are lost count as evicted, so that the totals still add up.
 */
function salvage(damaged: string, into: Database.Database): Salvaged {
  let old: Database.Database;
  try {
    // Not read-only: the write-ahead log beside it may hold the newest batches.
    old = new Database(damaged, { fileMustExist: true });
  } catch {
    return { batches: 0, samples: 0, lost: undefined };
  }
  try {
    const rows = [...readable(old, 'ASC'), ...readable(old, 'DESC')];
    const insert = into.prepare(
      `INSERT OR IGNORE INTO batch (${COLUMNS}) VALUES (${COLUMNS.replace(/\w+/g, (name) => `@${name}`)})`,
    );
    return into.transaction(() => {
      let batches = 0;
      let samples = 0;
      for (const row of rows) {
        if (insert.run(row).changes === 0) continue;
        batches += 1;
        samples += row.samples;
      }
      return { batches, samples, lost: copyTotals(old, into, samples) };
    })();
  } finally {
    old.close();
  }
}

/** Every row from one end of the table to the first that cannot be read. */
function readable(old: Database.Database, direction: 'ASC' | 'DESC'): DamagedRow[] {
  const rows: DamagedRow[] = [];
  try {
    // Not by the index: it may be damaged where the table is whole.
    for (const row of old
      .prepare(`SELECT ${COLUMNS} FROM batch NOT INDEXED ORDER BY sequence ${direction}`)
      .iterate()) {
      rows.push(row as DamagedRow);
    }
  } catch {
    // Here the damage begins; the rows before it are what there is.
  }
  return rows;
}

function copyTotals(old: Database.Database, into: Database.Database, saved: number): number | undefined {
  const set = into.prepare('INSERT OR REPLACE INTO total VALUES (?, ?)');
  let totals: Map<string, number>;
  try {
    const rows = old.prepare('SELECT name, value FROM total').raw().all() as [string, number][];
    totals = new Map(rows);
    const sequence = old.prepare(`SELECT seq FROM sqlite_sequence WHERE name = 'batch'`).pluck().get() as
      number | undefined;
    if (sequence !== undefined) {
      into.prepare(`DELETE FROM sqlite_sequence WHERE name = 'batch'`).run();
      into.prepare(`INSERT INTO sqlite_sequence VALUES ('batch', ?)`).run(sequence);
    }
  } catch {
    set.run('generated', saved);
    return undefined;
  }
  const total = (name: string): number => totals.get(name) ?? 0;
  const lost = total('generated') - total('sent') - total('evicted') - total('dropped') - saved;
  for (const [name, value] of totals) set.run(name, value);
  set.run('evicted', total('evicted') + lost);
  return lost;
}
