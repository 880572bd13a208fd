import type { Database, Statement } from 'better-sqlite3';
import type { ClockMark } from '../columnar/clock-watch.js';

interface Row {
  readonly seen_at: number;
  readonly remaining: number | null;
  readonly reason: string;
}

/** Keeps what is known of the clock for the next run, in one row. */
export class ClockMarks {
  private readonly put: Statement<[number, number | null, string]>;

  constructor(private readonly db: Database) {
    this.put = db.prepare('REPLACE INTO clock_mark (id, seen_at, remaining, reason) VALUES (1, ?, ?, ?)');
  }

  last(): ClockMark | undefined {
    const row = this.db.prepare<[], Row>('SELECT seen_at, remaining, reason FROM clock_mark WHERE id = 1').get();
    return row && { seenAt: row.seen_at, remaining: row.remaining, reason: row.reason };
  }

  /** @throws SqliteError where it cannot be written. */
  keep({ seenAt, remaining, reason }: ClockMark): void {
    this.put.run(seenAt, remaining === null ? null : Math.round(remaining), reason);
  }
}
