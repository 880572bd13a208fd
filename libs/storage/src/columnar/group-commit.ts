interface Waiting<T> {
  readonly item: T;
  readonly resolve: () => void;
  readonly reject: (reason: unknown) => void;
}

/**
 * Lets whatever is added in one turn of the event loop share one commit: a flush to disk costs the same for one request
 * as for a hundred.
 */
export class GroupCommit<T> {
  private waiting: Waiting<T>[] = [];

  /**
   * @param commit writes all the items or, when it throws, none of them.
   * @param isOfOne whether what it throws says something against one of the items only: then each is committed alone.
   */
  constructor(
    private readonly commit: (items: readonly T[]) => void,
    private readonly isOfOne: (error: unknown) => boolean,
  ) {}

  /** Resolves once `item` is committed. */
  add(item: T): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.waiting.length === 0) setImmediate(() => this.flush());
      this.waiting.push({ item, resolve, reject });
    });
  }

  /** Commits at once what still waits. */
  flush(): void {
    const group = this.waiting;
    this.waiting = [];
    this.commitTogether(group);
  }

  private commitTogether(group: readonly Waiting<T>[]): void {
    if (group.length === 0) return;
    try {
      this.commit(group.map(({ item }) => item));
      for (const { resolve } of group) resolve();
    } catch (error) {
      if (group.length > 1 && this.isOfOne(error)) for (const one of group) this.commitTogether([one]);
      else for (const { reject } of group) reject(error);
    }
  }
}
