import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { LocalTime } from './local-time.js';
import { timeTicks, valueTicks } from './ticks.js';

describe('ticks of values', () => {
  it.each([
    [0, 1, ['0.0', '0.5', '1.0']],
    [0, 97, ['0', '50', '100']],
    [45, 52, ['44', '46', '48', '50', '52']],
    [-3, 8, ['-5', '0', '5', '10']],
    [0, 0, ['0.0', '0.5', '1.0']],
    [8, 8, ['0', '2', '4', '6', '8']],
    [-2, -2, ['-2.0', '-1.5', '-1.0', '-0.5', '0.0']],
    // Noise is no mountain.
    [6.12, 6.29, ['5.8', '6.0', '6.2', '6.4', '6.6']],
    [100, 100.1, ['95', '100', '105', '110']],
  ])('from %d to %d', (low, high, labels) => {
    expect(valueTicks(low, high).labels).toEqual(labels);
  });

  it('enclose the values, are few, and are all different', () => {
    const number = fc.double({ min: -1e280, max: 1e280, noNaN: true }).map((x) => (Math.abs(x) < 1e-280 ? 0 : x));
    fc.assert(
      fc.property(number, number, (a, b) => {
        const [low, high] = [Math.min(a, b), Math.max(a, b)];
        const slack = Math.max(Math.abs(low), Math.abs(high)) * 1e-9;
        const { values, labels } = valueTicks(low, high);
        expect(values.length).toBeGreaterThanOrEqual(2);
        expect(values.length).toBeLessThanOrEqual(8);
        expect(values[0]).toBeLessThanOrEqual(low + slack);
        expect(values.at(-1)).toBeGreaterThanOrEqual(high - slack);
        expect(new Set(labels).size).toBe(labels.length);
      }),
    );
  });
});

describe('ticks of time', () => {
  const labels = (start: string, end: string, zone: string): string[] =>
    timeTicks({ start: Date.parse(start), end: Date.parse(end) }, new LocalTime(zone)).map(({ label }) => label);

  it('are round on the clock of the place', () => {
    expect(labels('2026-01-15T10:03:00Z', '2026-01-15T11:04:00Z', 'Asia/Kathmandu')).toEqual([
      '15:50',
      '16:00',
      '16:10',
      '16:20',
      '16:30',
      '16:40',
    ]);
    expect(labels('2026-01-15T10:00:00Z', '2026-01-16T10:00:00Z', 'Europe/Berlin')).toEqual([
      '12:00',
      '15:00',
      '18:00',
      '21:00',
      '16 Jan',
      '03:00',
      '06:00',
      '09:00',
    ]);
  });

  it('stay round across the change to and from summer time', () => {
    expect(labels('2026-03-28T21:00:00Z', '2026-03-29T21:00:00Z', 'Europe/Berlin')).toEqual([
      '29 Mar',
      '03:00',
      '06:00',
      '09:00',
      '12:00',
      '15:00',
      '18:00',
      '21:00',
    ]);
    // At 02:00 the clock leaps to 03:00.
    expect(labels('2026-03-29T00:00:00Z', '2026-03-29T04:00:00Z', 'Europe/Berlin')).toEqual([
      '01:00',
      '01:30',
      '03:00',
      '03:30',
      '04:00',
      '04:30',
      '05:00',
      '05:30',
      '06:00',
    ]);
    expect(labels('2026-10-24T21:00:00Z', '2026-10-25T21:00:00Z', 'Europe/Berlin')).toEqual([
      '25 Oct',
      '03:00',
      '06:00',
      '09:00',
      '12:00',
      '15:00',
      '18:00',
      '21:00',
    ]);
    // Midnight does not exist on this day.
    const cairo = timeTicks(
      { start: Date.parse('2026-04-21T00:00:00Z'), end: Date.parse('2026-04-26T00:00:00Z') },
      new LocalTime('Africa/Cairo'),
    );
    expect(cairo.map(({ label, time }) => [label, new Date(time).getUTCHours()])).toEqual([
      ['22 Apr', 22],
      ['23 Apr', 22],
      ['24 Apr', 22],
      ['25 Apr', 21],
      ['26 Apr', 21],
    ]);
  });

  it('are days, months and years of the calendar in long ranges', () => {
    expect(labels('2026-01-01T00:00:00Z', '2026-01-31T00:00:00Z', 'UTC')).toEqual([
      '5 Jan',
      '12 Jan',
      '19 Jan',
      '26 Jan',
    ]);
    expect(labels('2025-02-03T00:00:00Z', '2026-02-03T00:00:00Z', 'UTC')).toEqual([
      'Mar 2025',
      'May 2025',
      'Jul 2025',
      'Sep 2025',
      'Nov 2025',
      'Jan 2026',
    ]);
    expect(labels('2000-01-01T00:00:00Z', '2026-02-03T00:00:00Z', 'UTC').slice(0, 3)).toEqual(['2001', '2004', '2007']);
  });

  it('are at most ten, in order, and within the range', () => {
    const zone = fc.constantFrom('UTC', 'Europe/Berlin', 'America/Sao_Paulo', 'Pacific/Apia', 'Australia/Lord_Howe');
    const start = fc.integer({ min: Date.UTC(2000, 0, 1), max: Date.UTC(2040, 0, 1) });
    fc.assert(
      fc.property(start, fc.integer({ min: 1000, max: 40 * 365 * 86_400_000 }), zone, (from, length, name) => {
        const range = { start: from, end: from + length };
        const times = timeTicks(range, new LocalTime(name)).map(({ time }) => time);
        expect(times.length).toBeLessThanOrEqual(11);
        expect(times).toEqual(
          times.toSorted((a, b) => a - b).filter((time) => time >= range.start && time <= range.end),
        );
      }),
      { numRuns: process.env['DEVICE_METRICS_LONG'] ? 1_000 : 40 },
    );
  });
});
