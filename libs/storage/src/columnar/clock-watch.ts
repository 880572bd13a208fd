import { DAY, showDuration } from '@device-metrics/domain';

/** How far the clock may be from what is known of the time before nothing is deleted by it, ms. */
const DOUBTFUL = 2 * DAY;
/** How long somebody has to put it right, ms. */
const PATIENCE = DAY;

/** What a store knows of the clock from one run to the next. */
export interface ClockMark {
  /** What the clock said last, Unix milliseconds. */
  readonly seenAt: number;
  /** How long nothing is deleted by its age yet, ms; null where nothing waits. */
  readonly remaining: number | null;
  readonly reason: string;
}

/**
 * Whether what is old by the clock may be deleted: a clock that is wrong for once must not cost all samples. Deleting waits
 * for a day where the clock has jumped ahead, or is far beyond the newest sample. Then the clock is believed.
 */
export class ClockWatch {
  private time: number;
  private moment: number;
  private waitsUntil: number | undefined;
  private reason = '';
  private isBelieved = false;
  /** What the clock said, and the moment, when there was no doubt last. */
  private trusted: { readonly time: number; readonly moment: number };
  /** Whether the look before was one of the run before. */
  private isFirst: boolean;

  /**
   * @param now the clock, Unix milliseconds.
   * @param mark of the run before.
   * @param elapsed milliseconds of a clock that nobody sets.
   */
  constructor(
    private readonly now: () => number,
    mark?: ClockMark,
    private readonly elapsed: () => number = () => performance.now(),
  ) {
    this.time = mark?.seenAt ?? now();
    this.moment = elapsed();
    this.trusted = { time: this.time, moment: this.moment };
    this.isFirst = mark !== undefined;
    if (mark?.remaining != null) {
      this.waitsUntil = this.moment + mark.remaining;
      this.reason = mark.reason;
    }
  }

  /** To be kept for the next run. */
  mark(): ClockMark {
    const { moment, waitsUntil, reason } = this;
    return {
      seenAt: this.trustedAt(moment),
      remaining: waitsUntil === undefined ? null : Math.max(0, waitsUntil - moment),
      reason,
    };
  }

  /** Whether the clock has jumped ahead since the last look at it. */
  hasJumped(): boolean {
    return this.now() - this.time - (this.elapsed() - this.moment) > DOUBTFUL;
  }

  /** The time by which things are too old, Unix ms: while there is doubt, by the clock as it was before. */
  trustedNow(): number {
    const isTrusted = this.waitsUntil === undefined && !this.hasJumped();
    return isTrusted ? this.now() : Math.min(this.now(), this.trustedAt(this.elapsed()));
  }

  /**
   * Why nothing may be deleted now; undefined where it may.
   *
   * @param newest time of the newest sample; undefined where there is none.
   */
  doubt(newest: number | undefined): string | undefined {
    const [time, moment] = [this.now(), this.elapsed()];
    const jump = time - this.time - (moment - this.moment);
    this.time = time;
    this.moment = moment;
    const ahead = newest === undefined ? 0 : time - newest;
    if (ahead <= DOUBTFUL) this.isBelieved = false;
    const since = this.isFirst ? 'is ahead of when the database was last in use by' : 'has jumped ahead by';
    this.isFirst = false;
    if (jump > DOUBTFUL) this.wait(moment, `the clock ${since} ${showDuration(jump)}`);
    else if (ahead > DOUBTFUL && !this.isBelieved) {
      this.wait(moment, `the clock is ${showDuration(ahead)} ahead of the newest sample`);
    }
    if (this.waitsUntil !== undefined) {
      if (moment < this.waitsUntil) return this.reason;
      this.waitsUntil = undefined;
      this.isBelieved = true;
    }
    this.trusted = { time, moment };
    return undefined;
  }

  private trustedAt(moment: number): number {
    return this.trusted.time + moment - this.trusted.moment;
  }

  private wait(moment: number, why: string): void {
    if (this.waitsUntil !== undefined) return;
    this.waitsUntil = moment + PATIENCE;
    this.reason = `nothing is deleted by its age for a day, since ${why}; is the clock of this machine right?`;
  }
}
