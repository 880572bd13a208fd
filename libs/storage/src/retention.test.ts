import { afterEach, describe, expect, it } from '@jest/globals';
import { DAY, HOUR } from '@device-metrics/domain';
import { dialects, type OpenStore } from './testing/dialects.js';
import { EVER, sample, T0 } from './testing/test-store.js';

let opened: OpenStore;
afterEach(() => opened.close());

describe.each(dialects)('retention on $name', (dialect) => {
  const counts = async (): Promise<number[]> =>
    (await opened.store.summarize(await opened.store.findSeries({}), EVER)).map(({ summary }) => summary.count);

  it('drops samples after one period, and their hourly values after another', async () => {
    opened = await dialect.open({ rawRetention: 2 * DAY, hourlyRetention: 10 * DAY });
    await opened.store.append([sample(T0, 1), sample(T0 + 1, 3)]);
    opened.now = T0 + 2 * DAY;
    await opened.store.maintain();
    expect((await opened.stored())['lab-pc-1/m']).toHaveLength(2);

    opened.now = T0 + 2 * DAY + HOUR;
    await opened.store.maintain();
    expect(await opened.stored()).toEqual({});
    const series = await opened.store.findSeries({});
    const [only] = await opened.store.summarize(series, EVER);
    expect(only.summary).toEqual({
      count: 2,
      min: 1,
      max: 3,
      sum: 4,
      first: 1,
      firstTime: T0,
      last: 3,
      lastTime: T0 + 1,
    });
    const steps = [];
    const query = { range: { start: T0, end: T0 + DAY }, step: 60_000, aggregates: ['count', 'last'] as const };
    for await (const { starts, columns } of opened.store.readSteps(series, query)) {
      steps.push([starts, ...columns].map((column) => [...column]));
    }
    expect(steps).toEqual([[[T0], [2], [3]]]);
    expect(await opened.store.latest(series)).toMatchObject([{ timestamp: T0 + 1, value: 3 }]);
    expect(await opened.store.devices()).toMatchObject([{ firstTime: T0, lastTime: T0 + 1 }]);

    opened.now = T0 + 10 * DAY + HOUR;
    await opened.store.maintain();
    expect(await counts()).toEqual([]);
    expect(await opened.store.latest(series)).toEqual([]);
    expect(await opened.store.devices()).toMatchObject([{ firstTime: undefined, lastTime: T0 + 1 }]);
  });

  it('gives hourly values for samples that it dropped, and says until when', async () => {
    opened = await dialect.open({ rawRetention: DAY, hourlyRetention: 0 });
    // A counter that starts again in its first hour, and one that goes on; a third hour has only one sample.
    const values = [5, 9, 2, 4];
    await opened.store.append(values.map((value, index) => sample(T0 + index * 60_000, value)));
    await opened.store.append([sample(T0 + HOUR + 1, 6), sample(T0 + HOUR + 7, 8), sample(T0 + 2 * HOUR, 9)]);
    await opened.store.append([sample(T0 + 30 * HOUR, 10)]);
    opened.now = T0 + 30 * HOUR;
    await opened.store.maintain();

    const [series] = await opened.store.findSeries({});
    const read = async (summaries: 'mean' | 'ends' | undefined, range = EVER): Promise<unknown> => {
      const found: unknown[] = [];
      for await (const one of opened.store.readSamples([series], range, summaries && { summaries })) {
        found.push(...Array.from(one.timestamps, (time, index) => [time - T0, one.values[index]]));
      }
      return found;
    };
    const raw = [[30 * HOUR, 10]];
    expect(await read(undefined)).toEqual(raw);
    expect(await read('mean')).toEqual([[0, 5], [HOUR, 7], [2 * HOUR, 9], ...raw]);
    const hour = [
      [0, 5],
      [90_000, 9],
      [180_000, 4],
    ];
    expect(await read('ends')).toEqual([...hour, [HOUR + 1, 6], [HOUR + 7, 8], [2 * HOUR, 9], ...raw]);
    expect(await read('mean', { start: T0 + 1, end: T0 + 2 * HOUR })).toEqual([[HOUR, 7]]);

    const until = async (start: number, end: number, deviceName = 'lab-pc-1'): Promise<number | undefined> =>
      (await opened.store.tiers(deviceName, { start, end })).findLast(({ resolution }) => resolution === HOUR)?.end;
    expect(await until(0, EVER.end)).toBe(T0 + 3 * HOUR);
    expect(await until(T0, T0 + HOUR)).toBe(T0 + HOUR);
    expect(await until(T0 + 2 * HOUR + 1, EVER.end)).toBeUndefined();
    expect(await until(EVER.start, EVER.end, 'nobody')).toBeUndefined();
  });

  it('keeps everything for ever when the periods are 0', async () => {
    opened = await dialect.open({ rawRetention: 0, hourlyRetention: 0 });
    await opened.store.append([sample(T0, 1)]);
    opened.now = T0 + 10_000 * DAY;
    await opened.store.maintain();
    expect(await opened.stored()).toEqual({ 'lab-pc-1/m': [[T0, 1]] });
    expect(opened.store.oldestTimestamp()).toBe(0);
  });

  it('refuses periods that make no sense', async () => {
    opened = await dialect.open({});
    await expect(dialect.open({ rawRetention: HOUR })).rejects.toThrow('rawRetention must be 0 or at least 86400000');
    await expect(dialect.open({ rawRetention: 3 * DAY, hourlyRetention: 2 * DAY })).rejects.toThrow('hourlyRetention');
    await expect(dialect.open({ rawRetention: 0, hourlyRetention: DAY })).rejects.toThrow('hourlyRetention');
  });
});
