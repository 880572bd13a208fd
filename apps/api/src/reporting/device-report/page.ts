import { quote, type Rule } from '@device-metrics/contract';
import type { Position, SeriesTable } from '@device-metrics/query';

export const encodeCursor = ({ seriesId, timestamp }: Position): string =>
  Buffer.from(`${seriesId}.${timestamp}`).toString('base64url');

/** Undefined for a text that `encodeCursor` never gave. */
export function decodeCursor(text: string): Position | undefined {
  const match = /^(\d{1,15})\.(-?\d{1,16})$/.exec(Buffer.from(text, 'base64url').toString());
  return match ? { seriesId: Number(match[1]), timestamp: Number(match[2]) } : undefined;
}

/** Of `cursor` in a query. */
export const cursorRule: Rule = (value) =>
  typeof value === 'string' && decodeCursor(value)
    ? undefined
    : `must be the next_cursor of a page, got ${quote(value)}`;

/** The rows `from` (included) to `to` (not included) of a table. */
function slice(table: SeriesTable, from: number, to: number): SeriesTable {
  if (from === 0 && to === table.timestamps.length) return table;
  const part = <T>(column: ArrayLike<T>): T[] => Array.prototype.slice.call(column, from, to) as T[];
  return { ...table, timestamps: part(table.timestamps), columns: table.columns.map(part) };
}

export interface Page {
  readonly tables: SeriesTable[];
  /** Where the next page begins; undefined on the last. */
  readonly next: Position | undefined;
}

/** The first `limit` rows after the cursor, of tables that begin with the cursor's series. */
export async function firstPage(
  tables: AsyncIterable<SeriesTable>,
  cursor: Position | undefined,
  limit: number,
): Promise<Page> {
  const page: SeriesTable[] = [];
  let room = limit;
  let last: Position | undefined;
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
