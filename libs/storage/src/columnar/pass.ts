import type { Series } from '@device-metrics/domain';

/** Samples, or steps, that are in memory at a time, about, unless one series has more. */
const AT_ONCE = 1_500_000;
/** Series of which an hour is decoded at a time: others wait for that. */
const MOST_SERIES = 1_000;

/**
 * What is collected of series of one device while its hours go by. Those for which there is no room wait for another pass
 * over the hours.
 */
export class Pass<T extends { readonly count: number }> {
  /** By the id of the series. */
  readonly found = new Map<number, T>();
  /** The ids of the series. */
  readonly wanted: Set<number>;

  constructor(
    /** That are collected, in the order in which they were asked for. */
    public series: readonly Series[],
    private readonly make: () => T,
    private readonly atOnce = AT_ONCE,
  ) {
    this.wanted = new Set(series.map(({ id }) => id));
  }

  /** Where a series is collected. */
  of(seriesId: number): T {
    let one = this.found.get(seriesId);
    if (one === undefined) this.found.set(seriesId, (one = this.make()));
    return one;
  }

  /** Lets series go, the last ones first, until there is room. */
  makeRoom(): void {
    while (this.series.length > 1 && this.count() > this.atOnce) {
      this.series = this.series.slice(0, Math.ceil(this.series.length / 2));
      const kept = new Set(this.series.map(({ id }) => id));
      for (const id of this.wanted) {
        if (kept.has(id)) continue;
        this.wanted.delete(id);
        this.found.delete(id);
      }
    }
  }

  private count(): number {
    let sum = 0;
    for (const { count } of this.found.values()) sum += count;
    return sum;
  }
}

/**
 * Passes in which what is wanted of each series is collected, in the order of the groups: as few over the hours of their devices as
 * there is room for.
 *
 * @param goThrough collects of all hours of the device of a group, and makes room after each.
 */
export async function* inPasses<T extends { readonly count: number }, G extends { readonly series: readonly Series[] }>(
  groups: readonly G[],
  make: () => T,
  goThrough: (group: G, pass: Pass<T>) => Promise<void>,
  atOnce = AT_ONCE,
): AsyncGenerator<Pass<T>> {
  let most = MOST_SERIES;
  for (const group of groups) {
    for (let at = 0; at < group.series.length;) {
      const asked = group.series.slice(at, at + most);
      const pass = new Pass(asked, make, atOnce);
      await goThrough(group, pass);
      yield pass;
      at += pass.series.length;
      // The next ones have about as many.
      if (pass.series.length < asked.length) most = pass.series.length;
    }
  }
}
