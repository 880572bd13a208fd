/** How long work may hold the event loop before others get their turn, ms: a request that is taken in needs several. */
const SLICE = 2;

/** Cuts long work into slices: `if (slices.isOver()) await slices.next();` */
export class Slices {
  private started = performance.now();

  isOver(): boolean {
    return performance.now() - this.started >= SLICE;
  }

  /** Lets everything that waits go first. */
  async next(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    this.started = performance.now();
  }
}
