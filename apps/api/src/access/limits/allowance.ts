/** How long somebody may save up what they have not used, s: so much may come at once. */
const BURST = 10;
/** How many are remembered; beyond it those go that were refused nothing. */
const MOST_REMEMBERED = 10_000;

/** What is left, and when that was. */
interface Account {
  left: number;
  at: number;
}

/**
 * So much a second for each of many, in the long run. Who has something left may take any amount, and then waits until that is made
 * up for: a large request is never refused for ever.
 */
export class Allowance {
  private readonly accounts = new Map<string, Account>();

  /**
   * @param perSecond 0: any amount.
   * @param now milliseconds of a clock that nobody sets.
   * @param processes how many share the work now: each allows its share, since a balancer spreads what comes.
   */
  constructor(
    readonly perSecond: number,
    private readonly now: () => number = () => performance.now(),
    private readonly processes: () => number = () => 1,
  ) {}

  /** Takes an amount; says after how many seconds there is something left again, where there is nothing: then nothing is taken. */
  take(name: string, amount: number): number | undefined {
    if (this.perSecond === 0) return undefined;
    const account = this.accountOf(name);
    if (account.left <= 0) return Math.ceil((1 - account.left) / this.rate());
    account.left -= amount;
    return undefined;
  }

  private rate(): number {
    return this.perSecond / this.processes();
  }

  private accountOf(name: string): Account {
    const now = this.now();
    const most = this.rate() * BURST;
    let account = this.accounts.get(name);
    if (!account) {
      if (this.accounts.size >= MOST_REMEMBERED) this.forget();
      account = { left: most, at: now };
      this.accounts.set(name, account);
    }
    account.left = Math.min(most, account.left + ((now - account.at) / 1_000) * this.rate());
    account.at = now;
    return account;
  }

  private forget(): void {
    for (const [name, { left }] of this.accounts) if (left > 0) this.accounts.delete(name);
    if (this.accounts.size >= MOST_REMEMBERED) this.accounts.clear();
  }
}
