import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { DAY, HOUR, MINUTE } from '@device-metrics/domain';
import { readMaintenance } from './config.js';

const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];

/** Days on which clocks are set, and one on which they are not. */
const CHANGES = [
  ['Europe/Berlin', Date.UTC(2026, 2, 29)],
  ['Europe/Berlin', Date.UTC(2026, 9, 25)],
  ['America/New_York', Date.UTC(2026, 2, 8)],
  ['America/New_York', Date.UTC(2026, 10, 1)],
  ['Australia/Sydney', Date.UTC(2026, 3, 5)],
  ['Australia/Lord_Howe', Date.UTC(2026, 3, 5)],
  ['Asia/Kolkata', Date.UTC(2026, 6, 1)],
] as const;

interface Reading {
  readonly day: string;
  readonly minutes: number;
}
const clocks = new Map<string, (time: number) => Reading>();

/** What the clock of a zone shows: weekday and minutes since midnight. */
function clock(zone: string): (time: number) => Reading {
  const same = clocks.get(zone);
  if (same) return same;
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    weekday: 'short',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  });
  const known = new Map<number, Reading>();
  const read = (time: number): Reading => {
    const before = known.get(time);
    if (before) return before;
    const parts = Object.fromEntries(format.formatToParts(time).map(({ type, value }) => [type, value]));
    const reading = {
      day: String(parts['weekday']).toLowerCase(),
      minutes: Number(parts['hour']) * 60 + Number(parts['minute']),
    };
    known.set(time, reading);
    return reading;
  };
  clocks.set(zone, read);
  return read;
}

/**
 * The plain reference: the moments at which the clock shows the beginning of the window, or passes over it. Where it is
 * shown twice, the window may begin at either.
 */
function beginnings(zone: string, days: readonly string[], at: number, from: number, to: number): number[] {
  const read = clock(zone);
  const found: number[] = [];
  for (let time = from; time < to; time += 5 * MINUTE) {
    const { day, minutes } = read(time);
    const before = read(time - 5 * MINUTE);
    const isShown = minutes === at;
    const isPassedOver = before.day === day && before.minutes < at && minutes > at && minutes - before.minutes > 5;
    if (days.includes(day) && (isShown || isPassedOver)) found.push(time);
  }
  return found;
}

it.each(['weekly', 'cron'])(
  'a %s window is on where the clock of its zone says so, over midnight and where clocks are set',
  (kind) => {
    fc.assert(
      fc.property(
        fc.constantFrom(...CHANGES),
        fc.subarray(DAYS, { minLength: 1 }),
        fc.integer({ min: 0, max: 47 }),
        fc.constantFrom(1, 2, 3, 10, 30),
        ([zone, change], days, halfHour, hours) => {
          const at = halfHour * 30;
          const text = (part: number): string => String(part).padStart(2, '0');
          const { isOn } = readMaintenance(
            {
              name: 'w',
              ...(kind === 'weekly'
                ? { weekly: { days, at: `${text(Math.floor(at / 60))}:${text(at % 60)}` } }
                : { cron: `${at % 60} ${Math.floor(at / 60)} * * ${days.join(',')}` }),
              duration: `${hours}h`,
              timezone: zone,
            },
            change,
          );
          const starts = beginnings(zone, days, at, change - 3 * DAY, change + 3 * DAY);
          const wrong: string[] = [];
          for (let now = change - DAY; now < change + 2 * DAY; now += 15 * MINUTE) {
            const begun = starts.filter((start) => start <= now && now < start + hours * HOUR);
            // Where a time of day comes twice, one of the two is enough.
            const isTwice = begun.some((start) =>
              starts.some((other) => other !== start && Math.abs(other - start) <= 2 * HOUR),
            );
            if (!isTwice && isOn(now) !== begun.length > 0) wrong.push(new Date(now).toISOString());
          }
          expect([zone, ...wrong]).toEqual([zone]);
        },
      ),
      { numRuns: process.env['DEVICE_METRICS_LONG'] ? 200 : 25 },
    );
  },
);
