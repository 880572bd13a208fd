import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { HOUR } from './durations.js';
import {
  autoStep,
  MAX_STEPS,
  nominalLength,
  parseStep,
  stepBounds,
  stepOf,
  TooManyStepsError,
  type Step,
  type StepLength,
} from './time-steps.js';
import { isTimeZone } from './zone-clock.js';

const time = fc.integer({ min: Date.UTC(2000), max: Date.UTC(2040) });
const range = fc
  .tuple(time, fc.integer({ min: 1, max: 90 * 24 * HOUR }))
  .map(([start, length]) => ({ start, end: start + length }));

const stepLength = (text: string): StepLength => parseStep(text) as StepLength;
const stepIn = (length: StepLength | number, timeZone: string): Step => stepOf(length, timeZone) as Step;
/** The bounds of the steps that cover a range, as a clock on the wall of the zone shows them. */
const onTheWall = (step: string, timeZone: string, start: string, end: string): string[] => {
  const range = { start: Date.parse(start), end: Date.parse(end) };
  const format = new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'short' });
  return stepBounds(range, stepIn(stepLength(step), timeZone)).map((bound) => format.format(bound));
};

describe('stepBounds', () => {
  it('covers the range without gaps, and no step lies outside of it', () => {
    const length = fc.constantFrom(
      ...['1m', '45m', '1h', '2h', '12h', '1d', '7d', '1w', '2w', '1mo', '3mo', '1y'].map(stepLength),
    );
    const zone = fc.constantFrom('UTC', 'Europe/Berlin', 'America/St_Johns', 'Pacific/Apia', 'Asia/Kathmandu');
    fc.assert(
      fc.property(range, length, zone, ({ start, end }, ms, timeZone) => {
        fc.pre((end - start) / nominalLength(ms) < MAX_STEPS / 2);
        const bounds = stepBounds({ start, end }, stepIn(ms, timeZone));

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
      const bounds = stepBounds({ start: Date.parse(start), end: Date.parse(end) }, stepIn(24 * HOUR, 'Europe/Berlin'));
      return bounds.slice(1).map((bound, index) => (bound - (bounds[index] as number)) / HOUR);
    };
    expect(days('2026-03-28T12:00:00+01:00', '2026-03-30T12:00:00+02:00')).toEqual([24, 23, 24]);
    expect(days('2026-10-24T12:00:00+02:00', '2026-10-26T12:00:00+01:00')).toEqual([24, 25, 24]);
  });

  it.each(['America/St_Johns', 'Pacific/Apia', 'Africa/Casablanca'])(
    'gives the same days in a long range and in short ones: %s',
    (timeZone) => {
      const day = stepIn(24 * HOUR, timeZone);
      const [start, end] = [Date.UTC(2011), Date.UTC(2013)];
      const long = new Set(stepBounds({ start, end }, day));
      const others: Date[] = [];
      for (let time = start; time < end; time += 24 * HOUR) {
        const [first] = stepBounds({ start: time, end: time + 1 }, day);
        if (!long.has(first as number)) others.push(new Date(time));
      }
      expect(others).toEqual([]);
    },
  );

  it('begins days at local midnight', () => {
    const [first] = stepBounds(
      { start: Date.UTC(2026, 6, 1, 23), end: Date.UTC(2026, 6, 2) },
      stepIn(24 * HOUR, 'Europe/Berlin'),
    );
    expect(first).toBe(Date.parse('2026-07-02T00:00:00+02:00'));
  });

  it('makes one step of a day that the calendar left out and the next', () => {
    const range = { start: Date.UTC(2011, 11, 29), end: Date.UTC(2012, 0, 2) };
    const bounds = stepBounds(range, stepIn(24 * HOUR, 'Pacific/Apia'));
    expect(bounds).toEqual([...new Set(bounds)]);
  });

  it('begins weeks on Monday, months and years on the first, of the zone', () => {
    expect(onTheWall('1w', 'Asia/Kolkata', '2026-01-01T00:00:00Z', '2026-01-14T00:00:00Z')).toEqual([
      '2025-12-29 00:00',
      '2026-01-05 00:00',
      '2026-01-12 00:00',
      '2026-01-19 00:00',
    ]);
    expect(onTheWall('1mo', 'America/New_York', '2024-01-31T23:00:00Z', '2024-04-01T03:00:00Z')).toEqual([
      '2024-01-01 00:00',
      '2024-02-01 00:00',
      '2024-03-01 00:00',
      '2024-04-01 00:00',
    ]);
    expect(onTheWall('3mo', 'UTC', '2026-02-10T00:00:00Z', '2026-04-01T00:00:00Z')).toEqual([
      '2026-01-01 00:00',
      '2026-04-01 00:00',
    ]);
    expect(onTheWall('1y', 'Europe/Berlin', '2025-12-31T23:30:00Z', '2026-12-31T23:00:00Z')).toEqual([
      '2026-01-01 00:00',
      '2027-01-01 00:00',
    ]);
    expect(onTheWall('1w', 'UTC', '1969-12-30T00:00:00Z', '1970-01-05T00:00:00Z')).toEqual([
      '1969-12-29 00:00',
      '1970-01-05 00:00',
    ]);
  });

  it('begins parts of a day when the clock of the zone shows a multiple of them', () => {
    expect(onTheWall('12h', 'Europe/Berlin', '2026-03-28T20:00:00Z', '2026-03-29T12:00:00Z')).toEqual([
      '2026-03-28 12:00',
      '2026-03-29 00:00',
      '2026-03-29 12:00',
      '2026-03-30 00:00',
    ]);
    expect(onTheWall('6h', 'Asia/Kolkata', '2026-01-01T00:00:00Z', '2026-01-01T09:00:00Z')).toEqual([
      '2026-01-01 00:00',
      '2026-01-01 06:00',
      '2026-01-01 12:00',
      '2026-01-01 18:00',
    ]);
    // The hour that comes twice is two steps of an hour, and one of two hours together with the hour after it.
    const night = ['2026-10-24T23:00:00Z', '2026-10-25T03:00:00Z'] as const;
    expect(onTheWall('1h', 'Europe/Berlin', ...night).map((text) => text.slice(-5))).toEqual([
      ...['01:00', '02:00', '02:00', '03:00', '04:00'],
    ]);
    expect(onTheWall('2h', 'Europe/Berlin', ...night).map((text) => text.slice(-5))).toEqual([
      '00:00',
      '02:00',
      '04:00',
    ]);
    // 2:00 does not come on that night: the clock leaps to 2:30.
    expect(onTheWall('1h', 'Australia/Lord_Howe', '2026-10-03T14:30:00Z', '2026-10-03T17:00:00Z')).toEqual([
      '2026-10-04 01:00',
      '2026-10-04 02:30',
      '2026-10-04 03:00',
      '2026-10-04 04:00',
    ]);
  });

  it('has no steps in a zone that its days do not have a whole number of', () => {
    expect([5 * HOUR, 36 * HOUR, 7000].map((length) => stepOf(length, 'Europe/Berlin'))).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    expect(stepOf(5 * HOUR, 'Etc/UTC')).toEqual({ unit: 'millisecond', count: 5 * HOUR });
  });

  it('refuses more steps than anybody could look at', () => {
    expect(() => stepBounds({ start: 0, end: 1e12 }, stepIn(1000, 'UTC'))).toThrow(TooManyStepsError);
  });
});

it('reads the length of a step', () => {
  expect(['90s', '1.5h', '1w', '2mo', '1y'].map(parseStep)).toEqual([
    { unit: 'millisecond', count: 90_000 },
    { unit: 'millisecond', count: 5_400_000 },
    { unit: 'week', count: 1 },
    { unit: 'month', count: 2 },
    { unit: 'month', count: 12 },
  ]);
  for (const text of ['1.5w', '0mo', '1.5mo', '0.5y', '-1d', '1M', '', 'mo']) expect(parseStep(text)).toBeUndefined();
});

it('knows time zones by their IANA names', () => {
  expect(isTimeZone('Europe/Berlin')).toBe(true);
  expect(isTimeZone('Europe/Atlantis')).toBe(false);
  // Newer Node takes these, Node 20 does not.
  for (const offset of ['+01:00', '-0530', '+01', '']) expect(isTimeZone(offset)).toBe(false);
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
