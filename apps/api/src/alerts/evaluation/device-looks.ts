import type { StoredDevice } from '@device-metrics/storage';
import { deadlines, isOfWrongClock, type Rhythm } from '../../devices/rhythm.js';
import type { Arrival } from '../../live/arrivals.js';

/** How long a device has been silent, and how long it may be, ms. */
export interface DeviceSilence {
  readonly silent: number;
  readonly late: number;
  readonly offline: number;
}

/**
 * How long a device has been silent by the clock that nobody sets. Before anything has come since the start, the times of
 * its samples say it; but nobody is blamed for the time in which this server itself was not there.
 *
 * @param elapsed now, by `performance.now()`.
 * @param uptime since the rules are looked at, ms.
 * @returns undefined while it cannot be known.
 */
export function silenceOf(
  device: StoredDevice,
  rhythm: Rhythm | undefined,
  arrival: Readonly<Arrival> | undefined,
  clock: { readonly now: number; readonly elapsed: number; readonly uptime: number },
): DeviceSilence | undefined {
  const { lateAt, offlineAt } = deadlines(rhythm, 0);
  const limits = { late: lateAt, offline: offlineAt };
  if (arrival !== undefined) return { silent: clock.elapsed - arrival.heard, ...limits };
  const silent = isOfWrongClock(device.lastTime, clock.now) ? Infinity : clock.now - device.lastTime;
  if (silent < limits.late) return { silent: Math.max(0, silent), ...limits };
  return clock.uptime < limits.offline ? undefined : { silent: Math.min(silent, clock.uptime), ...limits };
}
