import { sqliteDriver } from '@device-metrics/sqlite';
import type { Database, Statement } from 'better-sqlite3';

export interface StoredRow {
  readonly id: number;
  readonly data: Uint8Array;
}

/** Greater numbers are those of a flipped bit. */
export const isJournalId = (id: number): boolean => Number.isSafeInteger(id) && id < 2 ** 48;

/** How many rows one transaction deletes, so that none takes long. */
const TRIM_SLICE = 64;

/** Ids that are noted as given before they are: what notes them is a page of its own, which each commit would write. */
const IDS_AHEAD = 256;

/**
 * The journal: one row per commit, in the order of the commits. Writing it is all that an append waits for; rows are
 * deleted from the oldest on, once no head needs them. AUTOINCREMENT keeps which ids may have been given, so that none is given
 * twice: a chunk or a part remembers the last row that went into it, and no later row may carry that id. The checksum of a row
 * covers its id, which is therefore chosen here.
 */
export class Journal {
  /** Rows that are there now, and their bytes. */
  rows = 0;
  bytes = 0;
  private oldest = Infinity;
  /** The last id that was given. */
  private last: number;
  /** The last id that is noted as given. */
  private noted: number;
  private readonly insert: Statement<[number, Uint8Array]>;
  private readonly noteIds: Statement<[number]>;
  private readonly next: Statement<[number], StoredRow>;
  private readonly before: Statement<[number], StoredRow>;
  private readonly removeBefore: Statement<[number, number], number>;

  /** @param onUnreadable hears of an error that leaves rows out. */
  constructor(
    private readonly db: Database,
    private readonly onUnreadable: (error: unknown) => void,
  ) {
    this.last = db.prepare<[], number>("SELECT seq FROM sqlite_sequence WHERE name = 'journal'").pluck().get() ?? 0;
    this.noted = this.last;
    this.noteIds = db.prepare("UPDATE sqlite_sequence SET seq = ? WHERE name = 'journal'");
    this.insert = db.prepare('INSERT INTO journal (id, data) VALUES (?, ?)');
    this.before = db.prepare('SELECT id, data FROM journal WHERE id > ? ORDER BY id DESC');
    this.next = db.prepare('SELECT id, data FROM journal WHERE id > ? ORDER BY id LIMIT 1');
    this.removeBefore = db
      .prepare<[number, number], number>('DELETE FROM journal WHERE id >= ? AND id < ? RETURNING length(data)')
      .pluck();
  }

  /** The id of the next row. */
  get nextId(): number {
    return this.last + 1;
  }

  /** Gives no number up to `id`: pieces have rows of these. The number that was kept is damaged where it is behind. */
  skipTo(id: number): void {
    if (id <= this.last || !isJournalId(id)) return;
    this.last = id;
    this.onUnreadable(new (sqliteDriver().SqliteError)('its last number is not as it was written', 'SQLITE_CORRUPT'));
  }

  /** @throws SqliteError where no row can be added, since the place for it is damaged: every append would fail. */
  assertWritable(): void {
    const undo = new Error('only a trial');
    const tryOne = this.db.transaction(() => {
      this.insert.run(this.nextId, new Uint8Array());
      throw undo;
    });
    try {
      tryOne();
    } catch (error) {
      if (error !== undo) throw error;
    }
  }

  /** Whether the next row is written by more than one statement, which must be a transaction then. */
  get notesIds(): boolean {
    return this.nextId > this.noted;
  }

  /** Writes the row `nextId`; `count` must be called once that is committed. */
  write(data: Uint8Array): void {
    const id = this.nextId;
    this.insert.run(id, data);
    if (!this.notesIds) return;
    this.noted = id + IDS_AHEAD;
    this.noteIds.run(this.noted);
  }

  /** Takes note of a row that is on disk. */
  count(id: number, bytes: number): void {
    this.last = Math.max(this.last, id);
    this.rows += 1;
    this.bytes += bytes;
    this.oldest = Math.min(this.oldest, id);
  }

  /** All rows, oldest first, one in memory at a time. Those of a page that cannot be read are left out. */
  *stored(): Generator<StoredRow> {
    let last = 0;
    try {
      for (let row = this.next.get(0); row; row = this.next.get(row.id)) {
        if (row.id <= last) throw new (sqliteDriver().SqliteError)('rows out of order', 'SQLITE_CORRUPT');
        last = row.id;
        yield row;
      }
    } catch (error) {
      this.onUnreadable(error);
      yield* this.storedBehind(last);
    }
  }

  /** The rows behind a place that cannot be read. */
  private storedBehind(id: number): StoredRow[] {
    const rows: StoredRow[] = [];
    try {
      for (const row of this.before.iterate(id)) rows.push(row);
    } catch (error) {
      this.onUnreadable(error);
    }
    return rows.reverse();
  }

  /** Deletes some of the rows before `needed`; false once there are none left. */
  trim(needed: number): boolean {
    if (this.rows === 0 || this.oldest >= needed) return false;
    const before = Math.min(needed, this.oldest + TRIM_SLICE);
    try {
      for (const bytes of this.removeBefore.all(this.oldest, before)) {
        this.rows -= 1;
        this.bytes -= bytes;
      }
    } catch (error) {
      this.onUnreadable(error);
      // Rows that cannot be deleted stay; those behind them need not.
      this.oldest = before;
      return this.oldest < needed;
    }
    this.oldest = this.rows === 0 ? Infinity : before;
    return this.rows > 0 && this.oldest < needed;
  }
}
