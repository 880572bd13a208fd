import { createRequire } from 'node:module';
import type * as Cron from 'cron';
import { ZoneClock } from '@device-metrics/domain';

const require = createRequire(import.meta.url);

/** The first time after another, Unix ms. */
export type NextTime = (after: number) => number;

/**
 * The times of a cron expression by the clock of a zone. A time of day that the clock shows twice comes once, and one that it leaps
 * over comes with the leap; what comes in every hour goes on through both. The library alone has times of its own around them: at
 * 2 and at 3 where 3 was named.
 *
 * @throws Error where it is no expression, or names no time that there is.
 */
export function cronTimes(expression: string, timeZone: string): NextTime {
  const { CronTime } = require('cron') as typeof Cron;
  const times = new CronTime(expression, 'UTC');
  times.sendAt();
  const clock = new ZoneClock(timeZone);
  const nextWall = (wall: number): number => times.getNextDateFrom(new Date(wall), 'UTC').toMillis();
  const next = isOfEveryHour(expression) ? inEveryHour(clock, nextWall) : once(clock, nextWall);
  // The times of files have fractions, with which a sum is not exact: no time was ever the one looked for.
  return (after) => next(Math.floor(after));
}

const isOfEveryHour = (expression: string): boolean =>
  /^@(hourly|minutely|secondly)$/.test(expression) || expression.trim().split(/\s+/).at(-4) === '*';

const once =
  (clock: ZoneClock, nextWall: NextTime): NextTime =>
  (after) => {
    for (let wall = clock.wallTime(after); ;) {
      wall = nextWall(wall);
      const time = clock.atWall(wall);
      if (time > after) return time;
    }
  };

const inEveryHour =
  (clock: ZoneClock, nextWall: NextTime): NextTime =>
  (after) => {
    for (let [from, wall] = [after, clock.wallTime(after)]; ;) {
      const next = nextWall(wall);
      const time = from + next - wall;
      if (clock.wallTime(time) === next) return time;
      // The clock is set before that: from then on it counts as if it had always shown that.
      const set = clock.leapBetween(from, time);
      [from, wall] = [set - 1, clock.wallTime(set) - 1];
    }
  };
