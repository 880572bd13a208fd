import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { HOUR, parseAggregation, type Aggregation, type Series, type TimeRange } from '@device-metrics/domain';
import { dataSourceOptions, openDataSource, openSampleStore, type SampleStore } from '@device-metrics/storage';
import type { Database } from 'better-sqlite3';
import { NO_LIMIT } from './cost.js';
import { lastBefore } from './look-back.js';
import { plan } from './plan.js';
import { read } from './read.js';

const NOW = 490_000 * HOUR;

/** A store that says of each series when its only samples are, and what it is asked for. */
function storeOf(samples: ReadonlyMap<Series, readonly number[]>) {
  const asked: { series: number; hours: number }[] = [];
  const store = {
    latest: async (series: readonly Series[]) =>
      series.flatMap((one) => {
        const timestamp = samples.get(one)?.at(-1);
        return timestamp === undefined ? [] : [{ series: one, timestamp, value: timestamp }];
      }),
    summarize: async (series: readonly Series[], { start, end }: TimeRange) => {
      asked.push({ series: series.length, hours: (end - start) / HOUR });
      return series.flatMap((one) => {
        const last = samples.get(one)?.findLast((time) => time >= start && time < end);
        return last === undefined ? [] : [{ series: one, summary: { last, lastTime: last } }];
      });
    },
    readSamples: () => {
      throw new Error('reads samples');
    },
  };
  return { store: store as unknown as SampleStore, asked };
}

const seriesAt = (count: number): Series[] =>
  Array.from({ length: count }, (_, id) => ({ id, deviceName: 'pc', metricName: 'm', labels: {}, unit: null }));

it('series that have been silent cost their latest sample and nothing else', async () => {
  const series = seriesAt(1000);
  const { store, asked } = storeOf(new Map(series.map((one, index) => [one, [NOW - (index + 1) * 5 * HOUR]])));
  expect((await lastBefore(store, series, NOW)).size).toBe(1000);
  expect(asked).toEqual([]);
});

it('series that go on are looked for hour by hour at first, and no hour twice', async () => {
  const series = seriesAt(100);
  // All but one have a sample in the hour before; that one has its last a month before.
  const samples = new Map(
    series.map((one, index) => [one, [NOW - (index === 7 ? 720 * HOUR : 60_000), NOW + HOUR]] as const),
  );
  const { store, asked } = storeOf(samples);
  expect((await lastBefore(store, series, NOW)).size).toBe(100);
  expect(asked[0]).toEqual({ series: 100, hours: 1 });
  expect(asked.slice(1).every((one) => one.series === 1)).toBe(true);
  // Summaries of 1,024 hours of one series, and of one hour of the others: no samples, and not years.
  expect(asked.reduce((sum, one) => sum + one.series * one.hours, 0)).toBe(100 + 1023);
});

it('a series that never was is given up after 400 days', async () => {
  const [one] = seriesAt(1) as [Series];
  const { store, asked } = storeOf(new Map([[one, [NOW + HOUR]]]));
  expect((await lastBefore(store, [one], NOW)).size).toBe(0);
  expect(asked.reduce((sum, { hours }) => sum + hours, 0)).toBe(9600);
  expect(asked.length).toBeLessThanOrEqual(8);
});

it('of years in a file only the last summaries are read: all else is broken, and nobody sees it', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'look-back-'));
  const dataSource = await openDataSource(dataSourceOptions(join(folder, 'metrics.db')));
  let now = NOW;
  const settings = { now: () => now, sealInterval: 0, rawRetention: 0, hourlyRetention: 0 };
  const store = await openSampleStore(dataSource, settings);
  try {
    // Read once a day for three years, 10 more each time; before the day of the report nobody came for 9 days.
    const day = 24 * HOUR;
    const days = Array.from({ length: 3 * 365 }, (_, index) => index - 3 * 365).filter((each) => each < -9);
    const readings = [...days, 0, 1].map((each) => [NOW + each * day, 20_000 + 10 * each] as const);
    const meter = { deviceName: 'meter', metricName: 'energy', unit: undefined, labels: {} };
    await store.append(readings.map(([timestamp, value]) => ({ ...meter, timestamp, value })));
    now += 3 * day;
    await store.maintain();
    const [series] = (await store.findSeries({})) as [Series];

    const db = (dataSource.driver as unknown as { databaseConnection: Database }).databaseConnection;
    // Chunks are numbered by the hour within a device.
    const last = db
      .prepare<[], number>('SELECT id FROM chunk ORDER BY id DESC LIMIT 1 OFFSET 2')
      .pluck()
      .get() as number;
    expect(db.prepare("UPDATE chunk SET data = x'00' WHERE id <= ?").run(last).changes).toBe(days.length);
    expect(db.prepare("UPDATE chunk SET stats = x'00' WHERE id < ?").run(last).changes).toBe(days.length - 1);

    const range = { start: NOW, end: NOW + day };
    const names = ['increase'];
    const aggregations = names.map((name) => parseAggregation(name) as Aggregation);
    const steps = { length: day, bounds: [range.start, range.end], names, aggregations, fill: 'none' as const };
    const grown: unknown[] = [];
    for await (const table of read(store, await plan(store, { series: [series], range, steps }, NO_LIMIT))) {
      grown.push(table.columns[0]?.[0]);
    }
    expect(grown).toEqual([100]);
    expect((await store.health()).damaged).toBe(0);
    // Whoever reads more meets what is broken.
    await store.summarize([series], { start: NOW - 400 * day, end: NOW });
    expect((await store.health()).damaged).toBeGreaterThan(0);
  } finally {
    await store.close();
    await dataSource.destroy();
    await rm(folder, { recursive: true });
  }
});
