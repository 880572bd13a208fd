import 'reflect-metadata';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import {
  deviceNameRule,
  labelsRule,
  metricNameRule,
  timeRule,
  unitRule,
  valueRule,
  NamedSeries,
  type Candidate,
  type ColumnCandidates,
} from '@device-metrics/domain';
import { dataSourceOptions, openAccessStore, openSampleStore, type Store } from '@device-metrics/storage';
import fc from 'fast-check';
import { DataSource } from 'typeorm';
import { Rates } from '../access/limits/rates.js';
import { JoinTags } from '../access/collectors/join-tags.js';
import { Arrivals } from '../live/arrivals.js';
import { LiveSamples } from '../live/live-samples.js';
import { ApiMetrics } from '../monitoring/api-metrics.js';
import { readApiSettings } from '../settings.js';
import { Accept } from './accept.js';

let folder: string;
let dataSource: DataSource;
let store: Store;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'accept-'));
  dataSource = await new DataSource(dataSourceOptions(join(folder, 'metrics.db'))).initialize();
  store = await openSampleStore(dataSource);
});
afterAll(async () => {
  await store.close();
  await dataSource.destroy();
  await rm(folder, { recursive: true });
});

const rates = (): Rates => new Rates(readApiSettings({}), { processes: 1 });

const oneOf = (...right: unknown[]): fc.Arbitrary<unknown> =>
  fc.oneof({ weight: 12, arbitrary: fc.constantFrom(...right) }, { weight: 1, arbitrary: fc.anything() });
const now = Date.now();
const candidate: fc.Arbitrary<Candidate> = fc.record({
  deviceName: fc.oneof(oneOf('lab-pc-1', 'rack-ups'), fc.string({ unit: 'binary' })),
  metricName: fc.oneof(oneOf('hw.temperature', 'node_load1'), fc.string()),
  unit: oneOf(undefined, 'Cel', 'By', ''),
  labels: fc.oneof(oneOf({}), fc.dictionary(fc.string(), fc.string())),
  timestamp: oneOf(now, now - 86_400_000, 0, NaN, -1, 1.5, now + 3_600_000, Date.UTC(1999), '2026-01-15T10:00:00Z'),
  value: fc.oneof(fc.double(), oneOf(1, '1', null)),
});

/** What a fast decoder would make of them. */
const columnsOf = (samples: readonly Candidate[]): ColumnCandidates => ({
  series: samples.map((names) => NamedSeries.of(names)),
  timestamps: Float64Array.from(samples, ({ timestamp }) => numberOf(timestamp)),
  values: Float64Array.from(samples, ({ value }) => numberOf(value)),
});
const numberOf = (value: unknown): number => (typeof value === 'number' ? value : NaN);

it('whatever a protocol hands over, what the rules refuse never reaches the store nor its listeners', async () => {
  const live = new LiveSamples();
  live.listen(() => undefined);
  const joinTags = new JoinTags(openAccessStore(dataSource), store);
  const accept = new Accept(store, new ApiMetrics(), live, joinTags, new Arrivals(), rates());
  let kept = 0;

  await fc.assert(
    fc.asyncProperty(fc.array(candidate, { minLength: 1 }), async (samples) => {
      const receipt = await accept.receipt('json');
      // Each by both entrances, which decide alike.
      const { accepted, rejected } = await accept.accept({ samples: samples.map((one) => ({ ...one })) }, receipt);
      expect(accepted + rejected.length).toBe(samples.length);
      const other = await accept.acceptColumns(columnsOf(samples), receipt);
      expect(other.accepted).toBe(accepted);
      expect(other.rejected.map(({ item, field }) => [item, field])).toEqual(
        rejected.map(({ item, field }) => [item, field]),
      );
      kept += accepted;
    }),
    { numRuns: process.env['DEVICE_METRICS_LONG'] ? 1000 : 120 },
  );

  expect(kept).toBeGreaterThan(10);
  const time = timeRule(Date.now, store.oldestTimestamp());
  const wrong: unknown[] = [];
  const check = (...reasons: (string | undefined)[]): void =>
    void wrong.push(...reasons.filter((reason) => reason !== undefined));
  const all = await store.findSeries({});
  for (const { deviceName, metricName, labels, unit } of all) {
    check(
      deviceNameRule(deviceName),
      metricNameRule(metricName),
      labelsRule(labels),
      unit === null ? undefined : unitRule(unit),
    );
  }
  let stored = 0;
  for await (const { timestamps, values } of store.readSamples(all, { start: 0, end: Number.MAX_SAFE_INTEGER })) {
    stored += timestamps.length;
    for (let index = 0; index < timestamps.length; index += 1) check(time(timestamps[index]), valueRule(values[index]));
  }
  for (let number = 1; number <= live.newest; number += 1) {
    for (const { deviceName, value } of live.event(number) ?? []) check(deviceNameRule(deviceName), valueRule(value));
  }
  expect(wrong).toEqual([]);
  expect(stored).toBeGreaterThan(0);
});

it('of items with series beyond what a device may have the others are stored, each whole', async () => {
  const most = 4;
  const limited = await openSampleStore(dataSource, { maxSeriesPerDevice: most, maxNewSeriesPerMinute: 0 });
  const joinTags = new JoinTags(openAccessStore(dataSource), limited);
  const accept = new Accept(limited, new ApiMetrics(), new LiveSamples(), joinTags, new Arrivals(), rates());
  const named = fc.record({ device: fc.constantFrom('a', 'b'), metric: fc.constantFrom('p', 'q', 'r', 's', 't', 'u') });
  const item = fc.record({
    names: fc.array(named, { maxLength: 3 }),
    isWrong: fc.oneof({ weight: 9, arbitrary: fc.constant(false) }, fc.constant(true)),
  });
  let turn = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(item, { minLength: 1, maxLength: 9 }), fc.boolean(), async (items, asColumns) => {
      turn += 1;
      const known = new Map<string, Set<string>>();
      const expected = items.map(({ names, isWrong }) => {
        const after = new Map([...known].map(([device, metrics]) => [device, new Set(metrics)]));
        for (const { device, metric } of names) after.set(device, (after.get(device) ?? new Set<string>()).add(metric));
        if (isWrong && names.length > 0) return 'value';
        if ([...after.values()].some(({ size }) => size > most)) return 'device_name';
        for (const [device, metrics] of after) known.set(device, metrics);
        return undefined;
      });
      const samples = items.flatMap(({ names, isWrong }, at) =>
        names.map(({ device, metric }): Candidate => {
          const value = isWrong ? NaN : at;
          return {
            deviceName: `${device}${turn}`,
            metricName: metric,
            unit: undefined,
            labels: {},
            timestamp: now,
            value,
          };
        }),
      );
      let end = 0;
      const ends = items.map(({ names }) => (end += names.length));
      const receipt = await accept.receipt('json');
      const { accepted, rejected } = await (asColumns
        ? accept.acceptColumns({ ...columnsOf(samples), ends }, receipt)
        : accept.accept({ samples, ends }, receipt));
      const refused = new Map(rejected.map((one) => [one.item, one.field]));
      expect(items.map((_, at) => refused.get(at))).toEqual(expected);
      expect(accepted).toBe(expected.filter((reason) => reason === undefined).length);
      for (const [device, metrics] of known) {
        const series = await limited.findSeries({ devices: [`${device}${turn}`] });
        expect(series.map(({ metricName }) => metricName)).toEqual([...metrics].sort());
      }
    }),
    { numRuns: process.env['DEVICE_METRICS_LONG'] ? 1000 : 80 },
  );
  await limited.close();
});

it('samples go by the clock of the store, and nothing is taken while that is before the year 2000', async () => {
  const clock = jest.spyOn(store, 'now');
  const accept = new Accept(
    store,
    new ApiMetrics(),
    new LiveSamples(),
    new JoinTags(openAccessStore(dataSource), store),
    new Arrivals(),
    rates(),
  );
  clock.mockReturnValueOnce(86_400_000);
  await expect(accept.receipt('json')).rejects.toThrow('The clock of the server says 1970-01-02');
  clock.mockReturnValueOnce(Date.UTC(2050));
  expect(await accept.receipt('json')).toMatchObject({ receivedAt: Date.UTC(2050) });
  expect((await accept.receipt('json')).receivedAt).toBeGreaterThan(Date.UTC(2026));
  clock.mockRestore();
});
