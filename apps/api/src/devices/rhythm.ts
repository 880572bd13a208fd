import { quantilesOf } from '@device-metrics/domain';

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

/** @param times of consecutive readings, Unix ms, ascending; undefined of fewer than two. */
export function rhythmOf(times: ArrayLike<number>): Rhythm | undefined {
  if (times.length < 2) return undefined;
  const gaps = new Float64Array(times.length - 1);
  for (let index = 0; index < gaps.length; index += 1) {
    gaps[index] = (times[index + 1] as number) - (times[index] as number);
  }
  const [interval = 0, pause = 0] = quantilesOf([gaps], [0.5, 0.9]);
  return { interval, pause };
}

/** When a device that was heard of last at `lastTime` becomes late, and when offline, Unix ms. */
export function deadlines(rhythm: Rhythm | undefined, lastTime: number): { lateAt: number; offlineAt: number } {
  const pause = Math.max(SHORTEST_PAUSE, Math.ceil(rhythm?.pause ?? UNKNOWN_PAUSE));
  return { lateAt: lastTime + LATE * pause, offlineAt: lastTime + OFFLINE * pause };
}

export function statusAt(now: number, { lateAt, offlineAt }: { lateAt: number; offlineAt: number }): DeviceStatus {
  return now < lateAt ? 'online' : now < offlineAt ? 'late' : 'offline';
}
