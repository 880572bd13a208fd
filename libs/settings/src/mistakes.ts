/** What is wrong in settings or a configuration file, by name or path, as in `third_party[1].url`; one reason for each. */
export class Mistakes {
  private readonly reasons = new Map<string, string>();

  /** @param between what stands between a name and its reason. */
  constructor(private readonly between = ': ') {}

  add(name: string, reason: string): void {
    if (!this.reasons.has(name)) this.reasons.set(name, reason);
  }

  has(name: string): boolean {
    return this.reasons.has(name);
  }

  get list(): string[] {
    return [...this.reasons].map(([name, reason]) => `${name}${this.between}${reason}`);
  }

  /**
   * @param clean takes secrets out of each.
   * @throws SettingsError with all of them, if there are any.
   */
  throwIfAny(clean: (mistake: string) => string = (mistake) => mistake): void {
    if (this.reasons.size > 0) throw new SettingsError(this.list.map(clean));
  }
}

/** Settings or a configuration that can't be used: all mistakes, each with its name or path and what is allowed. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';

  /** @param heading what they are, where they are none of what is written. */
  constructor(
    readonly mistakes: readonly string[],
    heading = `The configuration has ${mistakes.length === 1 ? 'a mistake' : `${mistakes.length} mistakes`}`,
  ) {
    super(heading);
  }
}
