import { parseDuration } from './quantities.js';
import type { TimeRange } from './time-range.js';
import { isUtc, ZoneClock } from './zone-clock.js';

const UNITS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** How long a step is: a span of time, or weeks or months of a calendar. */
export type StepLength =
  | { readonly unit: 'millisecond'; readonly count: number }
  | { readonly unit: 'week' | 'month'; readonly count: number };

/**
 * The length that a text names: a duration such as `30s`, `5m`, `1h` or `1d`, or `1w`, `1mo`, `1y` of the calendar.
 * Undefined for any other text.
 */
export function parseStep(text: string): StepLength | undefined {
  const calendar = /^([1-9]\d{0,3})(w|mo|y)$/.exec(text);
  if (calendar) {
    const count = Number(calendar[1]);
    return calendar[2] === 'w'
      ? { unit: 'week', count }
      : { unit: 'month', count: calendar[2] === 'y' ? 12 * count : count };
  }
  const count = /[wy]$/.test(text) ? undefined : parseDuration(text);
  return count === undefined ? undefined : { unit: 'millisecond', count };
}

/** About how long a step is, ms: a month counts as 30 days, a year as 365. */
export function nominalLength({ unit, count }: StepLength): number {
  if (unit === 'millisecond') return count;
  if (unit === 'week') return count * 7 * UNITS.d;
  return (Math.floor(count / 12) * 365 + (count % 12) * 30) * UNITS.d;
}

/** How a range of time is divided. */
export type Step =
  /** Into equal spans, counted from the Unix epoch. */
  | { readonly unit: 'millisecond'; readonly count: number }
  /** Into parts of a day, milliseconds, that begin when the clock of the zone shows a multiple of them. */
  | { readonly unit: 'clock'; readonly count: number; readonly timeZone: string }
  /** By the calendar of the zone: weeks begin on Monday, months on the first, years are 12 months from January on. */
  | { readonly unit: 'day' | 'week' | 'month'; readonly count: number; readonly timeZone: string };

/**
 * Steps of a length in a zone. Days are the zone's, and may have 23 or 25 hours. Shorter steps follow its clock, where a day
 * has a whole number of them; of other lengths, such as 5 hours or 36, there are none in a zone but UTC: undefined.
 */
export function stepOf(length: StepLength | number, timeZone: string): Step | undefined {
  if (typeof length === 'number') return stepOf({ unit: 'millisecond', count: length }, timeZone);
  const { unit, count } = length;
  if (unit !== 'millisecond') return { unit, count, timeZone };
  if (isUtc(timeZone)) return { unit, count };
  if (count % UNITS.d === 0) return { unit: 'day', count: count / UNITS.d, timeZone };
  return UNITS.d % count === 0 ? { unit: 'clock', count, timeZone } : undefined;
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
  if ((range.end - range.start) / shortest(step) > MAX_STEPS) throw new TooManyStepsError();
  switch (step.unit) {
    case 'millisecond':
      return equalBounds(range, step.count);
    case 'clock':
      return clockBounds(range, step.count, new ZoneClock(step.timeZone));
    default:
      return dateBounds(range, datesOf(step), new ZoneClock(step.timeZone));
  }
}

function shortest({ unit, count }: Step): number {
  const days = { day: 1, week: 7, month: 28 };
  return unit === 'millisecond' || unit === 'clock' ? count : count * days[unit] * UNITS.d - UNITS.h;
}

function equalBounds({ start, end }: TimeRange, length: number): number[] {
  const bounds = [Math.floor(start / length) * length];
  for (let bound = bounds[0] as number; bound < end;) bounds.push((bound += length));
  return bounds;
}

/** The dates on which steps begin. A date is the number of a day: 0 is 1 January 1970. */
interface Dates {
  /** The last one that is not after a date. */
  readonly from: (date: number) => number;
  readonly next: (date: number) => number;
}

function datesOf({ unit, count }: Exclude<Step, { unit: 'millisecond' | 'clock' }>): Dates {
  if (unit === 'month') return monthDates(count);
  // Several days are counted from the epoch, weeks from the first Monday after it.
  const [length, first] = unit === 'week' ? [7 * count, 4] : [count, 0];
  return {
    from: (date) => Math.floor((date - first) / length) * length + first,
    next: (date) => date + length,
  };
}

function monthDates(count: number): Dates {
  const monthOf = (date: number): number => {
    const day = new Date(date * UNITS.d);
    return day.getUTCFullYear() * 12 + day.getUTCMonth();
  };
  const firstOf = (month: number): number => {
    const day = new Date(0);
    day.setUTCFullYear(Math.floor(month / 12), ((month % 12) + 12) % 12, 1);
    return day.getTime() / UNITS.d;
  };
  return {
    from: (date) => firstOf(Math.floor(monthOf(date) / count) * count),
    next: (date) => firstOf(monthOf(date) + count),
  };
}

function dateBounds({ start, end }: TimeRange, dates: Dates, clock: ZoneClock): number[] {
  let date = dates.from(dateAt(start, clock));
  const bounds = [startOfDate(date, clock)];
  while ((bounds.at(-1) as number) < end) {
    const next = dates.next(date);
    const bound = nextStart((bounds.at(-1) as number) + (next - date) * UNITS.d, next, clock);
    date = next;
    // A calendar may leave out a day, as Samoa's did in 2011.
    if (bound > (bounds.at(-1) as number)) bounds.push(bound);
  }
  return bounds;
}

const dateAt = (time: number, clock: ZoneClock): number => Math.floor(clock.wallTime(time) / UNITS.d);

/** The start of a date; mostly that is `expected`, and to search for each takes ten times as long. */
function nextStart(expected: number, date: number, clock: ZoneClock): number {
  // Not once more soon after, as where clocks go back at 00:01.
  const starts =
    dateAt(expected - 1, clock) < date &&
    dateAt(expected, clock) === date &&
    dateAt(expected + UNITS.h / 2, clock) === date;
  return starts ? expected : startOfDate(date, clock);
}

/** The first millisecond of a date, which is within 26 hours of the same date's start in UTC. */
function startOfDate(date: number, clock: ZoneClock): number {
  let before = date * UNITS.d - 26 * UNITS.h;
  let within = date * UNITS.d + 26 * UNITS.h;
  while (within - before > 1) {
    const middle = Math.floor((before + within) / 2);
    if (dateAt(middle, clock) < date) before = middle;
    else within = middle;
  }
  return within;
}

/** Each day by itself, since clocks change on some of them. */
function clockBounds(range: TimeRange, length: number, clock: ZoneClock): number[] {
  const days = dateBounds(range, { from: (date) => date, next: (date) => date + 1 }, clock);
  const bounds: number[] = [];
  for (const [index, end] of days.slice(1).entries()) {
    const start = days[index] as number;
    const isEven = (end - start) % length === 0 && clock.wallTime(start) % length === 0;
    let bound = start;
    while (bound < end) {
      bounds.push(bound);
      // The hour that comes twice has as many steps each time, where these fit into the change.
      bound = isEven ? bound + length : nextOfClock(bound, length, clock);
    }
  }
  bounds.push(days.at(-1) as number);
  const first = bounds.findLastIndex((bound) => bound <= range.start);
  const last = bounds.findIndex((bound) => bound >= range.end);
  return bounds.slice(first, last + 1);
}

/** The first time after `time` at which the clock shows the next multiple of `length`, or has leapt beyond it. */
function nextOfClock(time: number, length: number, clock: ZoneClock): number {
  const multiple = (at: number): number => Math.floor(clock.wallTime(at) / length);
  const next = multiple(time) + 1;
  for (let from = time; ;) {
    const to = from + next * length - clock.wallTime(from);
    if (clock.offset(to) === clock.offset(from)) return to;
    const leap = clock.leapBetween(from, to);
    if (multiple(leap) >= next) return leap;
    from = leap;
  }
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
