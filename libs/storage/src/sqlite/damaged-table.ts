import { reasonOf } from '@device-metrics/domain';
import type { Database, Statement } from 'better-sqlite3';

/** What was damaged: a row of the journal, or one of the two blobs of a chunk or a part, or its place in the file; or a row of the catalogue. */
export type DamagedSource =
  | 'journal'
  | 'chunk'
  | 'chunk stats'
  | 'chunk data'
  | 'part'
  | 'part stats'
  | 'part data'
  | 'device'
  | 'device_alias'
  | 'series'
  | 'latest';

/** What was found damaged: the bytes, kept for whoever wants to look into them, or why there are none. Nothing reads it. */
export class DamagedTable {
  /** How many were ever found. */
  count: number;
  private readonly insert: Statement<[DamagedSource, number, number, Uint8Array]>;
  private readonly known: Statement<[DamagedSource, number], number>;
  /** Places that have been said in this run. */
  private readonly said = new Set<string>();

  /**
   * @param onDamage hears of each piece of damage, once for each place and run.
   * @param isDoubted whether what cannot be read may be there all the same.
   */
  constructor(
    db: Database,
    private readonly onDamage: (problem: Error) => void,
    public isDoubted = false,
  ) {
    this.insert = db.prepare('INSERT INTO damaged (source, source_id, found_at, data) VALUES (?, ?, ?, ?)');
    this.known = db
      .prepare<[DamagedSource, number], number>('SELECT 1 FROM damaged WHERE source = ? AND source_id = ?')
      .pluck();
    this.count = db.prepare<[], number>('SELECT count(*) FROM damaged').pluck().get() ?? 0;
  }

  /** Keeps bytes whose checksum was wrong. */
  setAside(source: DamagedSource, id: number, data: Uint8Array, now: number): void {
    this.insert.run(source, id, now, data);
    this.count += 1;
    this.onDamage(
      new Error(
        `${source} ${id} is damaged: its ${data.length} bytes are kept in the table damaged; everything else goes on`,
      ),
    );
  }

  /** Keeps what a row of the catalogue says that is not as it was written, once for all: the row stays where it is. */
  setAsideRow(source: DamagedSource, id: number, values: readonly unknown[], now: number): void {
    if (this.known.get(source, id) !== undefined) return;
    const data = Buffer.from(JSON.stringify(values));
    this.insert.run(source, id, now, data);
    this.count += 1;
    this.onDamage(
      new Error(
        `the row ${id} of ${source} is damaged, and kept in the table damaged; what can be vouched for goes on`,
      ),
    );
  }

  /**
   * Takes note of a place that cannot be read or written, once for all.
   *
   * @throws the error itself while it is not known to be damage.
   */
  note(source: DamagedSource, id: number, error: unknown, now: number): void {
    if (this.isDoubted) throw error;
    const place = `${source} ${id}`;
    if (this.said.has(place)) return;
    this.said.add(place);
    const reason = reasonOf(error);
    try {
      if (this.known.get(source, id) !== undefined) return;
      this.insert.run(source, id, now, Buffer.from(reason));
    } catch {
      // Where the note cannot be kept either, it is counted for this run.
    }
    this.count += 1;
    this.onDamage(
      new Error(`the database is damaged at ${place}: ${reason}; everything else goes on`, { cause: error }),
    );
  }
}
