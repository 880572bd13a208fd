import { cronTimes } from './cron-times.js';

/** How often the clock is looked at, ms: it may be set, and no timer goes on while the machine sleeps. */
const LOOK = 60_000;

export interface ScheduleOptions {
  /** Of the calendar; that of this machine where left out. */
  readonly timeZone?: string;
  /** When it was done last, Unix ms: a time that has passed since, as the machine was off, is made up for. */
  readonly since?: number | undefined;
}

/**
 * Calls `act` at the times of a cron expression, by the clock as it is then. For times that have passed while the machine was asleep or
 * off, or its clock was behind, `act` is called once, a minute after the machine is there again at the latest.
 *
 * @returns ends it.
 */
export function runBySchedule(
  expression: string,
  act: () => void,
  { timeZone = Intl.DateTimeFormat().resolvedOptions().timeZone, since = Infinity }: ScheduleOptions = {},
): () => void {
  const after = cronTimes(expression, timeZone);
  let seen = Date.now();
  let due = after(Math.min(since, seen));
  let timer: NodeJS.Timeout;
  const wait = (): void => {
    const next = due > seen ? due : after(seen);
    timer = setTimeout(look, Math.min(LOOK, next - seen));
  };
  const look = (): void => {
    const now = Date.now();
    const isDue = due <= now;
    const isSetBack = now < seen;
    seen = now;
    if (isDue || isSetBack) due = after(now);
    wait();
    if (isDue) act();
  };
  wait();
  return () => clearTimeout(timer);
}
