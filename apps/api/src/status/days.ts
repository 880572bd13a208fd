import { setImmediate } from 'node:timers/promises';
import { DAY, stepBounds, stepOf, toRfc3339, ZoneClock, type TimeRange } from '@device-metrics/domain';
import type { Store, StoredDevice } from '@device-metrics/storage';
import { silencesOf } from '../reporting/availability/silences.js';

/** How many days the page shows. */
export const DAYS = 90;

/** How long a device was watched and silent in each of the last days, ms. */
export interface DeviceDays {
  readonly watched: readonly number[];
  readonly silent: readonly number[];
}

/** The bounds of the last days in a time zone, the oldest first; the last is today, up to now. */
export function lastDays(
  now: number,
  timeZone: string,
): { readonly bounds: readonly number[]; readonly names: readonly string[] } {
  const step = stepOf({ unit: 'millisecond', count: DAY }, timeZone);
  if (!step) throw new Error('A day is a step.');
  const bounds = stepBounds({ start: now - (DAYS - 1) * DAY, end: now }, step).slice(-DAYS - 1);
  const clock = new ZoneClock(timeZone);
  // A little into the day, as a day begins at 1 where clocks are set at midnight.
  const names = bounds.slice(0, -1).map((start) => toRfc3339(clock.wallTime(start + DAY / 4)).slice(0, 10));
  return { bounds: [...bounds.slice(0, -1), now], names };
}

/** Looks through the silences of a device once for all days. */
export async function daysOf(
  store: Store,
  device: StoredDevice,
  bounds: readonly number[],
  now: number,
): Promise<DeviceDays> {
  // A page that everybody may ask for stands back behind other work.
  await setImmediate();
  const [first = now] = bounds;
  const watched: TimeRange = { start: Math.max(first, device.firstTime ?? device.lastTime), end: now };
  const series = await store.findSeries({ devices: [device.name] });
  const silences = watched.end > watched.start ? await silencesOf(store, series, watched, now) : [];
  const days = bounds.slice(0, -1).map((start, index) => ({ start, end: bounds[index + 1] ?? now }));
  return {
    watched: days.map((day) => overlap(day, watched)),
    silent: days.map((day) => {
      const within = { start: Math.max(day.start, watched.start), end: Math.min(day.end, watched.end) };
      return silences.reduce((sum, { start, end = now }) => sum + overlap({ start, end }, within), 0);
    }),
  };
}

const overlap = (a: TimeRange, b: TimeRange): number =>
  Math.max(0, Math.min(a.end, b.end) - Math.max(a.start, b.start));

/** Percent of the time that was watched; null where there was none. To the fourth place, and 100 only where nothing was missed. */
export function percentOf(watched: number, silent: number): number | null {
  if (watched <= 0) return null;
  const percent = Math.round((1 - silent / watched) * 1e6) / 1e4;
  return percent === 100 && silent > 0 ? 99.9999 : percent;
}
