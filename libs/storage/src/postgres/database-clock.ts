import { MINUTE, showDuration } from '@device-metrics/domain';

/** From here on a clock is wrong, and not read late, ms. */
const WRONG = MINUTE;

/**
 * The database's clock, which all processes share: one whose own clock is wrong refuses, deletes and seals nothing before its time.
 * Between two readings it goes on by a clock that nobody sets, or by that of the machine where this has gone further: the other one
 * stands still while the machine sleeps, and what is of now would be of a time yet to come.
 */
export class DatabaseClock {
  private time: number;
  private moment: number;
  private ownTime: number;
  private isSaid = false;

  /**
   * @param say hears once that the clock of this machine is another one.
   * @param own the clock of this machine, Unix ms.
   * @param elapsed milliseconds of a clock that nobody sets.
   */
  constructor(
    private readonly say: (difference: string) => void,
    private readonly own: () => number = Date.now,
    private readonly elapsed: () => number = () => performance.now(),
  ) {
    this.time = this.ownTime = own();
    this.moment = elapsed();
  }

  now(): number {
    return Math.round(this.time + Math.max(this.elapsed() - this.moment, this.own() - this.ownTime));
  }

  /** @param time that the database has just said, Unix ms. */
  read(time: number): void {
    this.time = time;
    this.moment = this.elapsed();
    this.ownTime = this.own();
    const ahead = this.ownTime - time;
    const isWrong = Math.abs(ahead) > WRONG;
    if (isWrong && !this.isSaid) {
      this.say(
        `the clock of this machine is ${showDuration(Math.abs(ahead))} ${ahead > 0 ? 'ahead of' : 'behind'} that of the database: samples and ` +
          'alerts go by the database, but relative times of reports and which device is late go by this machine',
      );
    }
    this.isSaid = isWrong;
  }
}
