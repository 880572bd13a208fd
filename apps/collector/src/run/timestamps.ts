/** How long a timestamp is remembered, ms; a clock that is set back further may repeat one. */
const REMEMBERED = 25 * 3_600_000;

/**
 * The times of runs. Follows the clock of the PC wherever it is set, but never gives the same millisecond twice: after an
 * hour back, samples would else overwrite those of the hour before.
 */
export class Timestamps {
  private readonly given = new Map<number, number>();

  /**
   * @param now Unix milliseconds.
   * @param elapsed milliseconds of a clock that nobody sets.
   */
  constructor(
    private readonly now: () => number = Date.now,
    private readonly elapsed: () => number = () => performance.now(),
  ) {}

  next(): number {
    const elapsed = this.elapsed();
    for (const [timestamp, at] of this.given) {
      if (elapsed - at < REMEMBERED) break;
      this.given.delete(timestamp);
    }
    let timestamp = this.now();
    while (this.given.has(timestamp)) timestamp += 1;
    this.given.set(timestamp, elapsed);
    return timestamp;
  }
}
