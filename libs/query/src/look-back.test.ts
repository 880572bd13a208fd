import { expect, it } from '@jest/globals';
import type { Series, TimeRange } from '@device-metrics/domain';
import type { SampleStore } from '@device-metrics/storage';
import { lastBefore } from './look-back.js';

const HOUR = 3_600_000;
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
