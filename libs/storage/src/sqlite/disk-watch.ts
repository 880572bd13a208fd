/** How long a disk has to take all that is written before it is trusted again, ms: one that fails now and then is said once. */
const QUIET = 10_000;

/** Whether the disk takes what is written: says once that it does not, and looks until it does. */
export class DiskWatch {
  private failed: { readonly reason: string; readonly at: number } | undefined;

  /**
   * @param path of the database.
   * @param tryToWrite throws where the disk does not take it.
   * @param say hears that the disk fails, and that it does not any more.
   * @param elapsed milliseconds of a clock that nobody sets.
   */
  constructor(
    private readonly path: string,
    private readonly tryToWrite: () => void,
    private readonly say: (problem: string) => void,
    private readonly elapsed: () => number = () => performance.now(),
  ) {}

  /** Why what is written may not come to the disk; undefined where nothing says so. */
  get failure(): string | undefined {
    return this.failed?.reason;
  }

  noteFailure(reason: string): void {
    if (!this.failed) this.say(`${this.path} cannot be written, and senders keep their samples: ${reason}`);
    // The first one says most: a page that could not be read is malformed later.
    this.failed = { reason: this.failed?.reason ?? reason, at: this.elapsed() };
  }

  /** Tries again where it failed. */
  look(): void {
    if (!this.failed) return;
    try {
      this.tryToWrite();
    } catch {
      this.failed = { ...this.failed, at: this.elapsed() };
    }
    if (this.elapsed() - this.failed.at < QUIET) return;
    this.failed = undefined;
    this.say(`${this.path} can be written again`);
  }
}
