import { MINUTE, showDuration } from '@device-metrics/domain';

/** From here on a clock is wrong, and not read late, ms. */
const WRONG = MINUTE;

/**
 * The database's clock, which all processes share: of one whose own clock is wrong nothing is deleted or sealed before its time.
 * Between two readings it goes on by a clock that nobody sets.
 */
export class DatabaseClock {
  private time: number;
  private moment: number;
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
    this.time = own();
    this.moment = elapsed();
  }

  now(): number {
    return Math.round(this.time + this.elapsed() - this.moment);
  }

  /** @param time that the database has just said, Unix ms. */
  read(time: number): void {
    this.time = time;
    this.moment = this.elapsed();
    const ahead = this.own() - time;
    const isWrong = Math.abs(ahead) > WRONG;
    if (isWrong && !this.isSaid) {
      this.say(
        `the clock of this machine is ${showDuration(Math.abs(ahead))} ${ahead > 0 ? 'ahead of' : 'behind'} that of the database: what is ` +
          'kept goes by the database, but samples without a time, relative times of reports and alerts go by this machine',
      );
    }
    this.isSaid = isWrong;
  }
}
