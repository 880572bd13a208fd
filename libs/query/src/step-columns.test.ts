import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { HOUR, DAY, parseAggregation, type Aggregation } from '@device-metrics/domain';
import { dataSourceOptions, openSampleStore, type Store } from '@device-metrics/storage';
import fc from 'fast-check';
import { DataSource } from 'typeorm';
import { lastBefore } from './look-back.js';
import { columnsOfSamples, columnsOfSummaries, type SampleSteps, type SummaryKind } from './step-columns.js';

const START = Date.UTC(2026, 0, 1);
let now = START + HOUR;
let folder: string;
let dataSource: DataSource;
let store: Store;
const TIMES = 300;

/** Of each series a sample in most steps of ten minutes, with gaps of hours and counters that start again. */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'device-metrics-steps-'));
  dataSource = await new DataSource(dataSourceOptions(join(folder, 'metrics.db'))).initialize();
  store = await openSampleStore(dataSource, { now: () => now, sealInterval: 0, rawRetention: DAY, hourlyRetention: 0 });
  const [gaps] = fc.sample(fc.array(fc.nat({ max: TIMES }), { minLength: 6, maxLength: 6 }), { numRuns: 1, seed: 7 });
  const metrics = ['a', 'b', 'c'].map((metricName, metric) =>
    Array.from({ length: TIMES }, (_, index) => ({
      ...{ deviceName: 'pc', metricName, unit: undefined, labels: {} },
      ...{ timestamp: START + index * 600_000 + metric, value: (index * (metric + 1)) % 70 },
    })).filter((_, index) => !gaps?.some((gap) => index >= gap && index < gap + 20 * metric)),
  );
  await store.append(metrics.flat());
  // The first 27 hours lose their samples.
  now = START + 51 * HOUR;
  await store.maintain();
});
afterAll(async () => {
  await store.close();
  await dataSource.destroy();
  await rm(folder, { recursive: true });
});

const columns = async (wanted: SampleSteps, atOnce: number | undefined): Promise<Record<string, unknown>> => {
  const found: Record<string, unknown> = {};
  const range = { start: Math.floor((wanted.bounds[0] as number) / HOUR) * HOUR, end: wanted.bounds.at(-1) as number };
  const summaries = await store.summarize(await store.findSeries({}), range);
  const counts = summaries.map(({ series, summary }) => ({ series, count: summary.count }));
  for await (const one of columnsOfSamples(store, counts, wanted, atOnce)) {
    if (one.columns.flat().some((value) => value !== null)) found[one.series.metricName] = one.columns;
  }
  return found;
};

it('the columns of steps are the same, however few samples are in memory at a time', async () => {
  let said = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: -5, max: 40 }),
      fc.constantFrom(60_000, 1_000_000, HOUR, 5 * HOUR, DAY),
      fc.integer({ min: 1, max: 60 }),
      fc.constantFrom<string[]>(['increase', 'rate'], ['sum', 'p50', 'last'], ['count', 'increase']),
      fc.constantFrom(1, 3, 10, 40, 150, 400),
      async (from, step, steps, names, atOnce) => {
        const bounds = Array.from({ length: steps + 1 }, (_, index) => START + from * HOUR + index * step);
        const aggregations = names.map((name) => parseAggregation(name) as Aggregation);
        const series = await store.findSeries({});
        const growsFrom = await lastBefore(store, series, Math.floor((bounds[0] as number) / HOUR) * HOUR);
        const wanted = { bounds, aggregations, growth: names.includes('increase'), growsFrom };
        const whole = await columns(wanted, undefined);
        expect(await columns(wanted, atOnce)).toEqual(whole);
        said += Object.keys(whole).length;
      },
    ),
    { numRuns: process.env['DEVICE_METRICS_LONG'] ? 500 : 70 },
  );
  expect(said).toBeGreaterThan(100);
});

it('of whole hours the columns are the same from summaries, also of counters that start again', async () => {
  let said = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: -5, max: 40 }),
      fc.constantFrom(HOUR, 2 * HOUR, 5 * HOUR, DAY),
      fc.integer({ min: 1, max: 30 }),
      fc.constantFrom<SummaryKind[]>(['increase', 'rate'], ['rate', 'mean', 'last'], ['increase', 'first', 'count']),
      fc.boolean(),
      async (from, step, steps, kinds, byHours) => {
        const bounds = Array.from({ length: steps + 1 }, (_, index) => START + from * HOUR + index * step);
        const series = await store.findSeries({});
        // What is not about growth has no samples where only summaries are left.
        const plain = kinds.some((kind) => kind !== 'rate' && kind !== 'increase');
        const wanted = plain ? bounds.filter((bound) => bound >= START + 27 * HOUR) : bounds;
        if (wanted.length < 2) return;
        const growsFrom = await lastBefore(store, series, wanted[0] as number);
        const aggregations = kinds.map((kind): Aggregation => ({ kind }));
        const expected = await columns({ bounds: wanted, aggregations, growth: true, growsFrom }, undefined);
        const found: Record<string, unknown> = {};
        const query = { bounds: wanted, kinds, piece: byHours ? HOUR : step, growsFrom };
        for await (const one of columnsOfSummaries(store, series, query)) {
          if (one.columns.flat().some((value) => value !== null)) found[one.series.metricName] = one.columns;
        }
        expect(found).toEqual(expected);
        said += Object.keys(found).length;
      },
    ),
    { numRuns: 200 },
  );
  expect(said).toBeGreaterThan(300);
});
