import { DAY, parseStep, ZoneClock, type StepLength, type TimeRange } from '@device-metrics/domain';

interface OffsetParameters {
  /** Obeys `offsetRule`. */
  readonly offset?: string;
  readonly timezone?: string;
}

/** The same range so much earlier, whole days and longer by the calendar of the zone; undefined without `offset`. */
export function rangeBefore(range: TimeRange, { offset, timezone = 'UTC' }: OffsetParameters): TimeRange | undefined {
  const length = offset === undefined ? undefined : parseStep(offset);
  if (!length) return undefined;
  const clock = new ZoneClock(timezone);
  return { start: earlier(range.start, length, clock), end: earlier(range.end, length, clock) };
}

function earlier(time: number, { unit, count }: StepLength, clock: ZoneClock): number {
  if (unit === 'month') return clock.atWall(monthsEarlier(clock.wallTime(time), count));
  const length = unit === 'week' ? 7 * DAY * count : count;
  return length % DAY === 0 ? clock.atWall(clock.wallTime(time) - length) : time - length;
}

/** The same day and time of another month, or the last day of that where it has no such day. */
function monthsEarlier(wall: number, months: number): number {
  const date = new Date(wall);
  const day = date.getUTCDate();
  date.setUTCDate(1);
  date.setUTCMonth(date.getUTCMonth() - months);
  const lastDay = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate();
  date.setUTCDate(Math.min(day, lastDay));
  return date.getTime();
}
