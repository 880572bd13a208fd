import type { StoreOperation } from '@device-metrics/storage';

/** How far the clocks of two processes may be apart, ms. */
const SKEW = 2_000;

/**
 * The turns of a work on schedule, which one of several processes that share a database does. Where that one dies before a turn is done,
 * the next one does it, unless another turn has come meanwhile.
 */
export class SharedTurns {
  /** The last turn, Unix ms, where it was another process's, or nobody knew whose. */
  private open: number | undefined;

  constructor(
    private readonly store: Pick<StoreOperation, 'holds' | 'lastDone' | 'noteDone'>,
    private readonly work: string,
  ) {}

  /** Whether the turn of this time is this process's. */
  async isMine(time: number): Promise<boolean> {
    this.open = time;
    if (!(await this.store.holds(this.work))) return false;
    this.open = undefined;
    return true;
  }

  /** Whether the last turn is this process's by now, since the one that had it has left it undone. */
  async isLeftToMe(): Promise<boolean> {
    const { open } = this;
    if (open === undefined || !(await this.store.holds(this.work))) return false;
    const done = (await this.store.lastDone?.(this.work)) ?? -Infinity;
    this.open = undefined;
    return done < open - SKEW;
  }

  /** Takes note that the turn of this time is done. */
  async note(time: number): Promise<void> {
    await this.store.noteDone?.(this.work, time);
  }
}
