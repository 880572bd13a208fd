/** The last moment that a Date can hold, ms. */
const MAX_TIME = 8.64e15;

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** The clock and calendar of one time zone. */
export class LocalTime {
  private readonly format: Intl.DateTimeFormat;

  /** @param timeZone IANA name. */
  constructor(readonly timeZone: string) {
    this.format = new Intl.DateTimeFormat('en', { timeZone, timeZoneName: 'longOffset' });
  }

  /** What is added to a time for a Date whose UTC fields are the local ones, ms. */
  offset(time: number): number {
    const name = this.format.formatToParts(time).find(({ type }) => type === 'timeZoneName')?.value ?? '';
    const match = /([+-])(\d{2}):(\d{2})(?::(\d{2}))?/.exec(name);
    if (!match) return 0;
    const seconds = (Number(match[2]) * 60 + Number(match[3])) * 60 + Number(match[4] ?? 0);
    return (match[1] === '-' ? -1 : 1) * seconds * 1000;
  }

  /** A Date whose UTC fields are the local ones. */
  wall(time: number): Date {
    return new Date(Math.max(-MAX_TIME, Math.min(MAX_TIME, time + this.offset(time))));
  }

  /** The first time at which the clock shows a wall time, or, where the clock leaps over it, the moment of the leap. */
  atWall(wall: number): number {
    const before = wall - this.offset(wall - DAY);
    if (before + this.offset(before) === wall) return before;
    const after = wall - this.offset(wall + DAY);
    return after + this.offset(after) === wall ? after : this.leapBetween(after, before);
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

  /** The moment between two times, of which the earlier has the smaller offset, at which the offset changes. */
  private leapBetween(earlier: number, later: number): number {
    let [low, high] = [Math.min(earlier, later), Math.max(earlier, later)];
    const offset = this.offset(low);
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      if (this.offset(middle) === offset) low = middle;
      else high = middle;
    }
    return high;
  }
}

const DAY = 86_400_000;
