/** How many rows one piece of an answer carries: small enough to let other requests through between two. */
const ROWS = 1_000;

/** `[from, to]` of each piece of so many rows. */
export function* rowsPerPiece(rows: number): Generator<[number, number]> {
  for (let from = 0; from < rows; from += ROWS) yield [from, Math.min(from + ROWS, rows)];
}

/** A finite double as JSON that reads back as the same bits; JSON.stringify would turn -0 into 0. */
export function jsonNumber(value: number | null | undefined): string {
  if (value === null || value === undefined) return 'null';
  return Object.is(value, -0) ? '-0' : String(value);
}
