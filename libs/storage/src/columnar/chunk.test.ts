import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ChunkEncoder, decodeChunk, type EncodedChunk } from './chunk.js';
import { summarizeColumn, type Column } from './column.js';
import { DamagedError } from './codec/frame.js';
import { HOUR } from './hour.js';
import { readStats } from './stats.js';

const HOUR_NUMBER = 491_000;

async function chunkOf(columns: ReadonlyMap<number, Column>): Promise<EncodedChunk> {
  const encoder = new ChunkEncoder(HOUR_NUMBER);
  for (const [id, column] of columns) encoder.add(id, column);
  return encoder.finish();
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

describe('a chunk', () => {
  it('gives back every sample of every series', async () => {
    await fc.assert(
      fc.asyncProperty(someColumns, async (columns) => {
        expect(decodeChunk((await chunkOf(columns)).data)).toEqual(columns);
      }),
    );
  });

  it('gives back the summary of every series without its samples', async () => {
    await fc.assert(
      fc.asyncProperty(someColumns, async (columns) => {
        const found = new Map<number, unknown>();
        readStats((await chunkOf(columns)).stats, HOUR_NUMBER * HOUR, (id, summary) => found.set(id, { ...summary }));
        expect([...found.keys()]).toEqual([...columns.keys()]);
        for (const [id, one] of columns) {
          const expected = summarizeColumn(one, HOUR_NUMBER * HOUR);
          // Of decimals the sum is rounded to a decimal.
          const sum = Math.abs(expected.sum) < 1e9 ? (expect.closeTo(expected.sum, 6) as unknown) : expected.sum;
          expect(found.get(id)).toEqual({ ...expected, sum });
        }
      }),
    );
  });

  it('sums up decimals without the noise of adding doubles', async () => {
    const { stats } = await chunkOf(new Map([[1, column([0, 1, 2], [0.1, 0.1, 0.1])]]));
    readStats(stats, 0, (_, summary) => expect(summary.sum).toBe(0.3));
  });

  it('decodes only the series that are asked for, also when they share the times of others', async () => {
    const columns = new Map([1, 2, 3, 4].map((id) => [id, column([id % 2, 10, 20], [id, id, 7])]));
    const { data } = await chunkOf(columns);
    expect(decodeChunk(data, (id) => id === 3)).toEqual(new Map([[3, columns.get(3)]]));
    expect(decodeChunk(data, (id) => id === 4)).toEqual(new Map([[4, columns.get(4)]]));
    expect(decodeChunk(data, () => false).size).toBe(0);
  });

  it('is refused when any byte of it changed', async () => {
    const { data, stats } = await chunkOf(new Map([[1, column([0, 10, 20], [1, 2, 3])]]));
    for (let index = 0; index < data.length; index += 1) {
      const changed = data.slice();
      changed[index] ^= 1;
      expect(() => decodeChunk(changed)).toThrow(DamagedError);
    }
    for (let index = 0; index < stats.length; index += 1) {
      const changed = stats.slice();
      changed[index] ^= 1;
      expect(() => readStats(changed, 0, () => undefined)).toThrow(DamagedError);
    }
  });
});
