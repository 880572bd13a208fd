import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ByteReader, ByteWriter, unzigzag, zigzag } from './bytes.js';
import { DamagedError } from './frame.js';
import { JournalRowWriter, openJournalRow, readJournalRow, type RowSeries } from './journal-row.js';
import { readTimeline, writeTimeline } from './timeline.js';
import { NOT_DECIMAL, readValues, writeValues } from './values.js';

function throughValues(values: readonly number[]): { decoded: number[]; bytes: number; digits: number } {
  const writer = new ByteWriter(1);
  const digits = writeValues(writer, Float64Array.from(values));
  const reader = new ByteReader(writer.written());
  const decoded = [...readValues(reader, values.length)];
  expect(reader.ended).toBe(true);
  return { decoded, bytes: writer.length, digits };
}

/** toEqual tells 0 from -0, and so compares doubles bit for bit. */
const expectRoundTrip = (values: readonly number[]): void => {
  expect(throughValues(values).decoded).toEqual(values);
};

const anyDouble = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.constantFrom(
    0,
    -0,
    5e-324,
    -5e-324,
    2 ** -1022,
    Number.MAX_VALUE,
    -Number.MAX_VALUE,
    0.1 + 0.2,
    2 ** 53,
    -(2 ** 50),
  ),
);
const decimal = fc
  .tuple(fc.integer({ min: -(10 ** 9), max: 10 ** 9 }), fc.integer({ min: 0, max: 8 }))
  .map(([scaled, digits]) => scaled / 10 ** digits);
const counter = fc.array(fc.nat({ max: 2 ** 31 - 1 }), { minLength: 1, maxLength: 400 }).map((steps) =>
  steps.map(
    (
      (sum) => (step: number) =>
        (sum += step * 1000)
    )(0),
  ),
);

describe('values', () => {
  it('survive bit for bit, whatever they are', () => {
    fc.assert(fc.property(fc.array(anyDouble, { minLength: 1, maxLength: 300 }), expectRoundTrip));
    fc.assert(fc.property(fc.array(decimal, { minLength: 1, maxLength: 300 }), expectRoundTrip));
    fc.assert(fc.property(counter, expectRoundTrip));
    fc.assert(fc.property(fc.array(fc.oneof(decimal, anyDouble), { minLength: 1, maxLength: 30 }), expectRoundTrip));
    fc.assert(fc.property(fc.maxSafeInteger(), fc.maxSafeInteger(), (a, b) => expectRoundTrip([a, b, a, -b, -a])));
  });

  it('survive in every form', () => {
    expectRoundTrip([7]);
    expectRoundTrip([-0]);
    expectRoundTrip([0, -0]);
    expectRoundTrip([-0, -0, -0]);
    expectRoundTrip([3, 1, 4, 1, 5, 9, 2, 6]);
    expectRoundTrip([1e15, -1e15, 1e15]);
    expectRoundTrip([2 ** 50 - 1, -(2 ** 50) + 1, 2 ** 50 - 1, -(2 ** 50) + 1]);
    expectRoundTrip([Math.PI, Math.E, -Math.PI]);
  });

  it('take few bytes when they are readings', () => {
    const many = (value: (index: number) => number): number =>
      throughValues(Array.from({ length: 360 }, (_, index) => value(index))).bytes;
    expect(many(() => 21.37)).toBe(9);
    expect(many((index) => index * 1000)).toBeLessThan(370);
    expect(many((index) => 20 + (index % 7) / 10)).toBeLessThan(370);
    expect(many((index) => (index * 7919) % 8)).toBeLessThan(370);
  });

  it('tell how many decimal digits they have', () => {
    expect(throughValues([1, 2.5, 3]).digits).toBe(1);
    expect(throughValues([0.000001]).digits).toBe(6);
    expect(throughValues([0.0000001]).digits).toBe(NOT_DECIMAL);
    expect(throughValues([1 / 3, 2]).digits).toBe(NOT_DECIMAL);
  });
});

describe('a timeline', () => {
  it('survives, whatever the times', () => {
    const times = fc.uniqueArray(fc.nat({ max: 3_599_999 }), { maxLength: 500 });
    fc.assert(
      fc.property(times, (unsorted) => {
        const timeline = Uint32Array.from(unsorted).sort();
        const writer = new ByteWriter(1);
        writeTimeline(writer, timeline);
        expect(readTimeline(new ByteReader(writer.written()))).toEqual(timeline);
      }),
    );
  });
});

describe('bytes', () => {
  it('hold every safe integer', () => {
    const integer = fc.oneof(
      fc.maxSafeNat(),
      fc.nat({ max: 300 }),
      fc.constantFrom(2 ** 28, 2 ** 31, 2 ** 32, 2 ** 53 - 1),
    );
    fc.assert(
      fc.property(fc.array(integer), (integers) => {
        const writer = new ByteWriter(1);
        for (const value of integers) writer.varint(value);
        const reader = new ByteReader(writer.written());
        expect(integers.map(() => reader.varint())).toEqual(integers);
        expect(() => reader.byte()).toThrow('unexpected end');
      }),
    );
    fc.assert(fc.property(fc.integer({ min: -(2 ** 52), max: 2 ** 52 - 1 }), (n) => unzigzag(zigzag(n)) === n + 0));
  });
});

describe.each(['plain', 'packed'] as const)('a %s journal row', (form) => {
  const value = fc.oneof(
    anyDouble,
    fc.integer(),
    fc.integer().map((n) => n / 100),
    fc.maxSafeInteger().map((n) => n / 1e6),
  );
  const samples = fc.array(fc.tuple(fc.integer({ min: 1, max: 2 ** 31 }), fc.nat({ max: 4e12 }), value));
  /** As a scrape has them: series in turn, at one time. */
  const scrape = fc
    .array(value)
    .map((values) => values.map((one, index) => [index + 300, 1_700_000_000_000, one] as const));
  const rowOf = (writer: JournalRowWriter, from: readonly (readonly [number, number, number])[]): Uint8Array => {
    writer.reserve(from.length);
    for (const [id, time, value] of from) writer.add(id, time, value);
    return writer.lend(9, form).slice();
  };

  it('gives back the samples in their order, from a writer that is used again', () => {
    const writer = new JournalRowWriter();
    fc.assert(
      fc.property(fc.oneof(samples, scrape), (some) => {
        const { seriesIds, timestamps, values } = readJournalRow(rowOf(writer, some), 9);
        expect(some.map((_, index) => [seriesIds[index], timestamps[index], values[index]])).toEqual(some);
        expect(seriesIds).toHaveLength(some.length);
      }),
    );
  });

  it('is refused when any byte of it changed, or its end is missing', () => {
    const row = rowOf(new JournalRowWriter(), [
      [1, 1_700_000_000_000, 0.5],
      [2, 1_700_000_000_000, -0],
    ]);
    expect(() => readJournalRow(row, 8)).toThrow(DamagedError);
    for (let index = 0; index < row.length; index += 1) {
      const changed = row.slice();
      changed[index] ^= 4;
      expect(() => readJournalRow(changed, 9)).toThrow(DamagedError);
      expect(() => readJournalRow(row.slice(0, index), 9)).toThrow(DamagedError);
    }
  });
});

it('journal rows of either form are read right where series before are known, in memory that comes again', () => {
  const row = fc.record({
    // Mostly in turn, so that rows have the same ones, or begin as others do.
    ids: fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 4 }),
    form: fc.constantFrom('plain' as const, 'packed' as const),
  });
  const writer = new JournalRowWriter();
  const memory = new Uint8Array(200);
  fc.assert(
    fc.property(fc.array(row, { minLength: 2, maxLength: 20 }), (rows) => {
      const known = new Map<number, RowSeries>();
      for (const { ids, form } of rows) {
        writer.reserve(ids.length);
        ids.forEach((id, index) => writer.add(id, 7 + index, id / 4));
        const bytes = writer.lend(9, form);
        memory.fill(0);
        memory.set(bytes);
        const open = openJournalRow(memory.subarray(0, bytes.length), 9, (count) => known.get(count));
        const { timestamps, values } = open.columns();
        expect([...open.series.ids]).toEqual(ids);
        expect([...timestamps]).toEqual(ids.map((_, index) => 7 + index));
        expect([...values]).toEqual(ids.map((id) => id / 4));
        known.set(ids.length, open.series);
      }
    }),
    { numRuns: process.env['DEVICE_METRICS_LONG'] ? 5_000 : 250 },
  );
});
