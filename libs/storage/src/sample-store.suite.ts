import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Labels, Sample, TimeRange } from '@device-metrics/domain';
import type { SampleStore, SeriesFilter } from './sample-store.js';

/** Opens a store over the file at `path`; `close` closes the store and lets go of the file, and may be called twice. */
export type OpenStore = (path: string) => Promise<{ store: SampleStore; close: () => Promise<void> }>;

const T0 = Date.UTC(2026, 0, 15, 10);
const ALWAYS: TimeRange = { start: 0, end: 8.64e15 };

const sample = (timestamp: number, value: number, more: Partial<Sample> = {}): Sample => ({
  deviceName: 'pc',
  metricName: 'load',
  labels: {},
  unit: undefined,
  timestamp,
  value,
  ...more,
});

/** What every implementation of `SampleStore` promises. */
export function sampleStoreSuite(name: string, open: OpenStore): void {
  describe(name, () => {
    let folder: string;
    let path: string;
    let store: SampleStore;
    let close: () => Promise<void>;
    beforeEach(async () => {
      folder = mkdtempSync(join(tmpdir(), 'device-metrics-store-'));
      path = join(folder, 'metrics.db');
      ({ store, close } = await open(path));
    });
    afterEach(async () => {
      await close();
      rmSync(folder, { recursive: true });
    });

    /** `[timestamp, value]` of all samples of all matching series, in the order in which the store gives them. */
    async function read(range: TimeRange = ALWAYS, filter: SeriesFilter = {}): Promise<[number, number][]> {
      const samples: [number, number][] = [];
      for await (const { timestamps, values } of store.readSamples(await store.findSeries(filter), range)) {
        for (let index = 0; index < timestamps.length; index += 1) {
          samples.push([timestamps[index] as number, values[index] as number]);
        }
      }
      return samples;
    }

    it('is empty at first', async () => {
      expect(await store.findSeries({})).toEqual([]);
      expect(await read()).toEqual([]);
      expect(await store.summarize([], ALWAYS)).toEqual([]);
      await store.append([]);
      await store.ping();
    });

    it('gives samples in order of time, however they came', async () => {
      await store.append([sample(T0 + 3, 3), sample(T0 + 1, 1)]);
      await store.append([sample(T0 + 2, 2), sample(T0, 0), sample(T0 - 7 * 86_400_000, -1)]);

      expect((await read()).map(([, value]) => value)).toEqual([-1, 0, 1, 2, 3]);
    });

    it('includes the start of a range and excludes its end', async () => {
      await store.append([0, 1, 2, 3].map((i) => sample(T0 + i, i)));

      expect(await read({ start: T0 + 1, end: T0 + 3 })).toEqual([
        [T0 + 1, 1],
        [T0 + 2, 2],
      ]);
      expect(await read({ start: T0 + 4, end: T0 + 9 })).toEqual([]);
    });

    it('keeps the last write of a timestamp, also within one call', async () => {
      await store.append([sample(T0, 1), sample(T0 + 1, 1)]);
      await store.append([sample(T0, 2), sample(T0, 3)]);

      expect(await read()).toEqual([
        [T0, 3],
        [T0 + 1, 1],
      ]);
    });

    it('is not changed by a resend', async () => {
      const samples = Array.from({ length: 500 }, (_, i) => sample(T0 + i * 60_000, i));
      await store.append(samples);
      const before = await read();
      await store.append(samples);
      await store.append(samples.slice(100, 200));

      expect(await read()).toEqual(before);
      expect((await store.summarize(await store.findSeries({}), ALWAYS))[0]?.summary.count).toBe(500);
    });

    it('keeps every double and every millisecond as it was', async () => {
      const values = [0, 5e-324, -2.2250738585072014e-308, Number.MAX_VALUE, -Number.MAX_VALUE, 0.1, 1 / 3, 2 ** 53];
      await store.append(values.map((value, i) => sample(T0 + i * 777, value)));

      const samples = await read();
      expect(samples.map(([, value]) => value)).toEqual(values);
      expect(samples.map(([timestamp]) => timestamp)).toEqual(values.map((_, i) => T0 + i * 777));
    });

    it('tells series apart by device, metric and labels, and labels by content', async () => {
      const labels: Labels[] = [{}, { cpu: '0' }, { cpu: '1' }, { cpu: '1', mode: 'user' }, { cpu: '' }];
      await store.append(labels.map((l, i) => sample(T0, i, { labels: l })));
      await store.append([
        sample(T0 + 1, 9, { labels: { mode: 'user', cpu: '1' } }),
        sample(T0, 7, { deviceName: 'ups' }),
        sample(T0, 8, { metricName: 'idle' }),
      ]);

      const series = await store.findSeries({});
      expect(series.map((s) => [s.deviceName, s.metricName, s.labels])).toEqual([
        ['pc', 'idle', {}],
        ['pc', 'load', { cpu: '' }],
        ['pc', 'load', { cpu: '0' }],
        ['pc', 'load', { cpu: '1', mode: 'user' }],
        ['pc', 'load', { cpu: '1' }],
        ['pc', 'load', {}],
        ['ups', 'load', {}],
      ]);
      expect(await store.findSeries({ deviceName: 'ups' })).toHaveLength(1);
      expect(await store.findSeries({ deviceName: 'pc', metricName: 'load' })).toHaveLength(5);
      expect(await store.findSeries({ deviceName: 'nobody' })).toEqual([]);
      expect(await read({ start: T0 + 1, end: T0 + 2 })).toEqual([[T0 + 1, 9]]);
    });

    it('takes the unit of the sample, else of the metric catalogue; the last one said counts', async () => {
      const unit = async (metricName: string): Promise<unknown> => (await store.findSeries({ metricName }))[0]?.unit;
      await store.append([
        sample(T0, 1, { metricName: 'hw.temperature' }),
        sample(T0, 1, { metricName: 'own', unit: 'By' }),
        sample(T0, 1, { metricName: 'unsaid' }),
      ]);
      expect([await unit('hw.temperature'), await unit('own'), await unit('unsaid')]).toEqual(['Cel', 'By', null]);

      await store.append([
        sample(T0 + 1, 1, { metricName: 'own', unit: 'bit' }),
        sample(T0 + 2, 1, { metricName: 'own' }),
      ]);
      expect(await unit('own')).toBe('bit');
    });

    it('summarizes each series over the range', async () => {
      await store.append([
        ...[5, -1, 4, 8].map((value, i) => sample(T0 + i * 60_000, value)),
        sample(T0, 1, { deviceName: 'ups' }),
      ]);
      const series = await store.findSeries({});
      const summaries = await store.summarize(series, { start: T0, end: T0 + 180_000 });

      expect(summaries.map(({ series: { deviceName }, summary }) => [deviceName, summary])).toEqual([
        ['pc', { count: 3, min: -1, max: 5, sum: 8, first: 5, firstTime: T0, last: 4, lastTime: T0 + 120_000 }],
        ['ups', { count: 1, min: 1, max: 1, sum: 1, first: 1, firstTime: T0, last: 1, lastTime: T0 }],
      ]);
      expect(await store.summarize(series.slice(1), { start: T0 + 1, end: T0 + 2 })).toEqual([]);
    });

    it('holds all that was acknowledged when the file is opened again', async () => {
      await Promise.all(
        Array.from({ length: 20 }, (_, i) =>
          store.append([sample(T0 + i, i, { labels: { i: `${i % 3}` }, unit: 'By' })]),
        ),
      );
      const before = { samples: await read(), series: await store.findSeries({}) };
      await close();
      ({ store, close } = await open(path));

      expect({ samples: await read(), series: await store.findSeries({}) }).toEqual(before);
      expect(before.samples).toHaveLength(20);
    });

    it('rejects every call once it is closed', async () => {
      const pending = store.append([sample(T0, 1)]);
      await store.close();
      await pending;

      await expect(store.append([sample(T0, 1)])).rejects.toThrow('closed');
      await expect(store.findSeries({})).rejects.toThrow('closed');
      await expect(store.ping()).rejects.toThrow('closed');
      await close();
      ({ store, close } = await open(path));
      expect(await read()).toEqual([[T0, 1]]);
    });
  });
}
