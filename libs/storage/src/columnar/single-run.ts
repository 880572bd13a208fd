/** Long work of which only one run is under way at a time, and which can be stopped for good. */
export class SingleRun {
  private running: Promise<void> | undefined;
  /** The work is to end at its next opportunity. */
  stopped = false;

  constructor(private readonly work: () => Promise<void>) {}

  /** Runs the work; together with a run that is under way, if there is one. Once it is stopped, nothing begins. */
  run(): Promise<void> {
    if (this.stopped) return this.running ?? Promise.resolve();
    this.running ??= this.work().finally(() => {
      this.running = undefined;
    });
    return this.running;
  }

  /** Runs the work as it is now: after a run that is under way, if there is one. */
  async runAnew(): Promise<void> {
    await this.running?.catch(() => undefined);
    await this.run();
  }

  /** Does other work while no run is under way; the next one begins after it. */
  async alone<T>(work: () => Promise<T>): Promise<T> {
    while (this.running) await this.running.catch(() => undefined);
    const result = work();
    const ended = result.then(
      () => undefined,
      () => undefined,
    );
    this.running = ended.finally(() => {
      this.running = undefined;
    });
    return result;
  }

  /** Resolves once the run that is under way has ended, whatever came of it. */
  async stop(): Promise<void> {
    this.stopped = true;
    await this.running?.catch(() => undefined);
  }
}
