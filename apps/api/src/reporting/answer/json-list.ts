import { Readable } from 'node:stream';
import { Slices } from '@device-metrics/domain';
import { StreamableFile } from '@nestjs/common';
import { jsonPieces } from './pieces.js';

/** Rows that are quickly written at once. */
const AT_ONCE = 2_000;

/** An answer `{name: rows}`: as it is, or, of very many rows, written piece by piece. */
export function jsonList<Name extends string, Row>(
  name: Name,
  rows: readonly Row[],
): { [name in Name]: Row[] } | StreamableFile {
  if (rows.length <= AT_ONCE) return { [name]: rows } as { [name in Name]: Row[] };
  return new StreamableFile(Readable.from(pieces(name, rows), { objectMode: false }), {
    type: 'application/json; charset=utf-8',
  });
}

async function* pieces(name: string, rows: readonly unknown[]): AsyncGenerator<string> {
  const slices = new Slices();
  yield `{${JSON.stringify(name)}:[`;
  for (const piece of jsonPieces(rows)) {
    yield piece;
    if (slices.isOver()) await slices.next();
  }
  yield ']}';
}
