import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { sealFrame } from './codec/frame.js';
import { joinColumns, type Column } from './column.js';
import { joinSeries, PartSource } from './join-series.js';
import { decodePiece, PieceCursor, PieceEncoder } from './piece.js';

const HOUR = 491_000;

/** What of a series one source has. */
type Columns = ReadonlyMap<number, Column>;

const times = fc
  .uniqueArray(fc.nat({ max: 60 }), { minLength: 1, maxLength: 8 })
  .map((all) => all.sort((a, b) => a - b));
/** Few, so that many series have the same times. */
const timelines = fc.array(times, { minLength: 1, maxLength: 3 });
const columnsOf = fc
  .tuple(timelines, fc.uniqueArray(fc.tuple(fc.integer({ min: 1, max: 9 }), fc.nat()), { selector: ([id]) => id }))
  .map(([some, series]) =>
    series.sort(([a], [b]) => a - b).map(([id, which]) => [id, some[which % some.length]] as const),
  );
/** One behind the other, as parts mostly are, or any; those of some are in heads, which are behind all pieces. */
const sources = fc
  .record({ all: fc.array(columnsOf, { minLength: 1, maxLength: 5 }), follow: fc.boolean(), heads: fc.nat({ max: 2 }) })
  .map(({ all, follow, heads }) => {
    let value = 0.5;
    const columns = all.map((series, place): Columns => {
      const offset = follow ? place * 100 : 0;
      return new Map(
        series.map(([id, its]) => [
          id,
          { times: Uint32Array.from(its, (time) => time + offset), values: Float64Array.from(its, () => value++) },
        ]),
      );
    });
    const split = Math.max(0, columns.length - heads);
    return { pieces: columns.slice(0, split), heads: columns.slice(split) };
  });

const partsOf = (columns: Columns) =>
  Array.from(columns, ([seriesId, column]) => ({ seriesId, column, from: 0, to: column.times.length }));

const encoder = new PieceEncoder();
function pieceOf(columns: Iterable<readonly [id: number, column: Column]>, key: number[]): Uint8Array {
  encoder.begin(HOUR);
  for (const [id, column] of columns) encoder.add(id, column);
  return sealFrame(encoder.finishNow().data ?? new Uint8Array(), key);
}

/** Each series by itself. */
function joinedOneByOne(all: readonly Columns[]): [id: number, column: Column][] {
  const ids = new Set(all.flatMap((columns) => [...columns.keys()]).sort((a, b) => a - b));
  return Array.from(ids, (id) => [id, joinColumns(all.map((columns) => columns.get(id)).filter((one) => !!one))]);
}

it('columns are joined so that of samples of one time the later wins', () => {
  fc.assert(
    fc.property(sources, ({ pieces, heads }) => {
      for (const [id, { times: found, values }] of joinedOneByOne([...pieces, ...heads])) {
        const last = new Map<number, number>();
        for (const columns of [...pieces, ...heads]) {
          const column = columns.get(id);
          column?.times.forEach((time, at) => last.set(time, column.values[at]));
        }
        expect(Array.from(found, (time, at) => [time, values[at]])).toEqual([...last].sort(([a], [b]) => a - b));
      }
    }),
  );
});

it('pieces and heads that are joined series after series make the chunk that they make one by one, byte for byte', () => {
  fc.assert(
    fc.property(sources, ({ pieces, heads }) => {
      const frames = pieces.map((columns, part) => pieceOf(columns, [7, part]));
      const decoded = frames.map((data, part) => decodePiece(data, [7, part]));
      expect(decoded).toEqual(pieces);
      const all = [
        ...frames.map((data, part) => new PieceCursor(data, [7, part])),
        ...heads.map((columns) => new PartSource(partsOf(columns))),
      ];
      for (const source of all) source.next();
      encoder.begin(HOUR);
      for (const { seriesId, column, from, to } of joinSeries(all)) encoder.add(seriesId, column, from, to);
      const joined = sealFrame(encoder.finishNow().data ?? new Uint8Array(), [7, 0]);
      expect(Buffer.from(joined).equals(pieceOf(joinedOneByOne([...decoded, ...heads]), [7, 0]))).toBe(true);
    }),
  );
});
