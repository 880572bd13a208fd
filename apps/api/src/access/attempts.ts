import { showDuration } from '@device-metrics/domain';
import { Problem } from '../http/problem.js';

/** How many names are remembered; beyond it the oldest are forgotten. */
const MOST_NAMES = 100_000;

interface Window {
  count: number;
  readonly until: number;
}

/**
 * How often somebody may fail within a time: guesses run out of tries. Of several processes each allows its share, since a
 * balancer spreads what comes.
 */
export class Attempts {
  private readonly windows = new Map<string, Window>();

  /**
   * @param most failures within a window.
   * @param length of a window, ms.
   * @param processes how many share the work now.
   * @param now milliseconds of a clock that nobody sets.
   */
  constructor(
    private readonly most: number,
    private readonly length: number,
    private readonly processes: () => number = () => 1,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** @throws Problem when there are none left. */
  assertLeft(name: string): void {
    const window = this.windows.get(name);
    if (!window) return;
    const left = window.until - this.now();
    if (left <= 0) return void this.windows.delete(name);
    if (window.count < this.mostHere()) return;
    throw new Problem('too-many-attempts', `Too many attempts; try again in ${showDuration(left)}.`, {
      retryAfter: Math.ceil(left / 1_000),
    });
  }

  /** Counts an attempt. Before it is known how it ends: others that come meanwhile would all have one left. */
  count(name: string): void {
    const now = this.now();
    let window = this.windows.get(name);
    if (!window || window.until <= now) {
      window = { count: 0, until: now + this.length };
      this.windows.delete(name);
      this.windows.set(name, window);
      const [oldest] = this.windows.keys();
      if (this.windows.size > MOST_NAMES && oldest !== undefined) this.windows.delete(oldest);
    }
    window.count += 1;
  }

  /** One that was counted was no failure. */
  giveBack(name: string): void {
    const window = this.windows.get(name);
    if (window && window.count > 0) window.count -= 1;
  }

  private mostHere(): number {
    return Math.ceil(this.most / this.processes());
  }

  /** Somebody has shown who they are. */
  clear(name: string): void {
    this.windows.delete(name);
  }
}
