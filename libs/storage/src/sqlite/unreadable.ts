import type { Database, Statement } from 'better-sqlite3';
import type { StoredPiece } from '../columnar/pieces.js';

/** Whether the file itself is damaged where SQLite looked, or the disk does not give it back. */
export function isUnreadable(error: unknown): boolean {
  const code = (error as { code?: unknown } | null)?.code;
  return (
    typeof code === 'string' &&
    (code.startsWith('SQLITE_CORRUPT') ||
      code === 'SQLITE_IOERR_READ' ||
      code === 'SQLITE_IOERR_SHORT_READ' ||
      code === 'SQLITE_IOERR_DATA')
  );
}

const COLUMNS = 'id, sealed_through AS sealedThrough, data IS NOT NULL AS raw';
const RANGE = 'FROM chunk WHERE id >= ? AND id < ? ORDER BY id';

type Row = Omit<StoredPiece, 'part' | 'stats'>;
type RawRow = [id: number, sealedThrough: number, raw: number, stats: Uint8Array];

/** Reads rows of the table of chunks, also around pages that cannot be read. */
export class ReadableChunks {
  /** By their limit, which is no parameter: for each other value of that SQLite plans anew. */
  private readonly rows = new Map<number, Statement<[number, number], RawRow>>();
  private readonly ascending: Statement<[number, number], Row>;
  private readonly descending: Statement<[number, number], Row>;
  private readonly stats: Statement<[number], Uint8Array>;

  /** @param onUnreadable hears of an id where rows cannot be read, and why, each time that is met. */
  constructor(
    private readonly db: Database,
    private readonly onUnreadable: (id: number, error: unknown) => void,
  ) {
    this.ascending = db.prepare(`SELECT ${COLUMNS} ${RANGE}`);
    this.descending = db.prepare(`SELECT ${COLUMNS} ${RANGE} DESC`);
    this.stats = db.prepare<[number], Uint8Array>('SELECT stats FROM chunk WHERE id = ?').pluck();
  }

  /** At most `limit` chunks from id `from` to before `to`; stats that cannot be read are empty. */
  range(from: number, to: number, limit: number): StoredPiece[] {
    try {
      const found = this.upTo(limit).all(from, to);
      if (found.length === 0) return [];
      const rows = found.map(pieceOf);
      // A damaged id stands where another one should.
      if (rows.every(({ id }, index) => id >= (rows[index - 1]?.id ?? from - 1) + 1 && id < to)) return rows;
    } catch (error) {
      if (!isUnreadable(error)) throw error;
    }
    return this.around(from, to, limit);
  }

  private upTo(limit: number): Statement<[number, number], RawRow> {
    let rows = this.rows.get(limit);
    if (!rows) {
      rows = this.db.prepare<[number, number], RawRow>(`SELECT ${COLUMNS}, stats ${RANGE} LIMIT ${limit}`).raw();
      this.rows.set(limit, rows);
    }
    return rows;
  }

  /** What can be read before, between and behind places that cannot. */
  private around(from: number, to: number, limit: number): StoredPiece[] {
    const found = new Map<number, Row>();
    let last = from - 1;
    const take = (rows: Iterable<Row>): boolean => {
      try {
        for (const row of rows) {
          found.set(row.id, row);
          last = Math.max(last, row.id);
        }
        return true;
      } catch (error) {
        if (!isUnreadable(error)) throw error;
        this.onUnreadable(from, error);
        return false;
      }
    };
    let at = from;
    while (at < to && !take(this.ascending.iterate(at, to))) {
      const bad = Math.max(at, last + 1);
      const next = this.readableBehind(bad, to);
      // What stands between the place that cannot be read and the next that can.
      take(this.descending.iterate(bad, next));
      at = next;
    }
    return [...found.values()]
      .filter(({ id }) => id >= from && id < to)
      .sort((a, b) => a.id - b.id)
      .slice(0, limit)
      .map((row) => ({ ...row, part: 0, stats: this.statsOf(row.id) }));
  }

  /** An id from which on rows can be read, in steps that double; `to` where there is none. */
  private readableBehind(bad: number, to: number): number {
    for (let step = 1; bad + step < to; step *= 2) {
      try {
        this.upTo(1).all(bad + step, to);
        return bad + step;
      } catch (error) {
        if (!isUnreadable(error)) throw error;
      }
    }
    return to;
  }

  private statsOf(id: number): Uint8Array {
    try {
      return this.stats.get(id) ?? new Uint8Array();
    } catch (error) {
      this.onUnreadable(id, error);
      return new Uint8Array();
    }
  }
}

/** The driver makes objects whose fields are looked up by name each time. */
const pieceOf = ([id, sealedThrough, raw, stats]: RawRow): StoredPiece => ({ id, part: 0, sealedThrough, stats, raw });
