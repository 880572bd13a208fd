import { setTimeout } from 'node:timers/promises';
import { StoreUnavailableError, type Store } from '@device-metrics/storage';

/** How often the store is asked whether it is there again, ms, and for how long in all. */
const ASKING = 2_000;
const LONGEST = 3_600_000;
/** What the store does not answer though it is there is tried so often. */
const TRIES = 3;

/** Of a work that takes long: waits while the store is away, and goes on with what it was at. */
export class Patience {
  private left: number;

  constructor(
    private readonly store: Pick<Store, 'ping'>,
    private readonly signal: AbortSignal,
    private readonly asking = ASKING,
    longest = LONGEST,
  ) {
    this.left = Math.ceil(longest / asking);
  }

  /** What `act` gives. @throws what it throws, where that is not for want of the store, or it is away for too long. */
  async with<T>(act: () => Promise<T>): Promise<T> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await act();
      } catch (error) {
        if (!(error instanceof StoreUnavailableError) || tries === TRIES || !(await this.isThereAgain())) throw error;
      }
    }
  }

  private async isThereAgain(): Promise<boolean> {
    for (; this.left > 0 && !this.signal.aborted; this.left -= 1) {
      await setTimeout(this.asking, undefined, { signal: this.signal }).catch(() => undefined);
      const isThere = await this.store.ping().then(
        () => true,
        () => false,
      );
      if (isThere) return !this.signal.aborted;
    }
    return false;
  }
}
