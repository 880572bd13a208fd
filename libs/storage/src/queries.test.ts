import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { TimeRange } from '@device-metrics/domain';
import { HOUR } from '@device-metrics/domain';
import type { StepAggregate } from './store.js';
import { dialects, type OpenStore } from './testing/dialects.js';
import { sample, summariesInParts, T0 } from './testing/test-store.js';

describe.each(dialects)('steps on $name', (dialect) => {
  let opened: OpenStore;
  beforeEach(async () => {
    opened = await dialect.open({});
    // Every 10 minutes for 3 hours, from 0 on; the first two hours are sealed.
    await opened.store.append(Array.from({ length: 18 }, (_, index) => sample(T0 + index * 600_000, index)));
    opened.now = T0 + 2 * HOUR + 20 * 60_000;
    await opened.store.maintain();
  });
  afterEach(() => opened.close());

  const ALL: readonly StepAggregate[] = ['count', 'min', 'max', 'sum', 'first', 'last'];
  /** The rows of the last series: its steps, with the aggregates that are asked for. */
  const steps = async (range: TimeRange, step: number, aggregates = ALL): Promise<number[][]> => {
    let rows: number[][] = [];
    const query = { range, step, aggregates };
    for await (const { starts, columns } of opened.store.readSteps(await opened.store.findSeries({}), query)) {
      rows = Array.from(starts, (start, row) => [start, ...columns.map((column) => column[row])]);
    }
    return rows;
  };
  const range: TimeRange = { start: T0, end: T0 + 3 * HOUR };

  it('begin at the start of the range and hold what is asked for', async () => {
    const half = 30 * 60_000;
    const hour = { start: T0, end: T0 + HOUR };
    expect(await steps(hour, half)).toEqual([
      [T0, 3, 0, 2, 3, 0, 2],
      [T0 + half, 3, 3, 5, 12, 3, 5],
    ]);
    expect(await steps(hour, half, ['last', 'sum'])).toEqual([
      [T0, 2, 3],
      [T0 + half, 5, 12],
    ]);
  });

  it('are cut by the range, and longer than hours if need be', async () => {
    const cut = { start: T0 + 600_000, end: T0 + 2 * HOUR + 600_001 };
    expect(await steps(cut, 24 * HOUR)).toEqual([[cut.start, 13, 1, 13, 91, 1, 13]]);
    expect((await steps(cut, HOUR, ['sum'])).map(([, sum]) => sum)).toEqual([21, 57, 13]);
  });

  it('without samples are left out', async () => {
    expect((await steps(range, 60_000)).map(([start]) => start)).toEqual(
      Array.from({ length: 18 }, (_, index) => T0 + index * 600_000),
    );
    expect(await steps({ start: T0 - HOUR, end: T0 }, 1000)).toEqual([]);
  });

  it('of no length are refused', async () => {
    await expect(steps(range, 0)).rejects.toThrow('step must be greater than 0 ms, got 0');
  });

  it('and all other reads let appends through', async () => {
    const many = Array.from({ length: 40 }, (_, device) =>
      Array.from({ length: 2000 }, (_, index) => sample(T0 + index * 1000, index, `pc-${device}`)),
    ).flat();
    await opened.store.append(many);
    let turns = 0;
    const counting = setInterval(() => (turns += 1), 0);
    await steps(range, 1);

    clearInterval(counting);
    expect(turns).toBeGreaterThan(1);
  });
});

describe.each(dialects)('summaries on $name', (dialect) => {
  it('of a device with more series than are looked at in one piece have each of them, from chunks and from memory', async () => {
    const opened = await dialect.open({});
    try {
      const count = 8_500;
      const at = (time: number, value: number) =>
        Array.from({ length: count }, (_, index) => sample(time, value + index, 'pc', `m.${index}`));
      await opened.store.append(at(T0, 1));
      opened.now = T0 + HOUR + 20 * 60_000;
      await opened.store.maintain();
      await opened.store.append(at(T0 + HOUR, 2));
      const [series, hours] = [await opened.store.findSeries({}), { start: T0, end: T0 + 2 * HOUR }];
      const found = await opened.store.summarize(series, hours);
      expect(await summariesInParts(opened.store, series, hours)).toEqual(found);
      const sums = found.map(({ series, summary }) => [series.metricName, summary.count, summary.sum]);
      expect(new Map(sums.map(([name, ...numbers]) => [name, numbers]))).toEqual(
        new Map(Array.from({ length: count }, (_, index) => [`m.${index}`, [2, 3 + 2 * index]])),
      );
      expect(found).toHaveLength(count);
    } finally {
      await opened.close();
    }
  });
});
