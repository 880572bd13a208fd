/** Long work of which only one run is under way at a time, and which can be stopped for good. */
export class SingleRun {
  private running: Promise<void> | undefined;
  /** The work is to end at its next opportunity. */
  stopped = false;

  constructor(private readonly work: () => Promise<void>) {}

  /** Runs the work; together with a run that is under way, if there is one. */
  run(): Promise<void> {
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

  /** Resolves once the run that is under way has ended, whatever came of it. */
  async stop(): Promise<void> {
    this.stopped = true;
    await this.running?.catch(() => undefined);
  }
}
