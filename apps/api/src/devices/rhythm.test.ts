import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { deadlines, gapsBetween, rhythmOf, statusAt } from './rhythm.js';

const statusAfter = (times: number[], silence: number): string => {
  const last = times.at(-1) ?? 0;
  return statusAt(last + silence, deadlines(rhythmOf(times), last));
};

describe('a device that reports regularly', () => {
  it('is online for three, late for ten and then offline, whatever its interval', () => {
    const intervals = fc.integer({ min: 5_000, max: 7 * 86_400_000 });
    fc.assert(
      fc.property(intervals, fc.integer({ min: 4, max: 65 }), (interval, count) => {
        const times = Array.from({ length: count }, (_, index) => 1_000 + index * interval);
        expect(rhythmOf(times)).toEqual({ interval, pause: interval });
        expect([2.9, 3.1, 9.9, 10.1].map((silence) => statusAfter(times, silence * interval))).toEqual([
          'online',
          'late',
          'late',
          'offline',
        ]);
      }),
    );
  });

  it('keeps its interval through an outage and through lost readings', () => {
    const outage = [0, 10, 20, 30, 40, 50, 5_000, 5_010, 5_020, 5_030, 5_040, 5_050].map((second) => second * 1000);
    expect(rhythmOf(outage)).toEqual({ interval: 10_000, pause: 10_000 });
    const everyFifthIsLost = Array.from({ length: 60 }, (_, index) => index * 10_000).filter(
      (_, index) => index % 5 > 0,
    );
    expect(rhythmOf(everyFifthIsLost)).toEqual({ interval: 10_000, pause: 20_000 });
  });
});

it('a device that reports in bursts is judged by its pauses', () => {
  const bursts = Array.from({ length: 13 }, (_, burst) =>
    [0, 1, 2, 3, 4].map((i) => burst * 3_600_000 + i * 500),
  ).flat();
  expect(rhythmOf(bursts)?.interval).toBe(500);
  expect(statusAfter(bursts, 3_600_000)).toBe('online');
  expect(statusAfter(bursts, 36 * 3_600_000)).toBe('offline');
});

it('a device without a rhythm is given a minute, and a fast one five seconds', () => {
  expect(rhythmOf([])).toBeUndefined();
  expect([170_000, 190_000, 610_000].map((silence) => statusAfter([7], silence))).toEqual([
    'online',
    'late',
    'offline',
  ]);
  const fast = Array.from({ length: 200 }, (_, index) => index * 100);
  expect([14_000, 16_000, 51_000].map((silence) => statusAfter(fast, silence))).toEqual(['online', 'late', 'offline']);
});

it('a device whose latest sample is of a clock that was years ahead is offline until it is heard of again', () => {
  const now = 1_000_000_000;
  const statusOf = (lastTime: number): string => statusAt(now, deadlines(undefined, lastTime, now));
  expect([now, now + 600_000, now + 1e12].map(statusOf)).toEqual(['online', 'online', 'offline']);
});

it('a handful of readings that were sent at once makes no rhythm', () => {
  expect(rhythmOf([0, 500])).toBeUndefined();
  expect(rhythmOf([0, 500, 1000, 1500, 2000, 2500])).toBeUndefined();
  expect(statusAfter([0, 500], 50_000)).toBe('online');
});

describe('each stretch is judged by its own rhythm:', () => {
  const every = (interval: number, count: number, from: number): number[] =>
    Array.from({ length: count }, (_, index) => from + index * interval);
  const intervals = fc.constantFrom(10_000, 60_000, 300_000);

  it('a change of the interval misses nothing and is no silence', async () => {
    await fc.assert(
      fc.asyncProperty(intervals, intervals, async (a, b) => {
        const first = every(a, 100, 0);
        const gaps = await gapsBetween([...first, ...every(b, 100, (first.at(-1) ?? 0) + b)]);
        expect(gaps.filter(({ isSilence }) => isSilence)).toEqual([]);
        expect(gaps.reduce((sum, { expected }) => sum + expected, 0)).toBe(199);
      }),
    );
  });

  it('a silence has its start, its end, and the readings that it cost', async () => {
    await fc.assert(
      fc.asyncProperty(intervals, fc.integer({ min: 5, max: 500 }), async (interval, lost) => {
        const before = every(interval, 50, 0);
        const start = before.at(-1) ?? 0;
        const end = start + (lost + 1) * interval;
        const silences = (await gapsBetween([...before, ...every(interval, 50, end)])).filter(
          ({ isSilence }) => isSilence,
        );
        expect(silences).toEqual([{ start, end, expected: lost + 1, isSilence: true }]);
      }),
    );
  });
});
