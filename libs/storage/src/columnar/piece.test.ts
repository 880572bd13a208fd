import { describe, expect, it } from '@jest/globals';
import { isDeepStrictEqual } from 'node:util';
import { inflateRawSync } from 'node:zlib';
import type { Summary } from '@device-metrics/domain';
import fc from 'fast-check';
import { HOUR } from '@device-metrics/domain';
import { FRAME_HEADER, sealFrame, withoutKey } from './codec/frame.js';
import { decodePiece, PieceEncoder } from './piece.js';
import { summarizeColumn, type Column } from './column.js';
import { DamagedError } from './codec/frame.js';
import { readStats } from './stats.js';

const HOUR_NUMBER = 491_000;

const DATA_KEY = [7, 1];
const STATS_KEY = [7, 1, 5];
const encoder = new PieceEncoder();

async function pieceOf(
  columns: ReadonlyMap<number, Column>,
  kind: 'chunk' | 'part' = 'chunk',
): Promise<{ stats: Uint8Array; data: Uint8Array }> {
  encoder.begin(HOUR_NUMBER);
  for (const [id, column] of columns) encoder.add(id, column);
  const { stats, data } = await encoder.finish(kind);
  return { stats: sealFrame(stats, STATS_KEY), data: sealFrame(data ?? new Uint8Array(), DATA_KEY) };
}

const column = (times: number[], values: number[]): Column => ({
  times: Uint32Array.from(times),
  values: Float64Array.from(values),
});

const times = fc
  .uniqueArray(fc.nat({ max: HOUR - 1 }), { minLength: 1, maxLength: 40 })
  .map((all) => all.sort((a, b) => a - b));
const value = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.integer({ min: -1000, max: 1000 }).map((n) => n / 100),
  fc.constantFrom(-0, 0, 5e-324, Number.MAX_VALUE),
);
const anyColumn = times.chain((some) =>
  fc.array(value, { minLength: some.length, maxLength: some.length }).map((values) => column(some, values)),
);
const someColumns = fc
  .uniqueArray(fc.tuple(fc.integer({ min: 1, max: 100_000 }), anyColumn), {
    minLength: 1,
    maxLength: 8,
    selector: ([id]) => id,
  })
  .map((all) => new Map(all.sort(([a], [b]) => a - b)));

const kind = fc.constantFrom('chunk' as const, 'part' as const);

describe('a piece', () => {
  it('gives back every sample of every series', async () => {
    await fc.assert(
      fc.asyncProperty(someColumns, kind, async (columns, one) => {
        expect(decodePiece((await pieceOf(columns, one)).data, DATA_KEY)).toEqual(columns);
      }),
    );
  });

  it('of any size can be inflated by all that know deflate', async () => {
    for (const length of [1, 10, 30_000, 70_000]) {
      const values = Array.from({ length }, (_, index) => (index * 7919) % 251);
      const columns = new Map([[1, column(Array.from(values.keys()), values)]]);
      for (const one of ['chunk', 'part'] as const) {
        const { data } = await pieceOf(columns, one);
        expect(isDeepStrictEqual(decodePiece(data, DATA_KEY), columns)).toBe(true);
        const body = inflateRawSync(data.subarray(FRAME_HEADER + 4));
        expect(body.length).toBe(new DataView(data.buffer).getUint32(FRAME_HEADER, true));
      }
    }
  });

  it('gives back the summary of every series without its samples', async () => {
    await fc.assert(
      fc.asyncProperty(someColumns, async (columns) => {
        const found = new Map<number, Summary>();
        readStats((await pieceOf(columns)).stats, STATS_KEY, HOUR_NUMBER * HOUR, (id, summary) =>
          found.set(id, { ...summary }),
        );
        expect([...found.keys()]).toEqual([...columns.keys()]);
        for (const [id, one] of columns) {
          const expected = summarizeColumn(one, HOUR_NUMBER * HOUR);
          const { sum = NaN } = found.get(id) ?? {};
          // Of decimals the sum is rounded to a decimal.
          const isSum =
            Object.is(sum, expected.sum) ||
            Math.abs(sum - expected.sum) <= Math.max(1e-6, 1e-12 * Math.abs(expected.sum));
          expect([sum, expected.sum, isSum]).toEqual([sum, expected.sum, true]);
          expect(found.get(id)).toEqual({ ...expected, sum });
        }
        // Others are passed over.
        const wanted = new Map([...found].filter(([id]) => id % 2 === 0));
        const some = new Map<number, Summary>();
        const put = (id: number, summary: Readonly<Summary>): unknown => some.set(id, { ...summary });
        readStats((await pieceOf(columns)).stats, STATS_KEY, HOUR_NUMBER * HOUR, put, wanted);
        expect(some).toEqual(wanted);
      }),
    );
  });

  it('sums up decimals without the noise of adding doubles', async () => {
    const { stats } = await pieceOf(new Map([[1, column([0, 1, 2], [0.1, 0.1, 0.1])]]));
    readStats(stats, STATS_KEY, 0, (_, summary) => expect(summary.sum).toBe(0.3));
  });

  it('decodes only the series that are asked for, also when they share the times of others', async () => {
    const columns = new Map([1, 2, 3, 4].map((id) => [id, column([id % 2, 10, 20], [id, id, 7])]));
    const { data } = await pieceOf(columns);
    expect(decodePiece(data, DATA_KEY, new Set([3]))).toEqual(new Map([[3, columns.get(3)]]));
    expect(decodePiece(data, DATA_KEY, new Set([4]))).toEqual(new Map([[4, columns.get(4)]]));
    expect(decodePiece(data, DATA_KEY, new Set()).size).toBe(0);
  });

  it.each(['chunk', 'part'] as const)('is refused when any byte of it changed, as a %s', async (one) => {
    const { data, stats } = await pieceOf(new Map([[1, column([0, 10, 20], [1, 2, 3])]]), one);
    for (let index = 0; index < data.length; index += 1) {
      const changed = data.slice();
      changed[index] ^= 1;
      expect(() => decodePiece(changed, DATA_KEY)).toThrow(DamagedError);
    }
    for (let index = 0; index < stats.length; index += 1) {
      const changed = stats.slice();
      changed[index] ^= 1;
      expect(() => readStats(changed, STATS_KEY, 0, () => undefined)).toThrow(DamagedError);
    }
  });

  it('is refused under another key, and is read under any in the format from before', async () => {
    const columns = new Map([[1, column([0, 10, 20], [1, 2, 3])]]);
    const { data, stats } = await pieceOf(columns);
    for (const [index, key] of [DATA_KEY, DATA_KEY, STATS_KEY, STATS_KEY, STATS_KEY].entries()) {
      const at = index < 2 ? index : index - 2;
      const other = key.map((number, place) => (place === at ? number + 1 : number));
      if (index < 2) expect(() => decodePiece(data, other)).toThrow(DamagedError);
      else expect(() => readStats(stats, other, 0, () => undefined)).toThrow(DamagedError);
    }
    expect(decodePiece(withoutKey(data), [0])).toEqual(columns);
  });
});
