import { isDeepStrictEqual } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  HOUR,
  like,
  NamedSeries,
  ColumnsOfGroups,
  SeriesGroup,
  type Labels,
  type Sample,
  type SampleColumns,
  type Selector,
  type TimeRange,
} from '@device-metrics/domain';
import { TooManySeriesError, type DeviceDescription, type Store } from './store.js';
import { dialects, type OpenStore } from './testing/dialects.js';
import { summariesInParts } from './testing/test-store.js';

const T0 = Date.UTC(2026, 0, 15, 10);
const EVER: TimeRange = { start: 0, end: T0 + 1000 * HOUR };

interface SampleParts {
  device?: string;
  metric?: string;
  unit?: string;
  labels?: Labels;
}

const sample = (timestamp: number, value: number, parts: SampleParts = {}): Sample => ({
  deviceName: parts.device ?? 'lab-pc-1',
  metricName: parts.metric ?? 'hw.temperature',
  unit: parts.unit,
  labels: parts.labels ?? {},
  timestamp,
  value,
});

const named = (deviceName: string, metricName = 'm', labels: Labels = {}, unit?: string): NamedSeries =>
  NamedSeries.of({ deviceName, metricName, unit, labels });

const columns = (...samples: [NamedSeries, number, number][]): SampleColumns => ({
  series: samples.map(([series]) => series),
  timestamps: Float64Array.from(samples, ([, time]) => time),
  values: Float64Array.from(samples, ([, , value]) => value),
});

const LONG_BEFORE = Date.UTC(2025, 0);
const LONG_AFTER = Date.UTC(2027, 0);

/** Where the samples are when they are read. */
const PLACES: { place: string; settings: { now: number; maintains?: boolean; maxOpenSamples?: number } }[] = [
  { place: 'in memory', settings: { now: LONG_BEFORE } },
  // Before their hour is over.
  { place: 'in parts', settings: { now: LONG_BEFORE, maintains: true, maxOpenSamples: 0 } },
  { place: 'in chunks', settings: { now: LONG_AFTER, maintains: true } },
];

/** What every store must do. */
describe.each(dialects)('$name', (dialect) => {
  describe.each(PLACES)('with all samples $place', ({ settings: { now, maintains, maxOpenSamples } }) => {
    let opened: OpenStore;
    let store: Store;

    beforeEach(async () => {
      opened = await dialect.open({
        now: () => now,
        rawRetention: 0,
        hourlyRetention: 0,
        maxSeriesPerDevice: 400,
        sealDelay: 0,
        ...(maxOpenSamples !== undefined && { maxOpenSamples }),
      });
      store = maintains ? maintaining(opened.store) : opened.store;
    });

    afterEach(() => opened.close());

    const reopen = async (): Promise<void> => {
      await opened.reopen();
      store = maintains ? maintaining(opened.store) : opened.store;
    };

    /** `[time, value]` of all samples that match, under `device/metric{labels}`. */
    const stored = async (range = EVER, filter = {}): Promise<Record<string, [number, number][]>> => {
      const found: Record<string, [number, number][]> = {};
      for await (const { series, timestamps, values } of store.readSamples(await store.findSeries(filter), range)) {
        const key = `${series.deviceName}/${series.metricName}${JSON.stringify(series.labels)}`;
        if (key in found) throw new Error(`${key} comes twice`);
        found[key] = Array.from(timestamps, (time, index) => [time, values[index]]);
      }
      return found;
    };
    const theSamples = async (range = EVER): Promise<[number, number][]> =>
      (await stored(range))['lab-pc-1/hw.temperature{}'] ?? [];

    it('takes samples as columns as it takes them one by one', async () => {
      const [a, b] = [named('a', 'm', { x: '1' }, 'V'), named('b')];
      await store.append(columns([a, T0 + 20, 3], [b, T0, -0], [a, T0, 1], [a, T0 + 20, 2]));
      await store.append([sample(T0 + 30, 4, { device: 'a', metric: 'm', labels: { x: '1' } })]);
      expect(await stored()).toEqual({
        'a/m{"x":"1"}': [
          [T0, 1],
          [T0 + 20, 2],
          [T0 + 30, 4],
        ],
        'b/m{}': [[T0, -0]],
      });
      expect(store.unitOf(a)).toBe('V');
      expect(store.unitOf(named('a', 'm', { x: '1' }))).toBe('V');
      await expect(store.append(columns([b, T0 + 1, NaN]))).rejects.toThrow('value must be finite, got NaN');
      await expect(store.append(columns([named('b', ' '), T0, 1]))).rejects.toThrow(RangeError);
    });

    it('takes what a series was named with for what that means now, whatever became of the device', async () => {
      const [a, b] = [named('a'), named('b')];
      await store.append(columns([a, T0, 1], [b, T0, 2]));
      await store.deleteDevice('b');
      await store.renameDevice('a', 'c');
      await store.append(columns([a, T0 + 1, 3], [b, T0 + 1, 4]));
      expect(await stored()).toEqual({
        'c/m{}': [
          [T0, 1],
          [T0 + 1, 3],
        ],
        'b/m{}': [[T0 + 1, 4]],
      });
      await store.renameDevice('b', 'a');
      await store.append(columns([a, T0 + 2, 5], [b, T0 + 2, 6]));
      const [series] = await store.findSeries({ devices: ['c'] });
      await store.deleteSeries('c', series?.id ?? -1);
      await reopen();
      await store.append(columns([a, T0 + 3, 7]));
      expect(await stored()).toEqual({
        'a/m{}': [
          [T0 + 1, 4],
          [T0 + 2, 6],
          [T0 + 3, 7],
        ],
      });
    });

    it.each([
      ['that are kept', false],
      ['that are named again', true],
    ])(
      'takes whole groups of series %s as it takes each of them, whatever became of their device',
      async (_of, isAgain) => {
        const groupOf = (device: string): SeriesGroup => {
          const name = (): NamedSeries[] => [named(device), named(device, 'n')];
          return new SeriesGroup(name(), isAgain ? name : undefined);
        };
        const [a, b] = [groupOf('a'), groupOf('b')];
        /** Of each group, values one after the other. */
        const append = (time: number, first: number, ...groups: SeriesGroup[]): Promise<void> => {
          const values = Float64Array.from({ length: 2 * groups.length }, (_, index) => first + index);
          return store.append(new ColumnsOfGroups(groups, new Float64Array(values.length).fill(time), values));
        };
        await append(T0, 0, a, b);
        await append(T0 + 1, 10, b, a, b);
        await store.renameDevice('a', 'c');
        await Promise.all([
          append(T0 + 2, 20, a, b),
          store.append(columns([named('c'), T0 + 3, 25])),
          append(T0, 30, a),
        ]);
        await reopen();
        await append(T0 + HOUR, 40, b, a);
        const ofN = [
          [T0, 3],
          [T0 + 1, 15],
          [T0 + 2, 23],
          [T0 + HOUR, 41],
        ];
        expect(await stored()).toEqual({
          'b/m{}': [
            [T0, 2],
            [T0 + 1, 14],
            [T0 + 2, 22],
            [T0 + HOUR, 40],
          ],
          'b/n{}': ofN,
          'c/m{}': [
            [T0, 30],
            [T0 + 1, 12],
            [T0 + 2, 20],
            [T0 + 3, 25],
            [T0 + HOUR, 42],
          ],
          'c/n{}': [
            [T0, 31],
            [T0 + 1, 13],
            [T0 + 2, 21],
            [T0 + HOUR, 43],
          ],
        });
        await store.deleteDevice('c');
        const [series] = await store.findSeries({ devices: ['b'] });
        await store.deleteSeries('b', series?.id ?? -1);
        await append(T0 + 2 * HOUR, 50, b, a);
        await append(T0 + 2 * HOUR + 1, 60, a);
        await reopen();
        expect(await stored()).toEqual({
          'a/m{}': [
            [T0 + 2 * HOUR, 52],
            [T0 + 2 * HOUR + 1, 60],
          ],
          'a/n{}': [
            [T0 + 2 * HOUR, 53],
            [T0 + 2 * HOUR + 1, 61],
          ],
          'b/m{}': [[T0 + 2 * HOUR, 50]],
          'b/n{}': [...ofN, [T0 + 2 * HOUR, 51]],
        });
      },
    );

    it('finds the series that samples of names go to, whatever became of their device', async () => {
      const names = [named('a'), named('b'), named('a', 'n')];
      const found = async (): Promise<(string | undefined)[]> =>
        (await store.seriesOf(names)).map((one) => one && `${one.deviceName}/${one.metricName}`);
      expect(await found()).toEqual([undefined, undefined, undefined]);
      await store.append(columns([named('a'), T0, 1], [named('b'), T0, 1]));
      expect(await found()).toEqual(['a/m', 'b/m', undefined]);
      await store.renameDevice('a', 'c');
      await store.deleteDevice('b');
      expect(await found()).toEqual(['c/m', undefined, undefined]);
      await store.append(columns([named('b'), T0, 1], [named('a', 'n'), T0, 1]));
      expect(await found()).toEqual(['c/m', 'b/m', 'c/n']);
    });

    it('says whether a group has the units of its series, whatever becomes of them', async () => {
      /** Of one device: each metric with the unit that it says. */
      const groupOf = (device: string, said: Record<string, string | undefined>): SeriesGroup =>
        new SeriesGroup(Object.entries(said).map(([metric, unit]) => named(device, metric, {}, unit)));
      const append = (group: SeriesGroup, time: number): Promise<void> => {
        const { series } = group;
        const values = Float64Array.from(series, (_, index) => index);
        const timestamps = new Float64Array(series.length).fill(time);
        return store.append({ series, timestamps, values, groups: [group] });
      };
      /** As whoever asks for the units of single series first, unless the answer is there. */
      const hasUnits = (group: SeriesGroup): boolean => {
        if (store.hasUnits(group)) return true;
        for (const one of group.series) store.unitOf(one);
        return store.hasUnits(group);
      };
      const group = groupOf('a', { m: 'KiBy', n: undefined });
      const says = (n: string): SeriesGroup => groupOf('a', { m: 'KiBy', n });
      const inAmperes = says('A');
      expect(hasUnits(group)).toBe(false);
      await append(group, T0);
      expect([group, inAmperes, groupOf('a', { m: 'By' })].map(hasUnits)).toEqual([true, false, false]);
      // The unit of n is said later.
      await append(inAmperes, T0 + 1);
      expect([group, inAmperes, says('mA')].map(hasUnits)).toEqual([true, true, false]);
      await store.renameDevice('a', 'c');
      expect([group, inAmperes].map(hasUnits)).toEqual([true, true]);
      await store.deleteSeries('c', (await store.findSeries({ metrics: ['n'] }))[0].id);
      expect([group, inAmperes].map(hasUnits)).toEqual([false, false]);
      await append(groupOf('a', { n: 'mA' }), T0 + 2);
      expect([group, inAmperes, says('mA')].map(hasUnits)).toEqual([true, false, true]);
      await store.append([sample(T0, 1, { device: 'd', metric: 'm', unit: 'By' })]);
      await store.mergeDevices('c', 'd', (_, target) => target);
      expect([group, groupOf('a', { m: 'By', n: 'mA' })].map(hasUnits)).toEqual([false, true]);
      await append(group, T0 + 3);
      await reopen();
      expect([group, groupOf('a', { m: 'By', n: 'mA' })].map(hasUnits)).toEqual([false, true]);
      expect((await stored({ start: T0 + 3, end: T0 + 4 }))['d/m{}']).toEqual([[T0 + 3, 0]]);
    });

    it('forgets what it found for a series whose first samples were never stored', async () => {
      const few = Array.from({ length: 401 }, (_, index) => named('many', `m${index}`));
      await expect(
        store.append(columns(...few.map((one) => [one, T0, 1] as [NamedSeries, number, number]))),
      ).rejects.toThrow(TooManySeriesError);
      await store.append(columns([few[0], T0, 2]));
      expect(await stored()).toEqual({ 'many/m0{}': [[T0, 2]] });
    });

    it('makes very many series for one batch, or none of them, while others are stored', async () => {
      const many = (devices: number, metrics: number): ReturnType<typeof columns> => {
        const all: [NamedSeries, number, number][] = [];
        for (let device = 0; device < devices; device += 1) {
          for (let metric = 0; metric < metrics; metric += 1)
            all.push([named(`pc-${device}`, `m${metric}`), T0, metric]);
        }
        return columns(...all);
      };
      await expect(store.append(many(2, 401))).rejects.toThrow(TooManySeriesError);
      expect([await store.findSeries({}), await store.devices()]).toEqual([[], []]);

      const [batch, again, other] = [many(3, 400), many(3, 400), named('other')];
      await Promise.all([store.append(batch), store.append(columns([other, T0, 1])), store.append(again)]);
      await reopen();
      const found = await stored();
      expect(Object.keys(found)).toHaveLength(1201);
      expect([found['other/m{}'], found['pc-2/m399{}']]).toEqual([[[T0, 1]], [[T0, 399]]]);
      await expect(store.append(columns([named('pc-1', 'one_more'), T0, 1]))).rejects.toThrow(TooManySeriesError);
    });

    it('knows no device without a sample', async () => {
      await store.append(columns([named('a'), T0, 1], [named('b'), T0, 1]));
      const [series] = await store.findSeries({ devices: ['a'] });
      expect(await store.deleteSeries('a', series?.id ?? -1)).toBe(true);
      expect((await store.devices()).map(({ name }) => name)).toEqual(['b']);
      expect(await store.device('a')).toBeUndefined();
      await store.append(columns([named('a', 'n'), T0, 2]));
      expect(await store.device('a')).toMatchObject({ seriesCount: 1, lastTime: T0 });
    });

    it('is empty at first', async () => {
      expect(await store.findSeries({})).toEqual([]);
      expect(await stored()).toEqual({});
      expect(await store.summarize([], EVER)).toEqual([]);
      await store.ping();
    });

    it('gives back what was appended, in order of time', async () => {
      await store.append([sample(T0 + 20, 3), sample(T0, 1), sample(T0 + 10, 2)]);
      expect(await theSamples()).toEqual([
        [T0, 1],
        [T0 + 10, 2],
        [T0 + 20, 3],
      ]);
    });

    it('keeps every bit of a double', async () => {
      const values = [-0, 0, 5e-324, -Number.MIN_VALUE, Number.MAX_VALUE, 0.1 + 0.2, 1 / 3, 2 ** 53, -1e-7, 21.37];
      await store.append(values.map((value, index) => sample(T0 + index, value)));
      await reopen();
      const got = await theSamples();
      expect(got.map(([, value]) => value)).toEqual(values);
    });

    it('includes the start of a range and excludes its end', async () => {
      await store.append([sample(T0 - 1, 0), sample(T0, 1), sample(T0 + HOUR - 1, 2), sample(T0 + HOUR, 3)]);
      const range = { start: T0, end: T0 + HOUR };
      expect(await theSamples(range)).toEqual([
        [T0, 1],
        [T0 + HOUR - 1, 2],
      ]);
      const [whole] = await store.summarize(await store.findSeries({}), range);
      expect(whole?.summary).toEqual({
        count: 2,
        min: 1,
        max: 2,
        sum: 3,
        first: 1,
        firstTime: T0,
        last: 2,
        lastTime: T0 + HOUR - 1,
      });
      expect(await theSamples({ start: T0, end: T0 })).toEqual([]);
    });

    it('keeps the last write of a time', async () => {
      await store.append([sample(T0, 1), sample(T0 + 1, 5), sample(T0, 2)]);
      expect(await theSamples()).toEqual([
        [T0, 2],
        [T0 + 1, 5],
      ]);
      await store.append([sample(T0, 3)]);
      expect(await theSamples()).toEqual([
        [T0, 3],
        [T0 + 1, 5],
      ]);
      const [only] = await store.summarize(await store.findSeries({}), EVER);
      expect(only?.summary).toMatchObject({ count: 2, min: 3, max: 5, sum: 8, first: 3, last: 5 });
    });

    it('does not change when the same samples come again', async () => {
      const samples = [sample(T0, 1), sample(T0 + 10, 2), sample(T0 + 2 * HOUR, 3)];
      await store.append(samples);
      const before = { samples: await stored(), summaries: await store.summarize(await store.findSeries({}), EVER) };
      await store.append(samples);
      await store.append([...samples].reverse());
      const after = { samples: await stored(), summaries: await store.summarize(await store.findSeries({}), EVER) };
      expect(after).toEqual(before);
    });

    it('takes late samples, across hours and restarts', async () => {
      await store.append([sample(T0 + 5 * HOUR, 5)]);
      await store.append([sample(T0 + 2 * HOUR, 2)]);
      await reopen();
      await store.append([sample(T0 + 2 * HOUR - 1, 1), sample(T0 + 3 * HOUR, 3)]);
      expect(await theSamples()).toEqual([
        [T0 + 2 * HOUR - 1, 1],
        [T0 + 2 * HOUR, 2],
        [T0 + 3 * HOUR, 3],
        [T0 + 5 * HOUR, 5],
      ]);
    });

    it('holds all that was acknowledged when the file is opened again', async () => {
      const samples = Array.from({ length: 3000 }, (_, index) =>
        sample(T0 + index * 7000, index / 4, { device: `pc-${index % 7}`, metric: `m.${index % 3}` }),
      );
      await store.append(samples.slice(0, 1500));
      await store.append(samples.slice(1500));
      const before = { series: await store.findSeries({}), samples: await stored() };
      await reopen();
      // Of thousands of values Jest's own comparison takes most of the time of this file.
      expect(isDeepStrictEqual({ series: await store.findSeries({}), samples: await stored() }, before)).toBe(true);
      expect(Object.values(before.samples).flat()).toHaveLength(3000);
    });

    it('finds no series of an unknown device', async () => {
      await store.append([sample(T0, 1)]);
      expect(await store.findSeries({ devices: ['nobody'] })).toEqual([]);
      expect(await store.findSeries({ metrics: ['nothing'] })).toEqual([]);
    });

    it('finds series by device and metric, sorted by device, metric and labels', async () => {
      await store.append([
        sample(T0, 1, { device: 'b', metric: 'y' }),
        sample(T0, 1, { device: 'b', metric: 'x', labels: { cpu: '1' } }),
        sample(T0, 1, { device: 'b', metric: 'x', labels: { cpu: '0' } }),
        sample(T0, 1, { device: 'a', metric: 'y' }),
      ]);
      const names = async (filter: object): Promise<string[]> =>
        (await store.findSeries(filter)).map((one) => `${one.deviceName}/${one.metricName}/${one.labels['cpu'] ?? ''}`);
      expect(await names({})).toEqual(['a/y/', 'b/x/0', 'b/x/1', 'b/y/']);
      expect(await names({ devices: ['b'] })).toEqual(['b/x/0', 'b/x/1', 'b/y/']);
      expect(await names({ metrics: ['y'] })).toEqual(['a/y/', 'b/y/']);
      expect(await names({ devices: ['b'], metrics: ['x'] })).toEqual(['b/x/0', 'b/x/1']);
    });

    it('finds series by wildcards, labels and tags of their devices', async () => {
      await store.append([
        sample(T0, 1, { device: 'lab-1', metric: 'cpu.load', labels: { cpu: '0' } }),
        sample(T0, 1, { device: 'lab-1', metric: 'cpu.load', labels: { cpu: '1' } }),
        sample(T0, 1, { device: 'lab-1', metric: 'memory' }),
        sample(T0, 1, { device: 'lab-*', metric: 'memory' }),
        sample(T0, 1, { device: 'rack-1', metric: 'memory' }),
      ]);
      await store.describeDevice('rack-1', () => ({ tags: { room: 'cellar' } }));
      await store.describeDevice('lab-1', () => ({ tags: { room: 'lab', owner: 'ada' } }));
      const found = async (selector: Selector): Promise<string[]> =>
        (await store.findSeries(selector)).map(
          (one) => `${one.deviceName}/${one.metricName}/${one.labels['cpu'] ?? ''}`,
        );
      expect(await found({ devices: [like('lab-*')], metrics: ['memory'] })).toEqual([
        'lab-*/memory/',
        'lab-1/memory/',
      ]);
      expect(await found({ devices: ['lab-*'] })).toEqual(['lab-*/memory/']);
      expect(await found({ devices: ['rack-1', 'rack-1', 'nobody', like('rack*')] })).toEqual(['rack-1/memory/']);
      expect(await found({ devices: [] })).toEqual([]);
      expect(await found({ metrics: [like('c*'), 'nothing'], labels: [['cpu', '1']] })).toEqual(['lab-1/cpu.load/1']);
      expect(await found({ labels: [['cpu', like('*')]] })).toEqual(['lab-1/cpu.load/0', 'lab-1/cpu.load/1']);
      expect(await found({ tags: [['room', like('c*')]] })).toEqual(['rack-1/memory/']);
      expect(await found({ tags: [['room', 'cellar']], devices: ['lab-1'] })).toEqual([]);
      const names = (await store.devices({ devices: [like('*-1')], tags: [['room', like('*')]] })).map(
        ({ name }) => name,
      );
      expect(names).toEqual(['lab-1', 'rack-1']);
    });

    it('tells series apart by their labels, whatever the order of these', async () => {
      await store.append([
        sample(T0, 1, { labels: { cpu: '0', state: 'idle' } }),
        sample(T0 + 1, 2, { labels: { state: 'idle', cpu: '0' } }),
        sample(T0, 3, { labels: { cpu: '0' } }),
        sample(T0, 4, { labels: { cpu: '0', state: '__proto__', __proto__x: 'ü' } }),
      ]);
      await reopen();
      expect(Object.values(await stored()).map((samples) => samples.map(([, value]) => value))).toEqual([
        [4],
        [1, 2],
        [3],
      ]);
      expect((await store.findSeries({})).map(({ labels }) => labels)).toContainEqual({ state: 'idle', cpu: '0' });
    });

    it('refuses series beyond what a device may have, names the label that grows, and takes what else comes', async () => {
      const many = (from: number, to: number): Sample[] =>
        Array.from({ length: to - from }, (_, index) =>
          sample(T0, index, { labels: { pid: `${from + index}`, cpu: '0' } }),
        );
      await store.append(many(0, 300));
      const [refused, other] = await Promise.allSettled([
        store.append(many(300, 600)),
        store.append([sample(T0, 1, { device: 'other' }), sample(T0, 2, { labels: { pid: '3', cpu: '0' } })]),
      ]);
      expect(refused).toMatchObject({ status: 'rejected', reason: { name: 'TooManySeriesError' } });
      expect(String((refused as PromiseRejectedResult).reason)).toMatch(
        /"lab-pc-1".* 400 series .*"pid" of "hw.temperature"/,
      );
      expect(other.status).toBe('fulfilled');
      expect(await store.findSeries({})).toHaveLength(301);
      await reopen();
      await store.append(many(300, 400));
      await expect(store.append(many(400, 401))).rejects.toThrow(TooManySeriesError);
      expect(await store.findSeries({})).toHaveLength(401);
      await store.append(many(0, 400));
      await store.deleteDevice('lab-pc-1');
      await store.append(many(400, 401));
    });

    it('gives a series the unit that was said first, else that of the metric catalogue', async () => {
      const unit = async (metricName: string): Promise<string | null | undefined> =>
        (await store.findSeries({ metrics: [metricName] }))[0]?.unit;
      const units = async (): Promise<(string | null)[]> => (await store.findSeries({})).map((series) => series.unit);
      await store.append([sample(T0, 1), sample(T0, 1, { metric: 'own' })]);
      expect([await unit('hw.temperature'), await unit('own')]).toEqual(['Cel', null]);
      expect(await units()).toEqual(['Cel', null]);
      await store.append([sample(T0, 1, { unit: 'K' }), sample(T0, 1, { metric: 'own', unit: 'By' })]);
      await store.append([sample(T0 + 1, 1), sample(T0 + 1, 1, { metric: 'own' })]);
      expect([await unit('hw.temperature'), await unit('own')]).toEqual(['Cel', 'By']);
      expect(await units()).toEqual(['Cel', 'By']);
      expect(store.unitOf(sample(T0, 1, { metric: 'own' }))).toBe('By');
      expect(store.unitOf(sample(T0, 1, { metric: 'nowhere' }))).toBeUndefined();
      await reopen();
      expect([await unit('hw.temperature'), await unit('own')]).toEqual(['Cel', 'By']);
    });

    it('reads and summarizes the series that it is asked for, in their order, and leaves out the empty ones', async () => {
      await store.append(
        ['a', 'b', 'c'].map((device, index) => sample(T0 + index * HOUR, index, { device, metric: 'm' })),
      );
      const [a, b, c] = await store.findSeries({});
      const order = [c, a, b].map((series) => series);
      const range = { start: T0 + 1, end: T0 + 3 * HOUR };
      const read = [];
      for await (const { series } of store.readSamples(order, range)) read.push(series.deviceName);
      expect(read).toEqual(['c', 'b']);
      expect((await store.summarize(order, range)).map(({ series }) => series.deviceName)).toEqual(['c', 'b']);
    });

    it('holds many series', async () => {
      const samples = Array.from({ length: 4000 }, (_, index) =>
        sample(T0, index, { device: `pc-${index % 40}`, metric: `m.${Math.floor(index / 40)}` }),
      );
      await store.append(samples);
      const series = await store.findSeries({});
      const summaries = await store.summarize(series, EVER);
      expect(summaries).toHaveLength(4000);
      expect(isDeepStrictEqual(await summariesInParts(store, series, EVER), summaries)).toBe(true);
      expect(summaries.map(({ summary }) => summary.sum).sort((x, y) => x - y)).toEqual(samples.map((s) => s.value));
    });

    it('takes appends that come at the same time', async () => {
      const appends = Array.from({ length: 50 }, (_, index) => store.append([sample(T0 + index, index)]));
      await Promise.all(appends);
      await Promise.all(appends.map((_, index) => store.append([sample(T0 + 50 + index, index)])));
      expect(await theSamples()).toHaveLength(100);
    });

    it('lets the later of two appends at the same time win', async () => {
      await Promise.all([store.append([sample(T0, 1)]), store.append([sample(T0, 2)])]);
      expect(await theSamples()).toEqual([[T0, 2]]);
    });

    describe('devices', () => {
      beforeEach(async () => {
        await store.append([
          sample(T0 + 5, 1, { device: 'b' }),
          sample(T0 - 2 * HOUR, 2, { device: 'b', metric: 'own' }),
          sample(T0 + HOUR, 3, { device: 'a' }),
        ]);
      });
      const plain = { displayName: null, notes: null, tags: {}, formerNames: [] };

      it('are listed by name, with the times of their first and last sample', async () => {
        const expected = [
          { name: 'a', ...plain, seriesCount: 1, firstTime: T0 + HOUR, lastTime: T0 + HOUR },
          { name: 'b', ...plain, seriesCount: 2, firstTime: T0 - 2 * HOUR, lastTime: T0 + 5 },
        ];
        expect(await store.devices()).toEqual(expected);
        await reopen();
        expect(await store.devices()).toEqual(expected);
        expect([await store.device('b'), await store.device('nobody')]).toEqual([expected[1], undefined]);
      });

      it('keep what is said of them', async () => {
        const tags = { room: 'lab', __proto__x: 'ü' };
        await store.describeDevice('b', () => ({ displayName: 'The big one', tags }));
        const described = await store.describeDevice('b', () => ({ notes: 'new disk' }));
        expect(described).toMatchObject({ name: 'b', displayName: 'The big one', notes: 'new disk', tags });
        await reopen();
        expect((await store.devices())[1]).toEqual(described);
        expect(await store.describeDevice('b', () => ({ displayName: null }))).toMatchObject({
          displayName: null,
          tags,
        });
        expect(await store.describeDevice('nobody', () => ({ notes: '' }))).toBeUndefined();
        await expect(
          store.describeDevice('b', () => {
            throw new RangeError('too many tags');
          }),
        ).rejects.toThrow('too many tags');
      });

      it('keep their history under another name, and samples for the old one, also after a start', async () => {
        expect(await store.renameDevice('nobody', 'c')).toBeUndefined();
        await expect(store.renameDevice('a', 'b')).rejects.toThrow('there is a device b');
        const before = (await stored())['b/hw.temperature{}'];
        await store.renameDevice('b', 'c');
        await reopen();
        expect(await store.device('b')).toBeUndefined();
        expect((await stored())['c/hw.temperature{}']).toEqual(before);
        expect((await store.device('c'))?.formerNames).toEqual(['b']);
        const series = (await store.findSeries({ devices: ['c'] })).length;
        await store.append([sample(T0 + 7, 9, { device: 'b' })]);
        expect(await store.findSeries({ devices: ['c'] })).toHaveLength(series);
        expect(await store.device('b')).toBeUndefined();
        await store.deleteDevice('c');
        await store.append([sample(T0 + 8, 9, { device: 'b' })]);
        expect(await store.device('b')).toMatchObject({ seriesCount: 1, formerNames: [] });
      });

      it('become one, and samples for the one that went go on to the other, also after a start', async () => {
        const keep = (_: unknown, target: DeviceDescription): DeviceDescription => target;
        const [a, b] = await Promise.all(['a', 'b'].map((device) => stored(EVER, { devices: [device] })));
        expect(await store.mergeDevices('nobody', 'a', keep)).toBeUndefined();
        expect(await store.mergeDevices('b', 'nobody', keep)).toBeUndefined();
        await store.append([sample(T0 + HOUR, 8, { device: 'b' }), sample(T0 + HOUR, 7, { device: 'a' })]);
        const tags = { room: 'lab' };
        const merged = await store.mergeDevices('b', 'a', (source, target) => ({ ...source, ...target, tags }));
        expect(merged).toMatchObject({ name: 'a', formerNames: ['b'], tags, lastTime: T0 + HOUR });
        const both = new Map([...Object.values(b)[0], ...Object.values(a)[0], [T0 + HOUR, 7]] as [number, number][]);
        const expected = [...both].sort(([x], [y]) => x - y);
        expect((await stored())['a/hw.temperature{}']).toEqual(expected);
        await reopen();
        expect((await stored())['a/hw.temperature{}']).toEqual(expected);
        expect(await store.device('a')).toEqual(merged);
        expect(await store.latest(await store.findSeries({ metrics: ['hw.temperature'] }))).toMatchObject([
          { timestamp: T0 + HOUR, value: 7 },
        ]);
        await store.append([sample(T0 + 2 * HOUR, 9, { device: 'b' })]);
        expect((await stored())['a/hw.temperature{}']).toEqual([...expected, [T0 + 2 * HOUR, 9]]);
        expect(await store.device('b')).toBeUndefined();
        expect(await store.health()).toMatchObject({ devices: 1, damaged: 0 });
      });

      it('become one in one unit, or stay as they are where units do not fit', async () => {
        const keep = (_: unknown, target: DeviceDescription): DeviceDescription => target;
        await store.append([
          sample(T0, 2, { device: 'x', metric: 'm', unit: 'KiBy' }),
          sample(T0 + 1, 1024, { device: 'y', metric: 'm', unit: 'By' }),
          sample(T0 + 1, 1024, { device: 'z', metric: 'm', unit: 'Cel' }),
        ]);
        const before = await stored();
        await expect(store.mergeDevices('x', 'z', keep)).rejects.toThrow(
          '"m" is in "KiBy" of "x" and in "Cel" of "z", and one does not convert into the other',
        );
        expect(await stored()).toEqual(before);
        await store.mergeDevices('x', 'y', keep);
        expect((await stored(EVER, { devices: ['y'] }))['y/m{}']).toEqual([
          [T0, 2048],
          [T0 + 1, 1024],
        ]);
      });

      it('are deleted with all they had, for good, and may come again', async () => {
        const before = await stored();
        expect(await store.deleteDevice('b')).toBe(true);
        expect(await store.deleteDevice('b')).toBe(false);
        const left = { 'a/hw.temperature{}': before['a/hw.temperature{}'] };
        expect(await stored()).toEqual(left);
        await reopen();
        expect(await stored()).toEqual(left);
        expect(await store.health()).toMatchObject({ devices: 1, series: 1, damaged: 0 });

        await store.append([sample(T0 + 7, 4, { device: 'b' })]);
        expect(await stored()).toEqual({ ...left, 'b/hw.temperature{}': [[T0 + 7, 4]] });
        expect((await store.devices())[1]).toMatchObject({ ...plain, seriesCount: 1, firstTime: T0 + 7 });
        await reopen();
        expect(await stored()).toEqual({ ...left, 'b/hw.temperature{}': [[T0 + 7, 4]] });
      });
    });

    it('takes an empty append', async () => {
      await store.append([]);
      expect(await store.findSeries({})).toEqual([]);
    });

    it('ends what is under way when it closes, and then refuses every call', async () => {
      const append = store.append([sample(T0, 1)]);
      await store.close();
      await append;
      await expect(store.append([sample(T0 + 1, 1)])).rejects.toThrow('closed');
      await expect(store.findSeries({})).rejects.toThrow('closed');
      await expect(store.summarize([], EVER)).rejects.toThrow('closed');
      await expect(store.ping()).rejects.toThrow('closed');
      await expect(theSamples()).rejects.toThrow('closed');
      await store.close();
      await reopen();
      expect(await theSamples()).toEqual([[T0, 1]]);
    });
  });
});

/** Maintains the store after every append, so that all later ones meet what is sealed. */
function maintaining(store: Store): Store {
  const append = store.append.bind(store);
  let closed = false;
  store.append = async (samples) => {
    await append(samples);
    if (!closed) await store.maintain();
  };
  const close = store.close.bind(store);
  store.close = async () => {
    closed = true;
    await close();
  };
  return store;
}
