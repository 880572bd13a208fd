import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { TimeRange } from '@device-metrics/domain';
import type { Step, StepQuery } from './sample-store.js';
import { HOUR, sample, T0, TestStore } from './testing/test-store.js';

describe('steps', () => {
  let opened: TestStore;
  beforeEach(async () => {
    opened = await TestStore.open();
    // Every 10 minutes for 3 hours, from 0 on; the first two hours are sealed.
    await opened.store.append(Array.from({ length: 18 }, (_, index) => sample(T0 + index * 600_000, index)));
    opened.now = T0 + 2 * HOUR + 20 * 60_000;
    await opened.store.maintain();
  });
  afterEach(() => opened.close());

  const steps = async (query: StepQuery): Promise<readonly Step[]> => {
    const found: Step[] = [];
    for await (const one of opened.store.readSteps(await opened.store.findSeries({}), query)) found.push(...one.steps);
    return found;
  };
  const range: TimeRange = { start: T0, end: T0 + 3 * HOUR };

  it('begin at the start of the range and hold all aggregates', async () => {
    const [first, second, ...rest] = await steps({ range, step: 30 * 60_000, quantiles: [0.5, 1] });
    expect(first).toEqual({
      start: T0,
      count: 3,
      min: 0,
      max: 2,
      sum: 3,
      first: 0,
      firstTime: T0,
      last: 2,
      lastTime: T0 + 1_200_000,
      quantiles: [1, 2],
    });
    expect(second).toMatchObject({ start: T0 + 1_800_000, count: 3, sum: 12, quantiles: [4, 5] });
    expect(rest).toHaveLength(4);
  });

  it('are cut by the range, and longer than hours if need be', async () => {
    const cut = { start: T0 + 600_000, end: T0 + 2 * HOUR + 600_001 };
    expect(await steps({ range: cut, step: 24 * HOUR, quantiles: [0.5] })).toMatchObject([
      { start: cut.start, count: 13, first: 1, last: 13, sum: 91, quantiles: [7] },
    ]);
    expect(await steps({ range: cut, step: HOUR })).toMatchObject([{ sum: 21 }, { sum: 57 }, { sum: 13 }]);
  });

  it('without samples are left out', async () => {
    expect((await steps({ range, step: 60_000 })).map(({ start }) => (start - T0) / 60_000)).toEqual(
      Array.from({ length: 18 }, (_, index) => index * 10),
    );
    expect(await steps({ range: { start: T0 - HOUR, end: T0 }, step: 1000 })).toEqual([]);
  });

  it('of no length are refused', async () => {
    await expect(steps({ range, step: 0 })).rejects.toThrow('step must be greater than 0 ms, got 0');
  });

  it('and all other reads let appends through', async () => {
    const many = Array.from({ length: 40 }, (_, device) =>
      Array.from({ length: 2000 }, (_, index) => sample(T0 + index * 1000, index, `pc-${device}`)),
    ).flat();
    await opened.store.append(many);
    let turns = 0;
    const counting = setInterval(() => (turns += 1), 0);
    await steps({ range, step: 1000 });
    clearInterval(counting);
    expect(turns).toBeGreaterThan(1);
  });
});
