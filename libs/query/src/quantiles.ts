import {
  addSorted,
  inSlices,
  orderInSlices,
  parseAggregation,
  quantilesOfSorted,
  Slices,
  type Series,
  type TimeRange,
} from '@device-metrics/domain';
import type { SampleStore } from '@device-metrics/storage';
import { refuseBeyond, type QueryLimit } from './cost.js';
import { hourlyUntilOf } from './plan.js';
import { QueryRefusal } from './refusal.js';

/** Values that are in memory at a time: 64 MiB. */
const MAX_VALUES = 1 << 23;

/** By names as `p50` and `p99.9`. */
export type Quantiles = Readonly<Record<string, number | null>>;

/** Series whose samples are taken together. */
export interface CountedSeries {
  readonly series: readonly Series[];
  /** Their samples in the range. */
  readonly count: number;
}

/**
 * The quantiles of the samples of each group; null where some of the samples are kept as hourly values only.
 *
 * @throws QueryRefusal when there are more samples than one answer, or one group of it, may take.
 */
export async function quantilesOfGroups(
  store: SampleStore,
  groups: readonly CountedSeries[],
  names: readonly string[],
  range: TimeRange,
  limit: QueryLimit,
): Promise<Quantiles[]> {
  const slices = new Slices();
  const all: Series[] = [];
  for (const { series } of groups) {
    for (const one of series) all.push(one);
    if (slices.isOver()) await slices.next();
  }
  const hourly = await hourlyUntilOf(store, all, range);
  const counts: number[] = [];
  let [total, largest] = [0, 0];
  await inSlices(
    groups,
    ({ series, count }) => {
      const readable = series.some((one) => hourly.has(one.deviceName)) ? 0 : count;
      counts.push(readable);
      total += readable;
      largest = Math.max(largest, readable);
    },
    slices,
  );
  refuseBeyond(limit, total, 'quantile', 'ask for fewer metrics or devices', range);
  if (largest > MAX_VALUES) {
    const reason = `can be of at most ${MAX_VALUES} samples in a row, got ${largest}; group_by finer, or ask for less time`;
    throw new QueryRefusal('quantile', reason);
  }
  const quantiles = names.map(quantileOf);
  const quantilesIn = (pieces: readonly Float64Array[]): Quantiles => {
    const values = quantilesOfSorted(pieces, quantiles);
    return Object.fromEntries(names.map((name, index) => [name, values[index] ?? null]));
  };
  const none: Quantiles = Object.fromEntries(names.map((name) => [name, null]));
  const found = groups.map(() => none);
  for (const [from, to] of together(counts)) {
    /** Of groups of several series, in sorted pieces. */
    const pieces = new Map<number, Float64Array[]>();
    await sortedValues(store, groups, counts, from, to, range, (index, sorted) => {
      const known = pieces.get(index);
      if (groups[index]?.series.length === 1) found[index] = quantilesIn([sorted]);
      else if (known) addSorted(known, sorted);
      else pieces.set(index, [sorted]);
    });
    for (const [index, some] of pieces) {
      found[index] = quantilesIn(some);
      if (slices.isOver()) await slices.next();
    }
  }
  return found;
}

const quantileOf = (name: string): number => {
  const aggregation = parseAggregation(name);
  return aggregation?.kind === 'quantile' ? aggregation.quantile : NaN;
};

/** `[from, to]` of groups whose values fit in memory together, so that a device of many metrics is read once for them. */
function* together(counts: readonly number[]): Generator<[number, number]> {
  let from = 0;
  let values = 0;
  for (const [index, count] of counts.entries()) {
    if (values + count > MAX_VALUES && index > from) {
      yield [from, index];
      from = index;
      values = 0;
    }
    values += count;
  }
  if (from < counts.length) yield [from, counts.length];
}

/** Calls `visit` with the sorted values of each series of the groups from `from` to before `to` that count something. */
async function sortedValues(
  store: SampleStore,
  groups: readonly CountedSeries[],
  counts: readonly number[],
  from: number,
  to: number,
  range: TimeRange,
  visit: (group: number, sorted: Float64Array) => void,
): Promise<void> {
  const groupOf = new Map<number, number>();
  const all: Series[] = [];
  const slices = new Slices();
  for (let index = from; index < to; index += 1) {
    for (const one of counts[index] === 0 ? [] : (groups[index] as CountedSeries).series) {
      groupOf.set(one.id, index);
      all.push(one);
    }
    if (slices.isOver()) await slices.next();
  }
  // Those of one device together, which is how they are stored.
  const order = await orderInSlices(all.length, (a, b) => byDevice(all[a] as Series, all[b] as Series));
  const series = Array.from(order, (at) => all[at] as Series);
  for await (const { series: one, values } of store.readSamples(series, range)) {
    visit(groupOf.get(one.id) as number, new Float64Array(values).sort());
    if (slices.isOver()) await slices.next();
  }
}

const byDevice = (a: Series, b: Series): number =>
  a.deviceName < b.deviceName ? -1 : a.deviceName > b.deviceName ? 1 : 0;
