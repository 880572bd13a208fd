/** Work of which each caller needs a run that begins after the call: all who wait share the next one. */
export class Rounds {
  private current: Promise<void> | undefined;
  private following: Promise<void> | undefined;

  constructor(private readonly work: () => Promise<void>) {}

  run(): Promise<void> {
    if (!this.current) return this.begin();
    this.following ??= this.current
      .catch(() => undefined)
      .then(() => {
        this.following = undefined;
        return this.begin();
      });
    return this.following;
  }

  /** Resolves once nothing is under way. */
  async idle(): Promise<void> {
    while (this.current) await (this.following ?? this.current).catch(() => undefined);
  }

  private begin(): Promise<void> {
    const run = this.work().finally(() => {
      if (this.current === run) this.current = undefined;
    });
    this.current = run;
    return run;
  }
}
