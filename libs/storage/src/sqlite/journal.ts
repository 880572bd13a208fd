import type { Database, Statement } from 'better-sqlite3';

export interface StoredRow {
  readonly id: number;
  readonly data: Uint8Array;
}

/** How many rows one transaction deletes, so that none takes long. */
const TRIM_SLICE = 64;

/**
 * The journal: one row per commit, in the order of the commits. Writing it is all that an append waits for; rows are
 * deleted from the oldest on, once no head needs them. Ids come from AUTOINCREMENT, which never gives one twice: a chunk
 * remembers the last row that went into it, and no later row may carry that id.
 */
export class Journal {
  /** Rows that are there now, and their bytes. */
  rows = 0;
  bytes = 0;
  private oldest = Infinity;
  private readonly insert: Statement<[Uint8Array]>;
  private readonly next: Statement<[number], StoredRow>;
  private readonly removeBefore: Statement<[number], number>;

  constructor(db: Database) {
    this.insert = db.prepare('INSERT INTO journal (data) VALUES (?)');
    this.next = db.prepare('SELECT id, data FROM journal WHERE id > ? ORDER BY id LIMIT 1');
    this.removeBefore = db.prepare<[number], number>('DELETE FROM journal WHERE id < ? RETURNING length(data)').pluck();
  }

  /** Writes a row and gives its id. To be called within a transaction, and `count` after its commit. */
  write(data: Uint8Array): number {
    return Number(this.insert.run(data).lastInsertRowid);
  }

  /** Takes note of a row that is on disk. */
  count(id: number, bytes: number): void {
    this.rows += 1;
    this.bytes += bytes;
    this.oldest = Math.min(this.oldest, id);
  }

  /** All rows, oldest first, one in memory at a time. */
  *stored(): Generator<StoredRow> {
    for (let row = this.next.get(0); row; row = this.next.get(row.id)) yield row;
  }

  /** Deletes some of the rows before `needed`; false once there are none left. */
  trim(needed: number): boolean {
    if (this.rows === 0 || this.oldest >= needed) return false;
    const before = Math.min(needed, this.oldest + TRIM_SLICE);
    for (const bytes of this.removeBefore.all(before)) {
      this.rows -= 1;
      this.bytes -= bytes;
    }
    this.oldest = this.rows === 0 ? Infinity : before;
    return this.rows > 0 && this.oldest < needed;
  }
}
