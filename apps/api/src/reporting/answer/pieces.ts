/** How many rows one piece of an answer carries: small enough to let other requests through between two. */
const ROWS = 250;

/** `[from, to]` of each piece of so many rows. */
export function* rowsPerPiece(rows: number, most = ROWS): Generator<[number, number]> {
  for (let from = 0; from < rows; from += most) yield [from, Math.min(from + most, rows)];
}

/** The elements of a JSON list, some at a time. */
export function* jsonPieces(rows: readonly unknown[]): Generator<string> {
  for (const [from, to] of rowsPerPiece(rows.length)) {
    yield (from === 0 ? '' : ',') + JSON.stringify(rows.slice(from, to)).slice(1, -1);
  }
}

/**
 * A double as JSON that reads back as the same bits; JSON.stringify would turn -0 into 0. A sum or growth beyond what
 * doubles hold is null: JSON has no number for it.
 */
export function jsonNumber(value: number | null | undefined): string {
  if (!isNumber(value)) return 'null';
  return Object.is(value, -0) ? '-0' : String(value);
}

/** Whether there is a number, and one that every format has. */
export const isNumber = (value: number | null | undefined): value is number => Number.isFinite(value);
