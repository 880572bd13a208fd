import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { autoStep, isTimeZone, MAX_STEPS, stepBounds, stepOf, TooManyStepsError } from './time-steps.js';

const HOUR = 3_600_000;
const time = fc.integer({ min: Date.UTC(2000), max: Date.UTC(2040) });
const range = fc
  .tuple(time, fc.integer({ min: 1, max: 90 * 24 * HOUR }))
  .map(([start, length]) => ({ start, end: start + length }));

describe('stepBounds', () => {
  it('covers the range without gaps, and no step lies outside of it', () => {
    const length = fc.constantFrom(60_000, HOUR, 7 * HOUR, 24 * HOUR, 7 * 24 * HOUR);
    const zone = fc.constantFrom('UTC', 'Europe/Berlin', 'America/St_Johns', 'Pacific/Apia', 'Asia/Kathmandu');
    fc.assert(
      fc.property(range, length, zone, ({ start, end }, ms, timeZone) => {
        fc.pre((end - start) / ms < MAX_STEPS / 2);
        const bounds = stepBounds({ start, end }, stepOf(ms, timeZone));

        expect(bounds[0]).toBeLessThanOrEqual(start);
        expect(bounds[1]).toBeGreaterThan(start);
        expect(bounds.at(-1)).toBeGreaterThanOrEqual(end);
        expect(bounds.at(-2)).toBeLessThan(end);
        expect(bounds).toEqual([...new Set(bounds)].sort((a, b) => a - b));
      }),
    );
  });

  it('gives days of 23 and 25 hours where the clocks change', () => {
    const days = (start: string, end: string): number[] => {
      const bounds = stepBounds({ start: Date.parse(start), end: Date.parse(end) }, stepOf(24 * HOUR, 'Europe/Berlin'));
      return bounds.slice(1).map((bound, index) => (bound - (bounds[index] as number)) / HOUR);
    };
    expect(days('2026-03-28T12:00:00+01:00', '2026-03-30T12:00:00+02:00')).toEqual([24, 23, 24]);
    expect(days('2026-10-24T12:00:00+02:00', '2026-10-26T12:00:00+01:00')).toEqual([24, 25, 24]);
  });

  it.each(['America/St_Johns', 'Pacific/Apia', 'Africa/Casablanca'])(
    'gives the same days in a long range and in short ones: %s',
    (timeZone) => {
      const day = stepOf(24 * HOUR, timeZone);
      const [start, end] = [Date.UTC(2009), Date.UTC(2013)];
      const long = new Set(stepBounds({ start, end }, day));
      for (let time = start; time < end; time += 24 * HOUR) {
        const [first] = stepBounds({ start: time, end: time + 1 }, day);
        expect([new Date(time), long.has(first as number)]).toEqual([new Date(time), true]);
      }
    },
  );

  it('begins days at local midnight', () => {
    const [first] = stepBounds(
      { start: Date.UTC(2026, 6, 1, 23), end: Date.UTC(2026, 6, 2) },
      stepOf(24 * HOUR, 'Europe/Berlin'),
    );
    expect(first).toBe(Date.parse('2026-07-02T00:00:00+02:00'));
  });

  it('makes one step of a day that the calendar left out and the next', () => {
    const range = { start: Date.UTC(2011, 11, 29), end: Date.UTC(2012, 0, 2) };
    const bounds = stepBounds(range, stepOf(24 * HOUR, 'Pacific/Apia'));
    expect(bounds).toEqual([...new Set(bounds)]);
  });

  it('refuses more steps than anybody could look at', () => {
    expect(() => stepBounds({ start: 0, end: 1e12 }, stepOf(1000, 'UTC'))).toThrow(TooManyStepsError);
  });
});

it('knows time zones by their IANA names', () => {
  expect(isTimeZone('Europe/Berlin')).toBe(true);
  expect(isTimeZone('Europe/Atlantis')).toBe(false);
});

it('finds a round step for about as many points as asked', () => {
  fc.assert(
    fc.property(range, (r) => {
      const points = (r.end - r.start) / autoStep(r, 500);
      expect(points).toBeLessThanOrEqual(500);
      if (r.end - r.start > 500_000) expect(points).toBeGreaterThan(100);
    }),
  );
});
