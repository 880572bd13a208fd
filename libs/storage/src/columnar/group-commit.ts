interface Waiting<T> {
  readonly item: T;
  readonly resolve: () => void;
  readonly reject: (reason: unknown) => void;
}

/** As senders on one machine come after each other, ms. */
const PATIENCE = 2;

/**
 * Lets whatever is added in one turn of the event loop share one commit: a flush to disk costs the same for one request
 * as for a hundred. Several senders come a little apart: where some shared a commit, the next one waits a moment for as many. One
 * that follows a commit of its own, as of a single sender, waits for nobody.
 */
export class GroupCommit<T> {
  private waiting: Waiting<T>[] = [];
  /** How many the next commit waits for. */
  private expected = 1;
  private timer: NodeJS.Timeout | undefined;

  /**
   * @param commit writes all the items or, when it throws, none of them.
   * @param isOfOne whether what it throws says something against one of the items only: then each is committed alone.
   * @param patience the longest that a commit waits for others, ms.
   */
  constructor(
    private readonly commit: (items: readonly T[]) => void,
    private readonly isOfOne: (error: unknown) => boolean,
    private readonly patience = PATIENCE,
  ) {}

  /** Resolves once `item` is committed. */
  add(item: T): Promise<void> {
    return new Promise((resolve, reject) => {
      const count = this.waiting.push({ item, resolve, reject });
      if (count === this.expected) this.flushSoon();
      else if (count === 1) this.timer = setTimeout(this.flushSoon, this.patience);
    });
  }

  /** Commits at once what still waits. */
  flush(): void {
    clearTimeout(this.timer);
    const group = this.waiting;
    if (group.length === 0) return;
    this.waiting = [];
    this.expected = group.length;
    this.commitTogether(group);
  }

  /** Once all has been read that is there. */
  private readonly flushSoon = (): void => void setImmediate(() => this.flush());

  private commitTogether(group: readonly Waiting<T>[]): void {
    try {
      this.commit(group.map(({ item }) => item));
      for (const { resolve } of group) resolve();
    } catch (error) {
      if (group.length > 1 && this.isOfOne(error)) for (const one of group) this.commitTogether([one]);
      else for (const { reject } of group) reject(error);
    }
  }
}
