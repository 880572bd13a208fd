import { quantileOfSorted, Slices } from '@device-metrics/domain';
import { FAR_AHEAD } from '@device-metrics/storage';

/** How regularly a device has been heard of lately. */
export interface Rhythm {
  /** The usual time between two readings, ms: half of the times are shorter. */
  readonly interval: number;
  /** The longest pause that it makes now and then, ms: nine of ten are shorter. At least `interval`. */
  readonly pause: number;
}

export type DeviceStatus = 'online' | 'late' | 'offline';
export const STATUSES: readonly DeviceStatus[] = ['online', 'late', 'offline'];

/** The pauses of a device count as at least so long, ms: uploads take their time too. */
const SHORTEST_PAUSE = 5_000;
/** Of a device that has not been heard of often enough to have a rhythm, ms. */
const UNKNOWN_PAUSE = 60_000;
/** A device is late after so many pauses without a reading, and offline after so many. */
const LATE = 3;
const OFFLINE = 10;
/** Fewer readings, or readings of a shorter time, ms, are a handful that was sent at once, and no rhythm. */
const FEWEST = 4;
const SHORTEST_TIME = 15_000;
/** Times between readings before and after one that tell its rhythm. */
const NEIGHBOURS = 32;
const FEWEST_NEIGHBOURS = 8;

/** @param times of consecutive readings, Unix ms, ascending; undefined where these are too few to tell. */
export const rhythmOf = (times: ArrayLike<number>): Rhythm | undefined =>
  haveRhythm(times) ? rhythmOfGaps(gapsOf(times)) : undefined;

function haveRhythm(times: ArrayLike<number>): boolean {
  const { length } = times;
  return length >= FEWEST && (times[length - 1] as number) - (times[0] as number) >= SHORTEST_TIME;
}

function gapsOf(times: ArrayLike<number>): Float64Array {
  const gaps = new Float64Array(Math.max(0, times.length - 1));
  for (let index = 0; index < gaps.length; index += 1) {
    gaps[index] = (times[index + 1] as number) - (times[index] as number);
  }
  return gaps;
}

function rhythmOfGaps(gaps: Float64Array): Rhythm {
  const sorted = gaps.length <= NEIGHBOURS ? sortedFew(gaps) : gaps.slice().sort();
  if (sorted.length === 0) return { interval: 0, pause: 0 };
  return { interval: quantileOfSorted(sorted, 0.5), pause: quantileOfSorted(sorted, 0.9) };
}

const few = new Float64Array(NEIGHBOURS);

/** Sorts gaps that are nearly all alike, a tenth as dear as by the engine. What it gives is overwritten by the next call. */
function sortedFew(gaps: Float64Array): Float64Array {
  for (let count = 0; count < gaps.length; count += 1) {
    const gap = gaps[count] as number;
    let at = count;
    for (; at > 0 && (few[at - 1] as number) > gap; at -= 1) few[at] = few[at - 1] as number;
    few[at] = gap;
  }
  return few.subarray(0, gaps.length);
}

/**
 * When a device that was heard of last at `lastTime` becomes late, and when offline, Unix ms. A time far ahead of `now` is that of a clock
 * that was wrong, and nothing has come since it is right: it is offline.
 */
export function deadlines(
  rhythm: Rhythm | undefined,
  lastTime: number,
  now = Infinity,
): { lateAt: number; offlineAt: number } {
  const pause = pauseOf(rhythm);
  const heard = isOfWrongClock(lastTime, now) ? now - OFFLINE * pause : lastTime;
  return { lateAt: heard + LATE * pause, offlineAt: heard + OFFLINE * pause };
}

/** Whether the time of a device's latest sample is so far ahead that the clock was wrong as it came. */
export const isOfWrongClock = (lastTime: number, now: number): boolean => lastTime > now + FAR_AHEAD;

const pauseOf = (rhythm: Rhythm | undefined): number =>
  Math.max(SHORTEST_PAUSE, Math.ceil(rhythm?.pause ?? UNKNOWN_PAUSE));

export function statusAt(now: number, { lateAt, offlineAt }: { lateAt: number; offlineAt: number }): DeviceStatus {
  return now < lateAt ? 'online' : now < offlineAt ? 'late' : 'offline';
}

/** A time between two readings, and how it compares with those around it. */
export interface Gap {
  /** Of the reading before, and of the one after, Unix ms. */
  readonly start: number;
  readonly end: number;
  /** How many readings there would have been by the rhythm of this stretch, with the one after; at least 1. */
  readonly expected: number;
  /** Whether it is so long that the device was late, by the rhythm of this stretch. */
  readonly isSilence: boolean;
}

/** The times between consecutive readings, each judged by the rhythm of its stretch. Works in slices. */
export async function gapsBetween(times: ArrayLike<number>): Promise<Gap[]> {
  const found: Gap[] = [];
  await judge(times, (index, expected, isSilence) =>
    found.push({ start: times[index] as number, end: times[index + 1] as number, expected, isSilence }),
  );
  return found;
}

/** How many readings there would have been after the first, up to the last, by the rhythm of each stretch. Works in slices. */
export async function expectedBetween(times: ArrayLike<number>): Promise<number> {
  let sum = 0;
  await judge(times, (_index, expected) => (sum += expected));
  return sum;
}

/**
 * Each stretch is judged by its own rhythm, the slower of that before and that after: a device that is set from a minute to
 * ten seconds has missed nothing.
 *
 * @param visit gets each time between two readings by the index of the first; the rest is as in `Gap`.
 */
async function judge(
  times: ArrayLike<number>,
  visit: (index: number, expected: number, isSilence: boolean) => void,
): Promise<void> {
  const gaps = gapsOf(times);
  const known = haveRhythm(times);
  const slices = new Slices();
  let [rhythm, from] = [undefined as Rhythm | undefined, -1];
  for (let index = 0; index < gaps.length; index += 1) {
    // To look anew at every fourth reading is enough, and four times as fast.
    if (!rhythm || index - from >= 4) {
      [rhythm, from] = [around(gaps, index), index];
      if (slices.isOver()) await slices.next();
    }
    const gap = gaps[index] as number;
    const expected = known ? Math.max(1, Math.round(gap / Math.max(1, rhythm.interval))) : 1;
    visit(index, expected, gap > LATE * Math.max(SHORTEST_PAUSE, known ? rhythm.pause : UNKNOWN_PAUSE));
  }
}

/** The slower of the rhythms before and after a gap; of a few gaps, of all that there are. */
function around(gaps: Float64Array, index: number): Rhythm {
  const before = gaps.subarray(Math.max(0, index - NEIGHBOURS), index);
  const after = gaps.subarray(index + 1, index + 1 + NEIGHBOURS);
  if (before.length < FEWEST_NEIGHBOURS) return rhythmOfGaps(after.length < FEWEST_NEIGHBOURS ? gaps : after);
  const earlier = rhythmOfGaps(before);
  if (after.length < FEWEST_NEIGHBOURS) return earlier;
  const later = rhythmOfGaps(after);
  return { interval: Math.max(earlier.interval, later.interval), pause: Math.max(earlier.pause, later.pause) };
}
