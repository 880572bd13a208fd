import type { Database, Statement } from 'better-sqlite3';

export type DamagedSource = 'journal' | 'chunk stats' | 'chunk data';

/** Bytes whose checksum was wrong, kept for whoever wants to look into them; nothing reads them again. */
export class DamagedTable {
  /** How many were ever set aside. */
  count: number;
  private readonly insert: Statement<[DamagedSource, number, number, Uint8Array]>;

  constructor(db: Database) {
    this.insert = db.prepare('INSERT INTO damaged (source, source_id, found_at, data) VALUES (?, ?, ?, ?)');
    this.count = db.prepare<[], number>('SELECT count(*) FROM damaged').pluck().get() ?? 0;
  }

  setAside(source: DamagedSource, id: number, data: Uint8Array, now: number): void {
    this.insert.run(source, id, now, data);
    this.count += 1;
  }
}
