import {
  HOUR,
  MAX_HOURS,
  otherUnit,
  parseDuration,
  parseHours,
  ZoneClock,
  type TimeRange,
} from '@device-metrics/domain';
import { MAX_AHEAD, parseTime, quote, type Rule } from '@device-metrics/contract';
import { invalidInput } from '../http/problem.js';

const DEFAULT_HOURS = 24;
/** Times of a query may be as far from 1970 as this, ms: beyond all samples, and within what calendars can do. */
const MAX_TIME = Date.UTC(9999, 0);

/** Of `start_time` and `end_time` in a query. */
export const queryTimeRule: Rule = (value) => {
  const hint = otherUnit(value, Date.now());
  return hint === '' && queryTime(value, 0, 'UTC') !== undefined
    ? undefined
    : 'must be an RFC 3339 time such as 2026-01-15T10:00:00Z (write + as %2B), a date such as 2026-01-15, Unix ' +
        `milliseconds, now, or relative such as -6h, got ${quote(value)}${hint}`;
};

/** Of `time_range` in a query. */
export const timeRangeRule: Rule = (value) =>
  typeof value === 'string' && parseHours(value) !== undefined
    ? undefined
    : `must be a number of hours above 0 and up to ${MAX_HOURS}, got ${quote(value)}`;

/** Unix milliseconds of a query's time; undefined when it is none. */
function queryTime(value: unknown, now: number, timeZone: string): number | undefined {
  if (typeof value !== 'string') return undefined;
  if (value === 'now') return now;
  const ago = /^-(\d[\d.]*[a-z]+)$/.exec(value)?.[1];
  const duration = ago === undefined ? undefined : parseDuration(ago);
  const absolute = parseTime(/^-?\d{1,16}$/.test(value) ? Number(value) : value);
  const time = duration === undefined ? (absolute ?? midnight(value, timeZone)) : now - duration;
  return time !== undefined && Math.abs(time) <= MAX_TIME ? time : undefined;
}

/** When a plain date begins in a zone; undefined for other texts, and for dates that no calendar has. */
function midnight(text: string, timeZone: string): number | undefined {
  const wall = /^\d{4}-\d{2}-\d{2}$/.test(text) ? Date.parse(`${text}T00:00:00Z`) : NaN;
  const exists = Number.isFinite(wall) && new Date(wall).toISOString().startsWith(text);
  return exists ? new ZoneClock(timeZone).atWall(wall) : undefined;
}

/**
 * The range of a report; both times obey `queryTimeRule`, and a plain date is midnight in the time zone. Left open, it ends after the newest sample there can be, which
 * may be a little ahead of this server's clock, and starts 24 hours before its end, or before now.
 *
 * @throws Problem when the end is not after the start.
 */
export function reportRange(
  startTime: string | undefined,
  endTime: string | undefined,
  now: number,
  timeZone = 'UTC',
): TimeRange {
  const end = queryTime(endTime, now, timeZone) ?? openEnd(now);
  const start = queryTime(startTime, now, timeZone) ?? (endTime === undefined ? now : end) - DEFAULT_HOURS * HOUR;
  if (end <= start) {
    throw invalidInput([
      {
        field: 'end_time',
        reason: `must be after start_time, got start_time ${quote(startTime)} and end_time ${quote(endTime)}`,
      },
    ]);
  }
  return { start, end };
}

/** The last `timeRange` hours, which obey `timeRangeRule`, up to the newest sample there can be. */
export function lastHours(timeRange: string, now: number): TimeRange {
  return { start: Math.floor(now - Number(timeRange) * HOUR), end: openEnd(now) };
}

/** @throws Problem when `time_range` comes with a start or an end, or the end is not after the start. */
export function summaryRange({ time_range, start_time, end_time, timezone }: SpanParameters, now: number): TimeRange {
  if (time_range === undefined) return reportRange(start_time, end_time, now, timezone);
  if (start_time !== undefined || end_time !== undefined) {
    throw invalidInput([
      { field: 'time_range', reason: `must not come together with start_time or end_time, got ${quote(time_range)}` },
    ]);
  }
  return lastHours(time_range, now);
}

interface SpanParameters {
  readonly time_range?: string;
  readonly start_time?: string;
  readonly end_time?: string;
  readonly timezone?: string;
}

const openEnd = (now: number): number => now + MAX_AHEAD + 1;
