import type { TimeRange } from '@device-metrics/domain';
import { DAY, HOUR, MINUTE, SECOND } from '@device-metrics/domain';
import type { LocalTime } from './local-time.js';

/** Of the values of an axis, about; it has up to three more. */
const VALUE_TICKS = 4;
/** Most labels that a time axis has room for. */
const TIME_TICKS = 9;

export interface Ticks {
  /** Ascending, all equally far apart, at least two: the axis goes from the first to the last. */
  readonly values: readonly number[];
  readonly labels: readonly string[];
}

/** What an axis that does not begin at zero spans at the least, as a share of its values: noise is no mountain. */
const LEAST_SPAN = 0.1;

/**
 * Round values that enclose a range. Zero is among them unless the range is narrow and far from it.
 *
 * @param least how far they reach at the least where all values are at zero or above; then they begin there.
 */
export function valueTicks(low: number, high: number, least = 0): Ticks {
  if (least > 0 && low >= 0) return ticksBetween(0, Math.max(high, least));
  const isNarrow = high - low <= Math.max(Math.abs(low), Math.abs(high)) * 1e-9;
  const reachesZero =
    isNarrow || Math.min(Math.abs(low), Math.abs(high)) <= 0.6 * Math.max(Math.abs(low), Math.abs(high));
  if (reachesZero) return ticksBetween(Math.min(0, low), low === 0 && high === 0 ? 1 : Math.max(0, high));
  const missing = Math.max(0, LEAST_SPAN * Math.max(Math.abs(low), Math.abs(high)) - (high - low)) / 2;
  return ticksBetween(low - missing, high + missing);
}

function ticksBetween(from: number, to: number): Ticks {
  const { step, decimals } = roundStep((to - from) / VALUE_TICKS);
  const first = Math.floor(from / step);
  const length = Math.max(1, Math.ceil(to / step) - first) + 1;
  const values = Array.from({ length }, (_, index) => (first + index) * step);
  const isLong = decimals > 6 || Math.max(Math.abs(from), Math.abs(to)) >= 1e7;
  return {
    values,
    labels: values.map((value) => (isLong ? String(Number(value.toPrecision(12))) : plain(value.toFixed(decimals)))),
  };
}

const plain = (text: string): string => text.replace(/^-(?=0(\.0+)?$)/, '');

/** The first of 1, 2 and 5 times a power of ten that is not below `wanted`, and how many decimals it has. */
function roundStep(wanted: number): { step: number; decimals: number } {
  const exponent = Math.floor(Math.log10(wanted));
  const factor = [1, 2, 5].find((candidate) => wanted <= candidate * 10 ** exponent * 1.000001) ?? 10;
  const decimals = Math.max(0, -(factor === 10 ? exponent + 1 : exponent));
  return { step: factor * 10 ** exponent, decimals };
}

export interface TimeTick {
  /** Unix milliseconds. */
  readonly time: number;
  readonly label: string;
}

/** Times at which the clock or the calendar of the place shows round values, all within the range. */
export function timeTicks({ start, end }: TimeRange, local: LocalTime): TimeTick[] {
  const unit = TIME_UNITS.find(({ length }) => (end - start) / length <= TIME_TICKS) ?? years(start, end);
  const to = local.wall(end).getTime() + HOUR * 2;
  const times = new Set<number>();
  for (let wall = unit.first(local.wall(start)); wall <= to; wall = unit.next(wall)) times.add(local.atWall(wall));
  return [...times]
    .filter((time) => time >= start && time <= end)
    .map((time) => ({ time, label: unit.label(time, local) }));
}

/** Steps of a clock or a calendar; wall times are Dates whose UTC fields are the local ones. */
interface TimeUnit {
  /** Milliseconds, about. */
  readonly length: number;
  /** The last one before a wall time. */
  readonly first: (wall: Date) => number;
  readonly next: (wall: number) => number;
  readonly label: (time: number, local: LocalTime) => string;
}

const clock = (length: number): TimeUnit => ({
  length,
  first: (wall) => Math.floor(wall.getTime() / length) * length,
  next: (wall) => wall + length,
  label: (time, local) => {
    const isMidnight = local.wall(time).getTime() % DAY === 0;
    return isMidnight ? local.dayAndMonth(time) : local.clock(time, length < MINUTE);
  },
});

/** Weeks begin on Monday, as the fifth day since the epoch was. */
const days = (count: number): TimeUnit => ({
  length: count * DAY,
  first: (wall) => (Math.floor((wall.getTime() / DAY - 4) / count) * count + 4) * DAY,
  next: (wall) => wall + count * DAY,
  label: (time, local) => local.dayAndMonth(time),
});

const months = (count: number): TimeUnit => ({
  length: count * 30 * DAY,
  first: (wall) => {
    const month = Math.floor((wall.getUTCFullYear() * 12 + wall.getUTCMonth()) / count) * count;
    return Date.UTC(Math.floor(month / 12), month % 12);
  },
  next: (wall) => Date.UTC(new Date(wall).getUTCFullYear(), new Date(wall).getUTCMonth() + count),
  label: (time, local) => (count < 12 ? local.monthAndYear(time) : String(local.wall(time).getUTCFullYear())),
});

const years = (start: number, end: number): TimeUnit =>
  months(12 * Math.ceil((end - start) / (360 * DAY) / TIME_TICKS));

const TIME_UNITS: readonly TimeUnit[] = [
  ...[1, 2, 5, 10, 15, 30].map((count) => clock(count * SECOND)),
  ...[1, 2, 5, 10, 15, 30].map((count) => clock(count * MINUTE)),
  ...[1, 2, 3, 6, 12].map((count) => clock(count * HOUR)),
  ...[1, 2, 7, 14].map(days),
  ...[1, 2, 3, 6, 12].map(months),
];
