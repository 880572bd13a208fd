import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Series } from '@device-metrics/domain';
import { dataSourceOptions, openSampleStore, type Store } from '@device-metrics/storage';
import { DataSource } from 'typeorm';
import { HOUR } from '@device-metrics/domain';
import { rawTables } from './raw-tables.js';
import type { Position } from './series-table.js';

const START = Date.UTC(2026, 0, 1);
const RANGE = { start: START - 10 * HOUR + 7, end: START + 100 * HOUR };
let folder: string;
let dataSource: DataSource;
let store: Store;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'device-metrics-raw-'));
  dataSource = await new DataSource(dataSourceOptions(join(folder, 'metrics.db'))).initialize();
  store = await openSampleStore(dataSource, { rawRetention: 0, hourlyRetention: 0 });
  const run = (metricName: string, count: number, gap: number) =>
    Array.from({ length: count }, (_, index) => ({
      ...{ deviceName: 'pc', metricName, unit: undefined, labels: {} },
      ...{ timestamp: START + index * gap, value: index },
    }));
  // A busy hour among quiet ones.
  await store.append([...run('a', 10, HOUR), ...run('b', 50, HOUR), ...run('b', 60, 60_000), ...run('c', 3, 1)]);
  await store.maintain();
  await store.append(run('d', 20, HOUR));
});
afterAll(async () => {
  await store.close();
  await dataSource.destroy();
  await rm(folder, { recursive: true });
});

const countsOf = async (series: readonly Series[]) =>
  (await store.summarize(series, RANGE)).map(({ series, summary }) => ({ series, count: summary.count }));

async function tables(atOnce: number | undefined, after?: Position) {
  const counts = await countsOf(await store.findSeries({}));
  const read: [string, number, number[]][] = [];
  for await (const table of rawTables(store, counts, RANGE, after, atOnce)) {
    const values = Array.from(table.timestamps, (time, row) => time + (table.columns[0]?.[row] ?? NaN) / 1000);
    read.push([table.series.metricName, values.length, values]);
  }
  return read;
}

describe('the samples of one series after the other', () => {
  it.each([1, 7, 20, 60, 109, 1000])('are the same when at most %i are in memory', async (atOnce) => {
    const whole = await tables(undefined);
    expect(whole.map(([name, count]) => [name, count])).toEqual([
      ['a', 10],
      ['b', 109],
      ['c', 3],
      ['d', 20],
    ]);

    const parts = await tables(atOnce);
    const joined = whole.map(([name]) => parts.filter(([of]) => of === name).flatMap(([, , values]) => values));
    expect(joined).toEqual(whole.map(([, , values]) => values));
    // A single hour comes as a whole.
    expect(Math.max(...parts.map(([, count]) => count))).toBeLessThanOrEqual(Math.max(atOnce, 60));
    if (atOnce < 60) expect(parts.length).toBeGreaterThan(whole.length);
  });

  it('begin after the cursor', async () => {
    const [, b] = await store.findSeries({});
    const series = await store.findSeries({});
    const from = await countsOf(series.slice(1));
    const cursor = { seriesId: b?.id ?? NaN, timestamp: START + 47 * HOUR };
    const counts: [string, number][] = [];
    for await (const table of rawTables(store, from, RANGE, cursor, 1)) {
      counts.push([table.series.metricName, table.timestamps.length]);
    }
    expect(counts.slice(0, 3)).toEqual([
      ['b', 1],
      ['b', 1],
      ['c', 3],
    ]);
  });
});
