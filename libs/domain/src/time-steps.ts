import type { TimeRange } from './time-range.js';

/** How a range of time is divided: into equal spans counted from the Unix epoch, or into days of a calendar. */
export type Step =
  | { readonly unit: 'millisecond'; readonly length: number }
  | { readonly unit: 'day'; readonly length: number; readonly timeZone: string };

const UNITS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** Whole days follow the calendar of `timeZone`, where a day may have 23 or 25 hours; other lengths are equal spans. */
export function stepOf(length: number, timeZone: string): Step {
  return length % UNITS.d === 0 && timeZone !== 'UTC'
    ? { unit: 'day', length: length / UNITS.d, timeZone }
    : { unit: 'millisecond', length };
}

/** Whether `timeZone` is an IANA name that this platform knows, as in `Europe/Berlin`. */
export function isTimeZone(timeZone: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone });
    return true;
  } catch {
    return false;
  }
}

/** A range cannot be divided into more steps than this. */
export const MAX_STEPS = 100_000;

/** The division has more than MAX_STEPS steps. */
export class TooManyStepsError extends Error {
  override readonly name = 'TooManyStepsError';
}

/**
 * The bounds of the steps that cover the range, ascending: step `i` goes from bound `i` (included) to bound `i + 1` (not
 * included). The first may begin before the range and the last may end after it, so that steps of different ranges meet.
 *
 * @throws TooManyStepsError
 */
export function stepBounds(range: TimeRange, step: Step): number[] {
  const shortest = step.length * (step.unit === 'day' ? UNITS.d - UNITS.h : 1);
  if ((range.end - range.start) / shortest > MAX_STEPS) throw new TooManyStepsError();
  return step.unit === 'day' ? dayBounds(range, step) : equalBounds(range, step.length);
}

function equalBounds({ start, end }: TimeRange, length: number): number[] {
  const bounds = [Math.floor(start / length) * length];
  for (let bound = bounds[0] as number; bound < end;) bounds.push((bound += length));
  return bounds;
}

function dayBounds({ start, end }: TimeRange, { length, timeZone }: { length: number; timeZone: string }): number[] {
  const localDay = localDays(timeZone);
  // Days are numbered from 1970-01-01 of the local calendar, and steps of several days from day 0.
  let day = Math.floor(localDay(start) / length) * length;
  const bounds = [startOfDay(day, localDay)];
  while ((bounds.at(-1) as number) < end) {
    day += length;
    // Mostly; to search for each takes ten times as long.
    const expected = (bounds.at(-1) as number) + length * UNITS.d;
    const bound = startsDay(expected, day, localDay) ? expected : startOfDay(day, localDay);
    // A calendar may leave out a day, as Samoa's did in 2011.
    if (bound > (bounds.at(-1) as number)) bounds.push(bound);
  }
  return bounds;
}

/** The number of the local calendar's day at a time. */
function localDays(timeZone: string): (time: number) => number {
  const format = new Intl.DateTimeFormat('en-CA-u-ca-iso8601', {
    timeZone,
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
  });
  return (time) => {
    const parts = Object.fromEntries(format.formatToParts(time).map(({ type, value }) => [type, Number(value)]));
    return Date.UTC(parts['year'] as number, (parts['month'] as number) - 1, parts['day']) / UNITS.d;
  };
}

/** Whether a local day starts at a time, and not once more soon after, as where clocks go back at 00:01. */
const startsDay = (time: number, day: number, localDay: (time: number) => number): boolean =>
  localDay(time - 1) < day && localDay(time) === day && localDay(time + UNITS.h / 2) === day;

/** The first millisecond of a local day, which is within 26 hours of the same day's start in UTC. */
function startOfDay(day: number, localDay: (time: number) => number): number {
  let before = day * UNITS.d - 26 * UNITS.h;
  let within = day * UNITS.d + 26 * UNITS.h;
  while (within - before > 1) {
    const middle = Math.floor((before + within) / 2);
    if (localDay(middle) < day) before = middle;
    else within = middle;
  }
  return within;
}

/** The length of a step, ms, that shows a range in about `points` points: a round number of seconds, minutes, hours or days. */
export function autoStep({ start, end }: TimeRange, points: number): number {
  const wanted = (end - start) / points;
  return ROUND_STEPS.find((length) => length >= wanted) ?? Math.ceil(wanted / UNITS.d) * UNITS.d;
}

const ROUND_STEPS = [
  ...[1, 2, 5, 10, 15, 30].map((count) => count * UNITS.s),
  ...[1, 2, 5, 10, 15, 30].map((count) => count * UNITS.m),
  ...[1, 2, 3, 6, 12].map((count) => count * UNITS.h),
  ...[1, 2, 7].map((count) => count * UNITS.d),
];
