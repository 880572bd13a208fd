import { MAX_HOURS, parseDuration, parseHours, type TimeRange } from '@device-metrics/domain';
import { MAX_AHEAD, parseTime, quote, type Rule } from '@device-metrics/contract';
import { invalidInput } from '../http/problem.js';

const HOUR = 3_600_000;
const DEFAULT_HOURS = 24;
/** Times of a query may be as far from 1970 as this, ms: beyond all samples, and within what calendars can do. */
const MAX_TIME = Date.UTC(9999, 0);

/** Of `start_time` and `end_time` in a query. */
export const queryTimeRule: Rule = (value) =>
  queryTime(value, 0) !== undefined
    ? undefined
    : 'must be an RFC 3339 time as in 2026-01-15T10:00:00Z (write + as %2B), Unix milliseconds, now, or relative as in ' +
      `-6h, got ${quote(value)}`;

/** Of `time_range` in a query. */
export const timeRangeRule: Rule = (value) =>
  typeof value === 'string' && parseHours(value) !== undefined
    ? undefined
    : `must be a number of hours above 0 and up to ${MAX_HOURS}, got ${quote(value)}`;

/** Unix milliseconds of a query's time; undefined when it is none. */
function queryTime(value: unknown, now: number): number | undefined {
  if (typeof value !== 'string') return undefined;
  if (value === 'now') return now;
  const ago = /^-(\d[\d.]*[a-z]+)$/.exec(value)?.[1];
  const duration = ago === undefined ? undefined : parseDuration(ago);
  const absolute = parseTime(/^-?\d{1,16}$/.test(value) ? Number(value) : value);
  const time = duration === undefined ? absolute : now - duration;
  return time !== undefined && Math.abs(time) <= MAX_TIME ? time : undefined;
}

/**
 * The range of a report; both times obey `queryTimeRule`. Left open, it ends after the newest sample there can be, which
 * may be a little ahead of this server's clock, and starts 24 hours before its end, or before now.
 *
 * @throws Problem when the end is not after the start.
 */
export function reportRange(startTime: string | undefined, endTime: string | undefined, now: number): TimeRange {
  const end = queryTime(endTime, now) ?? openEnd(now);
  const start = queryTime(startTime, now) ?? (endTime === undefined ? now : end) - DEFAULT_HOURS * HOUR;
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
export function summaryRange({ time_range, start_time, end_time }: SpanParameters, now: number): TimeRange {
  if (time_range === undefined) return reportRange(start_time, end_time, now);
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
}

const openEnd = (now: number): number => now + MAX_AHEAD + 1;
