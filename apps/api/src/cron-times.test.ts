import { expect, it } from '@jest/globals';
import { DAY } from '@device-metrics/domain';
import { cronTimes } from './cron-times.js';

/** The times of some days, by the clock of the zone. */
function times(expression: string, timeZone: string, from: string, days: number): string[] {
  const clock = new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'short' });
  const next = cronTimes(expression, timeZone);
  const start = Date.parse(from);
  const found: string[] = [];
  for (let time = next(start); time < start + days * DAY; time = next(time)) found.push(clock.format(time));
  return found;
}

it.each([
  ['Europe/Berlin', '2025-10-24T12:00Z', ['0 3', '30 2', '0 2']],
  ['Australia/Lord_Howe', '2025-04-03T12:00Z', ['0 2', '30 2', '30 1']],
  ['Australia/Lord_Howe', '2025-10-02T12:00Z', ['0 3', '30 1']],
  ['America/Havana', '2025-10-31T12:00Z', ['30 0', '30 1']],
  ['Africa/Casablanca', '2025-02-21T12:00Z', ['0 3', '30 2']],
  ['Asia/Kathmandu', '2025-02-21T12:00Z', ['0 3']],
])('once a day is once a day in %s from %s on, also where the clock is set', (zone, from, expressions) => {
  for (const expression of expressions) {
    const [minute, hour] = expression.split(' ').map((part) => part.padStart(2, '0'));
    const found = times(`${expression} * * *`, zone, from, 6);
    expect(found.map((text) => text.slice(11))).toEqual(Array(6).fill(`${hour}:${minute}`));
    expect(new Set(found.map((text) => text.slice(0, 10))).size).toBe(6);
  }
});

it('what the clock leaps over comes with the leap, once', () => {
  expect(times('30 2 * * *', 'Europe/Berlin', '2025-03-29T12:00Z', 2)).toEqual([
    '2025-03-30 03:00',
    '2025-03-31 02:30',
  ]);
  expect(times('0 0 * * *', 'America/Sao_Paulo', '2018-11-03T12:00Z', 2)).toEqual([
    '2018-11-04 01:00',
    '2018-11-05 00:00',
  ]);
});

it('every hour is every hour, also in one that comes twice or not at all', () => {
  const hours = (from: string): string[] =>
    times('0 * * * *', 'Europe/Berlin', from, 1).map((text) => text.slice(11, 13));
  expect(hours('2025-10-25T22:30Z').slice(0, 4)).toEqual(['01', '02', '02', '03']);
  expect(hours('2025-03-29T22:30Z').slice(0, 4)).toEqual(['00', '01', '03', '04']);
  expect(times('*/10 * * * *', 'Australia/Lord_Howe', '2025-04-05T12:00Z', 1)).toHaveLength(6 * 24 - 1);
  expect(times('0 0 * 1 1 *', 'Europe/Berlin', '2024-12-31T12:00Z', 365)).toHaveLength(24);
});

it.each(['* * * * *', '0 * * * *', '30 3 * * *'])(
  '%s goes on from a time with a fraction, as files have it',
  (expression) => {
    const after = Date.parse('2026-11-28T19:09:59.123Z');
    const next = cronTimes(expression, 'UTC');
    for (let fraction = 2 ** -12; fraction < 1; fraction += 1 / 64) expect(next(after + fraction)).toBe(next(after));
  },
);

it('names no time that there is not', () => {
  expect(() => cronTimes('0 0 30 2 *', 'UTC')).toThrow();
});
