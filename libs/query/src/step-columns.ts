import {
  HOUR,
  aggregateSteps,
  grownBy,
  Slices,
  type Aggregation,
  type Samples,
  type Series,
} from '@device-metrics/domain';
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

/** Whether each step is a piece. */
export const isEven = (bounds: readonly number[], piece: number): boolean =>
  (bounds.at(-1) as number) - (bounds[0] as number) === piece * (bounds.length - 1);

/** An aggregation that the store's summaries are enough for; `rate` and `increase` only where steps are of whole hours. */
export type SummaryKind = Exclude<Aggregation['kind'], 'quantile'>;
type PlainAggregate = Exclude<SummaryKind, 'mean' | 'rate' | 'increase'>;
/** One that is not of what counters grew. */
export type PlainKind = PlainAggregate | 'mean';

/** What the store's summaries are made into. */
export interface SummarySteps {
  readonly bounds: readonly number[];
  readonly kinds: readonly SummaryKind[];
  /** Length, ms, of pieces that each lie within a step. */
  readonly piece: number;
  /** The last sample of each series before the first step. */
  readonly growsFrom: LastSamples;
}

const GROWTH = ['first', 'firstTime', 'last', 'lastTime', 'grown'] as const;

/** What a kind is made of. */
const PARTS: Readonly<Partial<Record<SummaryKind, readonly StepAggregate[]>>> = {
  mean: ['sum', 'count'],
  rate: GROWTH,
  increase: GROWTH,
};

/** What the store is asked for, each once. */
export const aggregatesOf = (kinds: readonly SummaryKind[]): StepAggregate[] => [
  ...new Set(kinds.flatMap((kind) => PARTS[kind] ?? [kind as PlainAggregate])),
];

/** From the store's summaries, which for whole hours costs no samples. */
export async function* columnsOfSummaries(
  store: SampleStore,
  series: readonly Series[],
  { bounds, kinds, piece, growsFrom }: SummarySteps,
): AsyncGenerator<SeriesColumns> {
  const range = { start: bounds[0] as number, end: bounds.at(-1) as number };
  const aggregates = aggregatesOf(kinds);
  const slices = new Slices();
  const areSteps = isEven(bounds, piece);
  for await (const { series: one, starts, columns } of store.readSteps(series, { range, step: piece, aggregates })) {
    const of = (aggregate: StepAggregate): Float64Array => columns[aggregates.indexOf(aggregate)] as Float64Array;
    const column = async (aggregate: PlainAggregate): Promise<StepColumn> => {
      if (areSteps) return inPlaces(of(aggregate), starts, range.start, piece, bounds.length - 1);
      const kind = aggregate === 'count' ? 'sum' : aggregate;
      const [made] = await inSlices({ timestamps: starts, values: of(aggregate) }, bounds, [{ kind }], slices);
      return made as StepColumn;
    };
    const growth = aggregates.includes('grown')
      ? growthOfPieces({ starts, of }, bounds, growsFrom.get(one.id))
      : undefined;
    const made: StepColumn[] = [];
    for (const kind of kinds) {
      if (kind === 'rate' || kind === 'increase') made.push((growth as StepGrowth)[kind]);
      else if (kind === 'mean') made.push(quotients(await column('sum'), await column('count')));
      else made.push(await column(kind));
    }
    yield { series: one, columns: made };
  }
}

/** As `aggregateSteps` has it where each piece is a step. */
function inPlaces(values: Float64Array, starts: Float64Array, start: number, piece: number, steps: number): StepColumn {
  const column = new Array<number | null>(steps).fill(null);
  for (let index = 0; index < starts.length; index += 1) {
    column[((starts[index] as number) - start) / piece] = values[index] as number;
  }
  return column;
}

interface StepGrowth {
  readonly increase: StepColumn;
  readonly rate: StepColumn;
}

/** As `aggregateSteps` has it of the samples: from the last one before a step on, and per second of the time between them. */
function growthOfPieces(
  { starts, of }: { readonly starts: Float64Array; readonly of: (aggregate: StepAggregate) => Float64Array },
  bounds: readonly number[],
  before: LastSample | undefined,
): StepGrowth {
  const [first, firstTime, last, lastTime, grown] = GROWTH.map(of) as [
    ...[Float64Array, Float64Array, Float64Array, Float64Array, Float64Array],
  ];
  const increase = new Array<number | null>(bounds.length - 1).fill(null);
  const rate = [...increase];
  let previous = before;
  for (let step = 0, at = 0; step < increase.length; step += 1) {
    const end = bounds[step + 1] as number;
    const from = previous;
    let sum = 0;
    let begin = from?.timestamp;
    for (; at < starts.length && (starts[at] as number) < end; at += 1) {
      begin ??= firstTime[at] as number;
      sum += (previous ? grownBy(previous.value, first[at] as number) : 0) + (grown[at] as number);
      previous = { timestamp: lastTime[at] as number, value: last[at] as number };
    }
    if (previous === from || previous === undefined || begin === undefined || previous.timestamp === begin) continue;
    increase[step] = sum;
    rate[step] = sum / ((previous.timestamp - begin) / 1000);
  }
  return { increase, rate };
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
      const all = samplesAfter(wanted.growsFrom.get(samples.series.id), samples);
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
      for (const [index, values] of (
        await inSlices(samplesAfter(before, samples), part, aggregations, slices)
      ).entries()) {
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
export function samplesAfter(first: LastSample | undefined, { timestamps, values }: Samples): Samples {
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
