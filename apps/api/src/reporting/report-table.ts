import type { Series } from '@device-metrics/domain';

/**
 * One series of a report: rows of a time and one number for each column. The raw report has the one column `value`, a
 * report by steps one for each aggregation. A series of very many rows comes as several tables, one after the other.
 */
export interface SeriesTable {
  readonly series: Series;
  readonly columnNames: readonly string[];
  /** Unix milliseconds, ascending. */
  readonly timestamps: ArrayLike<number>;
  /** As long as `timestamps`, each. */
  readonly columns: readonly ArrayLike<number | null>[];
}

/** What stands over the columns where all series share one table. */
export const titles = (columnNames: readonly string[]): string[] => [
  ...['device_name', 'metric_name', 'unit', 'labels', 'timestamp'],
  ...columnNames,
];

/** Where the page before ended. */
export interface Cursor {
  readonly seriesId: number;
  /** Of the last row, Unix milliseconds. */
  readonly timestamp: number;
}

export const encodeCursor = ({ seriesId, timestamp }: Cursor): string =>
  Buffer.from(`${seriesId}.${timestamp}`).toString('base64url');

/** Undefined for a text that `encodeCursor` never gave. */
export function decodeCursor(text: string): Cursor | undefined {
  const match = /^(\d{1,15})\.(-?\d{1,16})$/.exec(Buffer.from(text, 'base64url').toString());
  return match ? { seriesId: Number(match[1]), timestamp: Number(match[2]) } : undefined;
}

/** The rows `from` (included) to `to` (not included) of a table. */
export function slice(table: SeriesTable, from: number, to: number): SeriesTable {
  if (from === 0 && to === table.timestamps.length) return table;
  const part = <T>(column: ArrayLike<T>): T[] => Array.prototype.slice.call(column, from, to) as T[];
  return { ...table, timestamps: part(table.timestamps), columns: table.columns.map(part) };
}

export interface Page {
  readonly tables: SeriesTable[];
  /** Where the next page begins; undefined on the last. */
  readonly next: Cursor | undefined;
}

/** The first `limit` rows after the cursor, of tables that begin with the cursor's series. */
export async function firstPage(
  tables: AsyncIterable<SeriesTable>,
  cursor: Cursor | undefined,
  limit: number,
): Promise<Page> {
  const page: SeriesTable[] = [];
  let room = limit;
  let last: Cursor | undefined;
  for await (const table of tables) {
    const after = table.series.id === cursor?.seriesId ? cursor.timestamp : -Infinity;
    let from = 0;
    while (from < table.timestamps.length && (table.timestamps[from] as number) <= after) from += 1;
    if (from === table.timestamps.length) continue;
    if (room === 0) return { tables: page, next: last };
    const to = Math.min(table.timestamps.length, from + room);
    page.push(slice(table, from, to));
    room -= to - from;
    last = { seriesId: table.series.id, timestamp: table.timestamps[to - 1] as number };
    if (to < table.timestamps.length) return { tables: page, next: last };
  }
  return { tables: page, next: undefined };
}
