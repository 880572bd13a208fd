import { grownBy, interpolated, lowerBound, type Aggregation, type Samples } from '@device-metrics/domain';
import type { LookPoints } from './look-points.js';

/** The number of the samples from index `from` to before `to`; it is asked for windows that only go on. */
type NumberOf = (from: number, to: number) => number;

/** A percentile, or what a counter grew, of the window that ends at each point; NaN where it has none. */
export function overWindows(
  samples: Samples,
  aggregation: Aggregation,
  window: number,
  { start, step, count }: LookPoints,
): Float64Array {
  const { timestamps } = samples;
  const numberOf =
    aggregation.kind === 'quantile' ? quantile(samples, aggregation.quantile) : growth(samples, aggregation);
  const numbers = new Float64Array(count).fill(NaN);
  let [from, to] = [0, 0];
  for (let at = 0; at < count; at += 1) {
    const end = start + (at + 1) * step;
    while (to < timestamps.length && (timestamps[to] as number) < end) to += 1;
    while (from < to && (timestamps[from] as number) < end - window) from += 1;
    if (from < to) numbers[at] = numberOf(from, to);
  }
  return numbers;
}

/** From the last sample before the window on, as `aggregateSteps` has it. */
function growth({ timestamps, values }: Samples, { kind }: Aggregation): NumberOf {
  const grown = new Float64Array(values.length);
  for (let index = 1; index < grown.length; index += 1) {
    grown[index] = (grown[index - 1] as number) + grownBy(values[index - 1] as number, values[index] as number);
  }
  return (from, to) => {
    const [first, last] = [Math.max(0, from - 1), to - 1];
    if (first === last) return NaN;
    const increase = (grown[last] as number) - (grown[first] as number);
    return kind === 'rate'
      ? increase / (((timestamps[last] as number) - (timestamps[first] as number)) / 1000)
      : increase;
  };
}

function quantile({ values }: Samples, share: number): NumberOf {
  const sorted = Float64Array.from(values).sort();
  const chosen = new Chosen(sorted.length);
  const placeOf = (index: number): number => lowerBound(sorted, values[index] as number);
  let [first, end] = [0, 0];
  return (from, to) => {
    for (; end < to; end += 1) chosen.add(placeOf(end), 1);
    for (; first < from; first += 1) chosen.add(placeOf(first), -1);
    return interpolated(share, to - from, (rank) => (sorted[chosen.place(rank)] as number) + 0);
  };
}

/** How many are chosen at each of many places, in a tree of sums (Fenwick): as many steps as the places have binary digits. */
class Chosen {
  private readonly sums: Int32Array;

  constructor(places: number) {
    this.sums = new Int32Array(places + 1);
  }

  add(place: number, count: number): void {
    for (let at = place + 1; at < this.sums.length; at += at & -at) (this.sums[at] as number) += count;
  }

  /** Where the chosen one of a rank is, counted from 0. */
  place(rank: number): number {
    let [place, left] = [0, rank];
    for (let bit = 2 ** Math.floor(Math.log2(this.sums.length)); bit >= 1; bit /= 2) {
      const sum = this.sums[place + bit];
      if (sum === undefined || sum > left) continue;
      [place, left] = [place + bit, left - sum];
    }
    return place;
  }
}
