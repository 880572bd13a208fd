import { ZoneClock } from '@device-metrics/domain';

/** The last moment that a Date can hold, ms. */
const MAX_TIME = 8.64e15;

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** The clock and calendar of one time zone, as a person reads them. */
export class LocalTime extends ZoneClock {
  /** A Date whose UTC fields are the local ones. */
  wall(time: number): Date {
    return new Date(Math.max(-MAX_TIME, Math.min(MAX_TIME, this.wallTime(time))));
  }

  /** As `16 Jan 2026 10:00:03`. */
  dateAndTime(time: number): string {
    return `${this.date(time)} ${this.clock(time, true)}`;
  }

  /** As `16 Jan 2026`. */
  date(time: number): string {
    return `${this.dayAndMonth(time)} ${this.wall(time).getUTCFullYear()}`;
  }

  /** As `16 Jan`. */
  dayAndMonth(time: number): string {
    const wall = this.wall(time);
    return `${wall.getUTCDate()} ${MONTHS[wall.getUTCMonth()]}`;
  }

  /** As `Jan 2026`. */
  monthAndYear(time: number): string {
    const wall = this.wall(time);
    return `${MONTHS[wall.getUTCMonth()]} ${wall.getUTCFullYear()}`;
  }

  /** As `10:00` or `10:00:03`. */
  clock(time: number, seconds: boolean): string {
    return this.wall(time)
      .toISOString()
      .slice(-13, seconds ? -5 : -8);
  }
}
