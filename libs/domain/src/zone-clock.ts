import { DAY } from './durations.js';

/** The last moment that a Date can hold, ms. */
const MAX_TIME = 8.64e15;

/**
 * The clock on the wall of a time zone. A wall time is written as the Unix milliseconds at which a clock in UTC shows the
 * same date and time.
 */
export class ZoneClock {
  private readonly format: Intl.DateTimeFormat;
  private readonly isUtc: boolean;

  /** @param timeZone IANA name. */
  constructor(readonly timeZone: string) {
    this.format = formatOf(timeZone);
    this.isUtc = isUtc(timeZone);
  }

  /** What is added to a time for its wall time, ms. */
  offset(time: number): number {
    if (this.isUtc || !(Math.abs(time) <= MAX_TIME)) return 0;
    const name = this.format.formatToParts(time).find(({ type }) => type === 'timeZoneName')?.value ?? '';
    const match = /([+-])(\d{2}):(\d{2})(?::(\d{2}))?/.exec(name);
    if (!match) return 0;
    const seconds = (Number(match[2]) * 60 + Number(match[3])) * 60 + Number(match[4] ?? 0);
    return (match[1] === '-' ? -1 : 1) * seconds * 1000;
  }

  wallTime(time: number): number {
    return time + this.offset(time);
  }

  /** The first time at which the clock shows a wall time, or, where the clock leaps over it, the moment of the leap. */
  atWall(wall: number): number {
    const before = wall - this.offset(wall - DAY);
    if (before + this.offset(before) === wall) return before;
    const after = wall - this.offset(wall + DAY);
    return after + this.offset(after) === wall ? after : this.leapBetween(after, before);
  }

  /** The moment between two times, of which the earlier has another offset, at which the offset changes. */
  leapBetween(one: number, other: number): number {
    let [low, high] = [Math.min(one, other), Math.max(one, other)];
    const offset = this.offset(low);
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      if (this.offset(middle) === offset) low = middle;
      else high = middle;
    }
    return high;
  }
}

/** They are slow to make, and there are some hundred zones. */
const MOST_FORMATS = 1000;
const formats = new Map<string, Intl.DateTimeFormat>();

function formatOf(timeZone: string): Intl.DateTimeFormat {
  let format = formats.get(timeZone);
  if (!format) {
    format = new Intl.DateTimeFormat('en', { timeZone, timeZoneName: 'longOffset' });
    if (formats.size < MOST_FORMATS) formats.set(timeZone, format);
  }
  return format;
}

/**
 * Whether `timeZone` is an IANA name that this platform knows, such as `Europe/Berlin`. An offset such as `+01:00` is none,
 * though Node from 22 on takes it for one.
 */
export function isTimeZone(timeZone: string): boolean {
  if (!/^[A-Za-z]/.test(timeZone)) return false;
  try {
    formatOf(timeZone);
    return true;
  } catch {
    return false;
  }
}

/** Whether a zone is UTC, by this or another of its names. */
export function isUtc(timeZone: string): boolean {
  return timeZone === 'UTC' || formatOf(timeZone).resolvedOptions().timeZone === 'UTC';
}
