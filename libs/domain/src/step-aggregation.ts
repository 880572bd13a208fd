import { lowerBound } from './lower-bound.js';
import { quantilesOf } from './quantiles.js';

/** How the samples of one step become one number. */
export type Aggregation =
  | { readonly kind: 'mean' | 'min' | 'max' | 'sum' | 'count' | 'first' | 'last' | 'rate' | 'increase' }
  | { readonly kind: 'quantile'; readonly quantile: number };

const PLAIN = ['mean', 'min', 'max', 'sum', 'count', 'first', 'last', 'rate', 'increase'] as const;

/** An aggregation by its name: `mean`, …, or a percentile from `p0` to `p100`, as in `p99.9`; undefined for other texts. */
export function parseAggregation(name: string): Aggregation | undefined {
  const kind = PLAIN.find((plain) => plain === name);
  if (kind) return { kind };
  const percent = /^p(\d{1,3}(?:\.\d{1,3})?)$/.exec(name)?.[1];
  if (percent === undefined || Number(percent) > 100) return undefined;
  return { kind: 'quantile', quantile: Number(percent) / 100 };
}

/** Samples of one series in ascending order of time. */
export interface Samples {
  /** Unix milliseconds. */
  readonly timestamps: ArrayLike<number>;
  readonly values: ArrayLike<number>;
}

/**
 * One column for each aggregation, with one number for each step; null where a step has no samples, or for `rate` and
 * `increase` none that follows another. Step `i` goes from `bounds[i]` (included) to `bounds[i + 1]` (not included).
 *
 * - `increase`: what a counter grew between the samples of the step, from the last sample before the step on. A value below
 *   the one before it is a counter that started again at 0.
 * - `rate`: the same per second of the time between those samples, so that a gap does not lower it.
 * - `p…`: linear between the two nearest samples.
 */
export function aggregateSteps(
  samples: Samples,
  bounds: readonly number[],
  aggregations: readonly Aggregation[],
): (number | null)[][] {
  const columns: (number | null)[][] = aggregations.map(() => []);
  let from = lowerBound(samples.timestamps, bounds[0] ?? 0);
  for (let step = 1; step < bounds.length; step += 1) {
    const end = bounds[step] as number;
    let to = from;
    while (to < samples.timestamps.length && (samples.timestamps[to] as number) < end) to += 1;
    aggregations.forEach((aggregation, index) => columns[index]?.push(aggregate(aggregation, samples, from, to)));
    from = to;
  }
  return columns;
}

/** Of the samples from index `from` to before `to`. */
function aggregate(aggregation: Aggregation, samples: Samples, from: number, to: number): number | null {
  if (from === to) return null;
  const { values } = samples;
  switch (aggregation.kind) {
    case 'count':
      return to - from;
    case 'first':
      return values[from] as number;
    case 'last':
      return values[to - 1] as number;
    case 'sum':
      return sum(values, from, to);
    case 'mean':
      return sum(values, from, to) / (to - from);
    case 'min':
      return extreme(values, from, to, -1);
    case 'max':
      return extreme(values, from, to, 1);
    case 'quantile':
      return quantile(values, from, to, aggregation.quantile);
    case 'increase':
      return growth(samples, from, to).increase;
    case 'rate': {
      const { increase, seconds } = growth(samples, from, to);
      return increase === null ? null : increase / seconds;
    }
  }
}

function sum(values: ArrayLike<number>, from: number, to: number): number {
  let total = 0;
  for (let index = from; index < to; index += 1) total += values[index] as number;
  return total;
}

function extreme(values: ArrayLike<number>, from: number, to: number, sign: 1 | -1): number {
  let best = values[from] as number;
  for (let index = from + 1; index < to; index += 1) {
    const value = values[index] as number;
    if ((value - best) * sign > 0) best = value;
  }
  return best;
}

function quantile(values: ArrayLike<number>, from: number, to: number, share: number): number {
  const some = new Float64Array(to - from);
  for (let index = from; index < to; index += 1) some[index - from] = values[index] as number;
  return quantilesOf([some], [share])[0] as number;
}

/** What a counter grew from one value to the next; one below that before it is a counter that started again at 0. */
export const grownBy = (before: number, value: number): number => (value >= before ? value - before : value);

function growth(
  { timestamps, values }: Samples,
  from: number,
  to: number,
): { increase: number | null; seconds: number } {
  let increase: number | null = null;
  let milliseconds = 0;
  for (let index = Math.max(from, 1); index < to; index += 1) {
    const before = values[index - 1] as number;
    const value = values[index] as number;
    increase = (increase ?? 0) + grownBy(before, value);
    milliseconds += (timestamps[index] as number) - (timestamps[index - 1] as number);
  }
  return { increase, seconds: milliseconds / 1000 };
}
