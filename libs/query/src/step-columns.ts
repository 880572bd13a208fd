import { HOUR, aggregateSteps, Slices, type Aggregation, type Samples, type Series } from '@device-metrics/domain';
import type { ReadOptions, SampleStore, StepAggregate } from '@device-metrics/storage';
import type { Steps } from './divide.js';
import type { LastSample, LastSamples } from './look-back.js';
import { AT_ONCE, inGroups, type SeriesCount } from './series-groups.js';

/** Steps that are made before others may get their turn. */
const STEPS_AT_ONCE = 2_000;

/** One number for each step, null where it has no samples. */
export type StepColumn = (number | null)[];

/** The columns of one series, one for each aggregation. */
export interface SeriesColumns {
  readonly series: Series;
  readonly columns: StepColumn[];
}

/** What an aggregation is made of. */
export type AggregationKind = 'summary' | 'quantile' | 'growth';

export const kindOf = ({ kind }: Aggregation): AggregationKind =>
  kind === 'quantile' ? 'quantile' : kind === 'rate' || kind === 'increase' ? 'growth' : 'summary';

/**
 * The length, ms, of pieces that each lie in one step: the whole step where all are of the same full hours, else an hour or
 * a part of it, since the store has summaries of hours; undefined where none fits.
 */
export function pieceOf({ length, bounds }: Steps): number | undefined {
  const start = bounds[0] as number;
  const whole = length % HOUR === 0 && start % HOUR === 0 ? [length] : [];
  return [...whole, Math.min(length, HOUR), HOUR / 2, HOUR / 4].find((piece) =>
    bounds.every((bound) => (bound - start) % piece === 0),
  );
}

/** An aggregation that the store's summaries are enough for. */
export type SummaryKind = 'mean' | StepAggregate;

/**
 * From the store's summaries, which for whole hours costs no samples.
 *
 * @param piece length, ms, of pieces that each lie within a step.
 */
export async function* columnsOfSummaries(
  store: SampleStore,
  series: readonly Series[],
  bounds: readonly number[],
  kinds: readonly SummaryKind[],
  piece: number,
): AsyncGenerator<SeriesColumns> {
  const range = { start: bounds[0] as number, end: bounds.at(-1) as number };
  const aggregates = [...new Set(kinds.flatMap((kind) => (kind === 'mean' ? (['sum', 'count'] as const) : [kind])))];
  const slices = new Slices();
  for await (const { series: one, starts, columns } of store.readSteps(series, { range, step: piece, aggregates })) {
    const ofSteps = new Map<SummaryKind, StepColumn>();
    for (const [index, aggregate] of aggregates.entries()) {
      const pieces = { timestamps: starts, values: columns[index] as Float64Array };
      const kind = aggregate === 'count' ? 'sum' : aggregate;
      const [column] = await inSlices(pieces, bounds, [{ kind }], slices);
      ofSteps.set(aggregate, column as StepColumn);
    }
    if (kinds.includes('mean')) ofSteps.set('mean', quotients(ofSteps.get('sum') ?? [], ofSteps.get('count') ?? []));
    yield { series: one, columns: kinds.map((kind) => ofSteps.get(kind) as StepColumn) };
  }
}

/** As `aggregateSteps`, some steps at a time: others get their turn in between. */
async function inSlices(
  samples: Samples,
  bounds: readonly number[],
  aggregations: readonly Aggregation[],
  slices: Slices,
): Promise<StepColumn[]> {
  const steps = bounds.length - 1;
  if (steps <= STEPS_AT_ONCE) return aggregateSteps(samples, bounds, aggregations);
  const columns = aggregations.map((): StepColumn => []);
  for (let from = 0; from < steps; from += STEPS_AT_ONCE) {
    const part = aggregateSteps(samples, bounds.slice(from, from + STEPS_AT_ONCE + 1), aggregations);
    part.forEach((values, index) => {
      for (const value of values) columns[index]?.push(value);
    });
    if (slices.isOver()) await slices.next();
  }
  return columns;
}

const quotients = (dividends: StepColumn, divisors: StepColumn): StepColumn =>
  dividends.map((dividend, row) => (dividend === null ? null : dividend / (divisors[row] as number)));

/** What samples are made into. */
export interface SampleSteps {
  readonly bounds: readonly number[];
  readonly aggregations: readonly Aggregation[];
  /** Whether they are of what counters grew, which begins at the sample before a step. */
  readonly growth: boolean;
  /** The last sample of each series before the hour in which the first step begins. */
  readonly growsFrom: LastSamples;
}

/**
 * From the samples, however many there are: a series of very many is read in windows of time.
 *
 * @param counts the series, and how many samples each has from the hour on in which the first step begins.
 * @param atOnce samples that are in memory at a time, about, unless a single step has more.
 */
export async function* columnsOfSamples(
  store: SampleStore,
  counts: readonly SeriesCount[],
  wanted: SampleSteps,
  atOnce = AT_ONCE,
): AsyncGenerator<SeriesColumns> {
  const { bounds, aggregations } = wanted;
  const range = { start: startOf(wanted), end: bounds.at(-1) as number };
  const slices = new Slices();
  for (const { series: some, count } of inGroups(counts, atOnce)) {
    if (count > atOnce) {
      const [one] = some as [Series];
      yield { series: one, columns: await inWindows(store, one, wanted, Math.ceil(count / atOnce)) };
      continue;
    }
    for await (const samples of store.readSamples(some, range, optionsOf(wanted))) {
      const all = after(wanted.growsFrom.get(samples.series.id), samples);
      yield { series: samples.series, columns: await inSlices(all, bounds, aggregations, slices) };
    }
  }
}

async function inWindows(
  store: SampleStore,
  series: Series,
  wanted: SampleSteps,
  windows: number,
): Promise<StepColumn[]> {
  const { bounds, aggregations, growth } = wanted;
  let start = startOf(wanted);
  let before = wanted.growsFrom.get(series.id);
  const steps = bounds.length - 1;
  const stepsPerWindow = Math.ceil(steps / windows);
  const columns = aggregations.map(() => new Array<number | null>(steps).fill(null));
  const slices = new Slices();
  for (let from = 0; from < steps; from += stepsPerWindow) {
    const part = bounds.slice(from, from + stepsPerWindow + 1);
    const end = part.at(-1) as number;
    let lastTime: number | undefined;
    for await (const samples of store.readSamples([series], { start, end }, optionsOf(wanted))) {
      for (const [index, values] of (await inSlices(after(before, samples), part, aggregations, slices)).entries()) {
        values.forEach((value, step) => ((columns[index] as StepColumn)[from + step] = value));
      }
      lastTime = lastBefore(end, samples.timestamps) ?? lastTime;
    }
    if (!growth) start = end;
    if (!growth || lastTime === undefined) continue;
    // From the hour of the last sample on: hourly values are read of whole hours, beyond the window too.
    start = Math.floor(lastTime / HOUR) * HOUR;
    before = undefined;
  }
  return columns;
}

/** Where reading begins: hourly values are read of whole hours. */
const startOf = ({ bounds, growth }: SampleSteps): number => {
  const start = bounds[0] as number;
  return growth ? Math.floor(start / HOUR) * HOUR : start;
};

/** The samples after one that comes before them all. */
function after(first: LastSample | undefined, { timestamps, values }: Samples): Samples {
  if (!first) return { timestamps, values };
  const [times, numbers] = [new Float64Array(timestamps.length + 1), new Float64Array(values.length + 1)];
  times[0] = first.timestamp;
  numbers[0] = first.value;
  times.set(timestamps, 1);
  numbers.set(values, 1);
  return { timestamps: times, values: numbers };
}

function lastBefore(end: number, timestamps: ArrayLike<number>): number | undefined {
  let index = timestamps.length - 1;
  while (index >= 0 && (timestamps[index] as number) >= end) index -= 1;
  return timestamps[index];
}

const optionsOf = ({ growth }: SampleSteps): ReadOptions => (growth ? { summaries: 'ends' } : {});
