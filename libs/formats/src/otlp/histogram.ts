/** A histogram as Prometheus has it: how many values were at most so large. */
export interface HistogramPoint {
  count: number;
  /** Undefined where the sender does not say, as for values below 0. */
  sum: number | undefined;
  /** Upper bounds, ascending; the last bucket, without a bound, is not among them. */
  readonly bounds: number[];
  /** For each bound how many values were at most that. */
  readonly atMost: number[];
}

/** Counts of one side of an exponential histogram. */
export interface Buckets {
  /** Index of the first one. */
  offset: number;
  readonly counts: number[];
}

export interface ExponentialPoint {
  scale: number;
  zeroCount: number;
  zeroThreshold: number;
  readonly positive: Buckets;
  readonly negative: Buckets;
}

/** Buckets of an exponential histogram are merged until there are at most 2^2 of them while values double. */
const FINEST_SCALE = 2;

/**
 * Puts explicit buckets into a point.
 *
 * @returns what is wrong with them, if anything.
 */
export function addExplicit(
  point: HistogramPoint,
  bounds: readonly number[],
  counts: readonly number[],
): string | undefined {
  if (counts.length === 0 && bounds.length === 0) return undefined;
  if (counts.length !== bounds.length + 1) {
    return `bucket_counts must be one more than explicit_bounds, got ${counts.length} and ${bounds.length}`;
  }
  let sum = 0;
  for (let at = 0; at < bounds.length; at += 1) {
    const bound = bounds[at] as number;
    if (!(bound > (bounds[at - 1] ?? -Infinity)))
      return `explicit_bounds must grow, got ${bounds[at - 1]} before ${bound}`;
    sum += counts[at] as number;
    if (bound === Infinity) continue;
    point.bounds.push(bound);
    point.atMost.push(sum);
  }
  return faultOfCount(point, sum + (counts[bounds.length] as number));
}

/** A bucket must not have more values than there are. */
function faultOfCount({ count }: HistogramPoint, sum: number): string | undefined {
  if (sum === count || sum > Number.MAX_SAFE_INTEGER) return undefined;
  return `count must be the sum of its buckets, ${sum}, got ${count}`;
}

/**
 * Puts the buckets of an exponential histogram into a point. Fine ones are merged, which is exact: else a range of values
 * that grows would give every bucket another bound.
 */
export function addExponential(point: HistogramPoint, given: ExponentialPoint): string | undefined {
  const { zeroCount, zeroThreshold } = given;
  const scale = Math.min(given.scale, FINEST_SCALE);
  const merge = 2 ** (given.scale - scale);
  const boundOf = (index: number): number => 2 ** (index * 2 ** -scale);
  let sum = 0;
  const add = (bound: number, count: number): void => {
    sum += count;
    const { bounds, atMost } = point;
    if (bounds[bounds.length - 1] === bound) {
      atMost[atMost.length - 1] = sum;
    } else if (Number.isFinite(bound)) {
      bounds.push(bound);
      atMost.push(sum);
    }
  };
  // The upper bound of a negative bucket is the lower bound of what it mirrors.
  for (const [index, count] of merged(given.negative, merge).reverse()) add(-boundOf(index), count);
  if (zeroCount > 0) add(zeroThreshold, zeroCount);
  for (const [index, count] of merged(given.positive, merge)) add(boundOf(index + 1), count);
  for (let at = 1; at < point.bounds.length; at += 1) {
    if (!((point.bounds[at] as number) > (point.bounds[at - 1] as number))) return 'its buckets overlap';
  }
  return given.positive.counts.length + given.negative.counts.length + zeroCount > 0
    ? faultOfCount(point, sum)
    : undefined;
}

/** Index and count of each bucket between the first and the last that have any, `merge` of them as one. */
function merged({ offset, counts }: Buckets, merge: number): [index: number, count: number][] {
  const buckets: [number, number][] = [];
  for (let at = 0; at < counts.length; at += 1) {
    const index = Math.floor((offset + at) / merge);
    const count = counts[at] as number;
    const last = buckets[buckets.length - 1];
    if (last?.[0] === index) last[1] += count;
    else if (last || count > 0) buckets.push([index, count]);
  }
  while (buckets.length > 0 && buckets[buckets.length - 1]?.[1] === 0) buckets.pop();
  return buckets;
}
