import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { DAY, HOUR, type Series, type TimeRange } from '@device-metrics/domain';
import { dataSourceOptions, openDataSource, openSampleStore, type Store } from '@device-metrics/storage';
import fc from 'fast-check';
import { ReadingTimes } from './reading-times.js';

const START = 490_000 * HOUR;
const MINUTE = 60_000;

type Step =
  | { readonly kind: 'samples'; readonly device: number; readonly from: number; readonly count: number }
  | { readonly kind: 'look'; readonly start: number; readonly length: number }
  | { readonly kind: 'seal' };

/** Minutes since the start. */
const minute = fc.integer({ min: 0, max: 3 * 24 * 60 });
const steps = fc.array(
  fc.oneof(
    fc.record({
      kind: fc.constant('samples' as const),
      device: fc.integer({ min: 0, max: 2 }),
      from: minute,
      count: fc.integer({ min: 1, max: 200 }),
    }),
    fc.record({ kind: fc.constant('look' as const), start: minute, length: fc.integer({ min: 1, max: 2_000 }) }),
    fc.record({ kind: fc.constant('seal' as const) }),
  ),
  { minLength: 5, maxLength: 40 },
);

it('gives the times that a store has, whatever came since it was asked before', async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (all) => {
      await withStore(async (store, sealAll) => {
        const times = new ReadingTimes(store);
        for (const step of all) await take(step, store, times, sealAll);
      });
    }),
    { numRuns: process.env['DEVICE_METRICS_LONG'] ? 200 : 6 },
  );
});

async function take(step: Step, store: Store, times: ReadingTimes, sealAll: () => Promise<void>): Promise<void> {
  if (step.kind === 'seal') return sealAll();
  if (step.kind === 'samples') {
    const series = { deviceName: `pc-${step.device}`, metricName: 'm', unit: undefined, labels: {} };
    const samples = Array.from({ length: step.count }, (_, index) => ({
      ...series,
      timestamp: START + (step.from + index) * MINUTE + (index % 3),
      value: index,
    }));
    await store.append(samples);
    return;
  }
  const range = { start: START + step.start * MINUTE, end: START + (step.start + step.length) * MINUTE };
  const series = await store.findSeries({});
  expect(await timesOf(times.read(series, range))).toEqual(await timesOf(store.readSamples(series, range)));
}

it('forgets nothing that goes on being asked for, and reads no hour of it again', async () => {
  await withStore(async (store, sealAll) => {
    const series = { deviceName: 'pc', metricName: 'm', unit: undefined, labels: {} };
    const samples = Array.from({ length: 1_440 }, (_, index) => ({
      ...series,
      timestamp: START + index * MINUTE,
      value: 1,
    }));
    await store.append(samples);
    await sealAll();
    const read: TimeRange[] = [];
    const watched = Object.create(store) as Store;
    watched.readSamples = (some, range, options) => {
      read.push(range);
      return store.readSamples(some, range, options);
    };
    const times = new ReadingTimes(watched);
    const all = await store.findSeries({});
    const range = { start: START + MINUTE, end: START + DAY - 90 * MINUTE };
    const counts: number[] = [];
    for (let look = 0; look < 3; look += 1) {
      for await (const { timestamps } of times.read(all, { ...range, start: range.start + look }))
        counts.push(timestamps.length);
    }
    expect(counts).toEqual([1_349, 1_348, 1_348]);
    expect(read.map(({ start }) => (start - START) / HOUR)).toEqual([0, 22, 22]);
    await store.append([{ ...series, timestamp: START + 20 * HOUR + 1, value: 1 }]);
    for await (const { timestamps } of times.read(all, range)) counts.push(timestamps.length);
    expect(counts.at(-1)).toBe(1_350);
    expect(read.at(-1)?.start).toBe(START + 20 * HOUR);
  });
});

async function timesOf(
  found: AsyncIterable<{ readonly series: Series; readonly timestamps: ArrayLike<number> }>,
): Promise<Record<string, number[]>> {
  const times: Record<string, number[]> = {};
  for await (const { series, timestamps } of found) times[series.deviceName] = Array.from(timestamps);
  return times;
}

async function withStore(act: (store: Store, sealAll: () => Promise<void>) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'reading-times-'));
  const dataSource = await openDataSource(dataSourceOptions(join(folder, 'metrics.db')));
  let now = START + 3 * DAY;
  const store = await openSampleStore(dataSource, { now: () => now, sealInterval: 0, sealDelay: 0 });
  try {
    await act(store, async () => {
      now += HOUR;
      await store.maintain();
    });
  } finally {
    await store.close();
    await dataSource.destroy();
    await rm(folder, { recursive: true });
  }
}
