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

  /** @param commit writes all the items or, when it throws, none of them. */
  constructor(private readonly commit: (items: readonly T[]) => void) {}

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
    if (group.length === 0) return;
    try {
      this.commit(group.map(({ item }) => item));
      for (const { resolve } of group) resolve();
    } catch (error) {
      for (const { reject } of group) reject(error);
    }
  }
}
