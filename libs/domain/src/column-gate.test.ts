import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { passColumns, PassingColumns, type ColumnCandidates } from './column-gate.js';
import { NamedSeries, SeriesGroup } from './named-series.js';
import { eachSample } from './sample-columns.js';
import { passSamples, PassingSamples, type Candidate, type Receipt } from './sample-gate.js';

const now = Date.UTC(2026, 0, 15);
const stored = new Map<unknown, string | null>([
  ['hw.temperature', 'Cel'],
  ['node_load1', null],
]);
const receipt: Receipt = {
  receivedAt: now,
  oldest: Date.UTC(2025, 11, 1),
  deviceOf: (name) => ({ foreign: { refused: 'is not yours' }, 'lab-pc-1': 'pc' })[name] ?? name,
  unitOf: ({ metricName }) => stored.get(metricName),
  hasUnits: ({ series }) =>
    series.every(({ metricName, unit }) => unit === undefined || unit === stored.get(metricName)),
};

const candidate: fc.Arbitrary<Candidate & { timestamp: number; value: number }> = fc.record({
  deviceName: fc.constantFrom<unknown>('lab-pc-1', 'Ku\u0308che 2', 'foreign', ' ends', '', 7),
  metricName: fc.constantFrom<unknown>('hw.temperature', 'node_load1', 'new', '1st'),
  unit: fc.constantFrom<unknown>(undefined, 'Cel', '[degF]', 'By', ''),
  labels: fc.constantFrom<unknown>({}, { cpu: '0' }, { e: 'e\u0301' }, { 'a\nb': '' }, []),
  timestamp: fc.oneof(
    fc.integer({ min: Date.UTC(2025, 10), max: Date.UTC(2026, 1) }),
    fc.constantFrom(
      NaN,
      Infinity,
      -1,
      now + 0.5,
      0,
      now,
      now + 600_000,
      now + 600_001,
      receipt.oldest,
      receipt.oldest - 1,
    ),
  ),
  value: fc.oneof(fc.double(), fc.constantFrom(1.7e308, -1.7e308, -0, NaN)),
});
const weighted = fc.oneof(
  { weight: 3, arbitrary: candidate },
  {
    weight: 5,
    arbitrary: candidate.map((one) => ({ ...one, deviceName: 'pc-2', labels: {}, unit: undefined, timestamp: now })),
  },
);

/** What a decoder hands over that knows each series by its fields. */
function columnsOf(samples: readonly (Candidate & { timestamp: number; value: number })[]): ColumnCandidates {
  const known = new Map<string, NamedSeries>();
  const seriesOf = (names: Candidate): NamedSeries => {
    const { deviceName, metricName, unit, labels } = names;
    const key = JSON.stringify([deviceName, metricName, unit, labels]);
    const series = known.get(key) ?? NamedSeries.of(names);
    known.set(key, series);
    return series;
  };
  return {
    series: samples.map(seriesOf),
    timestamps: Float64Array.from(samples, ({ timestamp }) => timestamp),
    values: Float64Array.from(samples, ({ value }) => value),
  };
}

/** One sample at a time. */
function passed<T>(passing: { pass: (most: number) => boolean; finish: () => T }): T {
  while (passing.pass(1));
  return passing.finish();
}

describe('the entrance for columns', () => {
  it('decides as the gate does for single samples, with the same reasons, item by item', () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(weighted, { maxLength: 3 })),
        fc.boolean(),
        fc.boolean(),
        fc.boolean(),
        (items, asItems, bySlices, inGroups) => {
          let end = 0;
          const ends = items.map((item) => (end += item.length));
          const samples = items.flat();
          const columns = columnsOf(samples);
          const sampleItems = { samples: samples.map((one) => ({ ...one })), ...(asItems && { ends }) };
          const groups = inGroups ? columns.series.map((one) => new SeriesGroup([one])) : undefined;
          const columnItems = { ...columns, groups, ...(asItems && { ends }) };
          const [slow, fast] = bySlices
            ? [passed(new PassingSamples(sampleItems, receipt)), passed(new PassingColumns(columnItems, receipt))]
            : [passSamples(sampleItems, receipt), passColumns(columnItems, receipt)];

          expect(fast.refused.map(({ named, ...refusal }) => named && refusal)).toEqual(slow.refused);
          expect(eachSample(fast.samples)).toEqual(slow.samples);
          expect(fast.samples.timestamps).toHaveLength(slow.samples.length);
          expect(fast.samples.values).toHaveLength(slow.samples.length);
          const ofGroups = fast.samples.groups?.flatMap(({ series }) => series) ?? fast.samples.series;
          expect(ofGroups).toEqual(fast.samples.series);
        },
      ),
      { numRuns: process.env['DEVICE_METRICS_LONG'] ? 3_000 : 150 },
    );
  });

  it('names the unit that a new series of a renamed device has', () => {
    const reading = { deviceName: 'lab-pc-1', metricName: 'new', labels: {}, timestamp: now, value: 1 };
    const { refused } = passColumns(
      columnsOf([
        { ...reading, unit: 'By' },
        { ...reading, unit: 'Cel' },
      ]),
      receipt,
    );
    expect(refused).toMatchObject([{ item: 1, field: 'unit', reason: expect.stringContaining('"By"') }]);
  });

  it('passes whole groups as they are, unless something is to be said of one of their samples', () => {
    const candidates = (deviceName: string, values: number[]): ColumnCandidates => {
      const series = ['a', 'b'].map((metricName) =>
        NamedSeries.of({ deviceName, metricName, unit: undefined, labels: {} }),
      );
      const groups = [new SeriesGroup(series)];
      return { series, timestamps: Float64Array.of(now, now), values: Float64Array.from(values), groups };
    };
    expect(passColumns(candidates('pc', [1, 2]), receipt).samples.groups).toHaveLength(1);
    expect(passColumns(candidates('foreign', [1, 2]), receipt).samples.groups).toBeUndefined();
    const { samples, refused } = passColumns(candidates('pc', [1, Infinity]), receipt);
    expect([samples.groups, samples.series, refused]).toMatchObject([undefined, [{ metricName: 'a' }], [{ item: 1 }]]);
  });

  it('passes groups that say units as they are where their series have them, and converts where one has another', () => {
    const passedIn = (unit: string): unknown[] => {
      const series = [NamedSeries.of({ deviceName: 'pc', metricName: 'hw.temperature', unit, labels: {} })];
      const groups = [new SeriesGroup(series)];
      const candidates = { series, timestamps: Float64Array.of(now), values: Float64Array.of(50), groups };
      const { samples } = passColumns(candidates, receipt);
      return [samples.groups?.length, samples.series[0]?.unit, samples.values[0]];
    };
    expect(passedIn('Cel')).toEqual([1, 'Cel', 50]);
    expect(passedIn('[degF]')).toEqual([undefined, 'Cel', expect.closeTo(10)]);
  });

  it('cannot be given a series whose names were changed after they were checked', () => {
    const labels = { cpu: '0' };
    const series = NamedSeries.of({ deviceName: 'pc', metricName: 'm', unit: undefined, labels });
    labels.cpu = 'a\nb';
    expect(series.labels).toEqual({ cpu: '0' });
    expect(() => Object.assign(series.labels, { cpu: '1' })).toThrow(TypeError);
  });
});
