import {
  addSorted,
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
  const hourly = await hourlyUntilOf(
    store,
    groups.flatMap(({ series }) => series),
    range,
  );
  const counts = groups.map(({ series, count }) => (series.some((one) => hourly.has(one.deviceName)) ? 0 : count));
  const total = counts.reduce((sum, count) => sum + count, 0);
  refuseBeyond(limit, total, 'quantile', 'ask for fewer metrics or devices', range);
  const largest = counts.reduce((most, count) => Math.max(most, count), 0);
  if (largest > MAX_VALUES) {
    const reason = `can be of at most ${MAX_VALUES} samples in a row, got ${largest}; group_by finer, or ask for less time`;
    throw new QueryRefusal('quantile', reason);
  }
  const quantiles = names.map(quantileOf);
  const found: Quantiles[] = [];
  const slices = new Slices();
  for (const [from, to] of together(counts)) {
    const readable = groups.slice(from, to).map(({ series }, index) => (counts[from + index] === 0 ? [] : series));
    for (const pieces of await sortedValues(store, readable, range)) {
      const values = pieces.length === 0 ? [] : quantilesOfSorted(pieces, quantiles);
      found.push(Object.fromEntries(names.map((name, index) => [name, values[index] ?? null])));
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

/** The values of each list of series, in sorted pieces. */
async function sortedValues(
  store: SampleStore,
  lists: readonly (readonly Series[])[],
  range: TimeRange,
): Promise<Float64Array[][]> {
  const pieces = lists.map((): Float64Array[] => []);
  const listOf = new Map<number, number>();
  lists.forEach((series, index) => series.forEach(({ id }) => listOf.set(id, index)));
  // Those of one device together, which is how they are stored.
  const series = lists.flat().sort((a, b) => (a.deviceName < b.deviceName ? -1 : a.deviceName > b.deviceName ? 1 : 0));
  const slices = new Slices();
  for await (const { series: one, values } of store.readSamples(series, range)) {
    addSorted(pieces[listOf.get(one.id) ?? 0] ?? [], new Float64Array(values).sort());
    if (slices.isOver()) await slices.next();
  }
  return pieces;
}
