import { hostname } from 'node:os';
import type { CatalogueRows } from './catalogue-rows.js';
import type { Database } from './database.js';
import type { DatabaseClock } from './database-clock.js';

/** How long a writer or a holder of a lease may be silent, s. */
export const LEASE_SECONDS = 10;

const NUMBERS = 2 ** 32;

/** What the frame of a journal row is sealed under. */
export const rowKey = (writer: number, number: number): number => writer * NUMBERS + number;

/** What the database's clock says, Unix ms, read off the new end of a lease: Citus asks for the clock in no other place. */
const NOW = `(extract(epoch FROM until - to_timestamp(0)) * 1000)::bigint - ${LEASE_SECONDS * 1_000}`;

const UNTIL = `statement_timestamp() + interval '${LEASE_SECONDS} s'`;

/**
 * One statement: the lease is asked for and renewed, nothing that others have changed is overlooked, since they set the version
 * of each writer in their transaction, and the row gets the time of the database, which says whose sample is the later one. Of one writer that never goes back. That time is read off the new
 * end of the lease, since Citus asks for the clock in no other place.
 */
const COMMIT = `WITH lease AS (
    UPDATE writer SET last = $2, until = ${UNTIL}
    WHERE id = $1 AND last = $2 - 1 AND until > statement_timestamp() AND version = $4
    RETURNING greatest($5::bigint,
      (extract(epoch FROM until - to_timestamp(0)) * 1000000)::bigint - ${LEASE_SECONDS * 1_000_000}) AS at)
  INSERT INTO journal (writer, number, at, data) SELECT $1, $2, at, $3 FROM lease RETURNING at`;

/** The lease under which this process writes journal rows, and the numbers that it gives them. */
export class Writer {
  private last = 0;
  private lastAt = 0;

  private constructor(
    private readonly database: Database,
    readonly id: number,
    private readonly clock: DatabaseClock,
  ) {}

  static async register(database: Database, rows: CatalogueRows, clock: DatabaseClock): Promise<Writer> {
    const id = await rows.take('writer', 1);
    const now = await database.urgentTransaction(async (transaction) => {
      // Whoever changes the catalogue now waits until this writer is there, or was before.
      const [{ version }] = await transaction.rows<{ version: number }>(
        'SELECT version FROM catalogue_state FOR SHARE',
      );
      const [writer] = await transaction.rows<{ now: number }>(
        `INSERT INTO writer (id, last, until, host, version) VALUES ($1, 0, ${UNTIL}, $2, $3) RETURNING ${NOW} AS now`,
        [id, `${hostname()} ${process.pid}`, version],
      );
      return writer.now;
    });
    clock.read(now);
    return new Writer(database, id, clock);
  }

  get nextNumber(): number {
    return this.last + 1;
  }

  /**
   * Writes the row `nextNumber`; gives its time, or undefined where the lease has run out or the catalogue has another version.
   * Once it resolves, the row is on disk.
   */
  async commit(data: Uint8Array, version: number): Promise<number | undefined> {
    const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
    const values = [this.id, this.nextNumber, bytes, version, this.lastAt];
    const [row] = await this.database.urgently<{ at: number }>(COMMIT, values, 'commit');
    if (!row) return undefined;
    this.last += 1;
    this.lastAt = row.at;
    return row.at;
  }

  /**
   * `gone` where the lease has run out: then nothing is written under it any more. `other` where the database has not what was
   * written, so that it is not the one of before.
   */
  async renew(): Promise<'held' | 'gone' | 'other'> {
    // A commit may end meanwhile.
    const written = this.last;
    const [row] = await this.database.urgently<{ last: number; now: number }>(
      `UPDATE writer SET until = ${UNTIL} WHERE id = $1 AND until > statement_timestamp() RETURNING last, ${NOW} AS now`,
      [this.id],
    );
    if (!row) return 'gone';
    this.clock.read(row.now);
    return row.last < written ? 'other' : 'held';
  }

  /** Ends the lease: what is under way is written before that, or never. */
  async end(): Promise<void> {
    await this.database.urgently(`UPDATE writer SET until = '-infinity' WHERE id = $1`, [this.id]);
  }
}
