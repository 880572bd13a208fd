import type { Database } from 'better-sqlite3';

/** Rows that one statement writes: each by itself takes half as long again, or more. */
const TOGETHER = 20;

/** Writes rows of a table, many with one statement. */
export class ManyRows<Row> {
  private readonly one;
  private readonly together;

  /**
   * @param sqlOf a statement by what stands behind its VALUES.
   * @param valuesOf the values of a row, of which each has as many.
   */
  constructor(
    db: Database,
    columns: number,
    sqlOf: (values: string) => string,
    private readonly valuesOf: (row: Row) => readonly (string | number | null)[],
  ) {
    const row = `(${Array(columns).fill('?').join(', ')})`;
    this.one = db.prepare<[unknown[]]>(sqlOf(row));
    this.together = db.prepare<[unknown[]]>(sqlOf(Array(TOGETHER).fill(row).join(', ')));
  }

  write(rows: readonly Row[]): void {
    let at = 0;
    while (at + TOGETHER <= rows.length) {
      const values: unknown[] = [];
      for (const end = at + TOGETHER; at < end; at += 1) for (const one of this.valuesOf(rows[at])) values.push(one);
      this.together.run(values);
    }
    for (; at < rows.length; at += 1) this.one.run([...this.valuesOf(rows[at])]);
  }
}
