import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { TimeRange } from '@device-metrics/domain';
import type { StepColumns, StepQuery } from './sample-store.js';
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

  const steps = async (query: StepQuery): Promise<Partial<StepColumns>> => {
    let found = {};
    for await (const one of opened.store.readSteps(await opened.store.findSeries({}), query)) found = one.steps;
    return found;
  };
  const range: TimeRange = { start: T0, end: T0 + 3 * HOUR };

  it('begin at the start of the range and hold all aggregates', async () => {
    const half = 30 * 60_000;
    expect(await steps({ range: { start: T0, end: T0 + HOUR }, step: half })).toEqual({
      start: [T0, T0 + half],
      count: [3, 3],
      min: [0, 3],
      max: [2, 5],
      sum: [3, 12],
      first: [0, 3],
      last: [2, 5],
    });
  });

  it('are cut by the range, and longer than hours if need be', async () => {
    const cut = { start: T0 + 600_000, end: T0 + 2 * HOUR + 600_001 };
    expect(await steps({ range: cut, step: 24 * HOUR })).toEqual({
      start: [cut.start],
      count: [13],
      min: [1],
      max: [13],
      sum: [91],
      first: [1],
      last: [13],
    });
    expect(await steps({ range: cut, step: HOUR })).toMatchObject({ sum: [21, 57, 13] });
  });

  it('without samples are left out', async () => {
    expect((await steps({ range, step: 60_000 })).start).toEqual(
      Array.from({ length: 18 }, (_, index) => T0 + index * 600_000),
    );
    expect(await steps({ range: { start: T0 - HOUR, end: T0 }, step: 1000 })).toEqual({});
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
