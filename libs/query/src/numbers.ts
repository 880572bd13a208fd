import {
  HOUR,
  autoStep,
  inSlices,
  parseAggregation,
  Slices,
  type Aggregation,
  type Series,
  type Summary,
  type TimeRange,
} from '@device-metrics/domain';
import type { SampleStore, SeriesSummary } from '@device-metrics/storage';
import { NO_LIMIT, type QueryLimit } from './cost.js';
import type { Steps } from './divide.js';
import { hourlyGrowth, type Growth } from './hourly-growth.js';
import { lastBefore } from './look-back.js';
import { plan } from './plan.js';
import { read } from './read.js';
import type { Thing } from './things.js';

/** Samples that are read for numbers that take them; beyond, they are made of hourly values. */
const MAX_SAMPLES = 4_000_000;
/** Steps by which the rate of a counter is seen, about. */
const RATE_STEPS = 100;

/** One number after the other of a thing, in order of time. */
export interface Points {
  /** Unix milliseconds. */
  readonly times: readonly number[];
  readonly values: readonly number[];
}

/** The numbers of a thing over a range. */
export interface ThingNumbers {
  readonly thing: Thing;
  /** Samples of all its series. */
  readonly count: number;
  /** Of its newest sample, Unix milliseconds. */
  readonly lastTime: number;
  /** Undefined where there is no number: too few samples of a counter, or a state. */
  readonly figures: Figures | undefined;
  /** Of a counter: how much it grew; over states in all. */
  readonly increase: number | undefined;
  /** Of a `state`: the one that it was in last. */
  readonly state: Series | undefined;
  /** What the figures are of; undefined for a `value`, whose samples have not been read. */
  readonly points: Points | undefined;
}

export interface Figures {
  readonly min: number;
  readonly max: number;
  readonly mean: number;
  readonly last: number;
  /** How many numbers the mean is of. */
  readonly weight: number;
}

/** What the numbers of things are made of. */
export interface NumbersBasis {
  /** Whether they are made of hourly values, since there are too many samples. */
  readonly hourly: boolean;
  /** Steps by which rates are seen, ms. */
  readonly rateStep: number;
}

/**
 * What a person means who asks for the numbers of things, in their order and without those that have no samples, see the metric catalogue: values are summed up as they are,
 * counters by how fast they grew, states by the share or the sum that they come to at each reading.
 *
 * @param summaries of the series of the things over the range; a series without samples has none.
 */
export async function numbersOf(
  store: SampleStore,
  things: readonly Thing[],
  summaries: readonly SeriesSummary[],
  range: TimeRange,
  limit: QueryLimit,
): Promise<{ numbers: ThingNumbers[]; basis: NumbersBasis }> {
  const slices = new Slices();
  const byId = new Map<number, Summary>();
  await inSlices(summaries, ({ series, summary }) => byId.set(series.id, summary), slices);
  const counters: Series[] = [];
  const together: Series[] = [];
  let samples = 0;
  let first = Infinity;
  await inSlices(
    things,
    ({ as, isCounter, series }) => {
      const isGrowing = isCounter && as !== 'value';
      if (!isGrowing && (isCounter || (as !== 'share' && as !== 'sum'))) return;
      for (const one of series) {
        const summary = byId.get(one.id);
        samples += summary?.count ?? 0;
        if (isGrowing) first = Math.min(first, summary?.firstTime ?? Infinity);
        (isGrowing ? counters : together).push(one);
      }
    },
    slices,
  );
  const hourly = samples > Math.min(MAX_SAMPLES, limit.maxQuerySamples);
  const basis = { hourly, rateStep: hourly ? HOUR : rateStep(range) };
  // Without the hours before the first sample, which hold nothing but steps.
  const filled = first === Infinity ? range : { ...range, start: Math.max(range.start, startOfHour(first)) };
  const grown = hourly
    ? await hourlyGrowth(store, counters, filled)
    : await exactGrowth(store, counters, filled, basis.rateStep, byId);
  const read = hourly ? hourlyMeans : exactValues;
  const values = await read(store, together, range);
  const numbers: ThingNumbers[] = [];
  await inSlices(things, (thing) => {
    const { series } = thing;
    if (thing.as === 'value') {
      const summary = byId.get((series[0] as Series).id);
      if (summary) numbers.push(new ValueNumbers(thing, summary));
      return;
    }
    const found = series.flatMap(({ id }) => byId.get(id) ?? []);
    if (found.length > 0) numbers.push(numbersOfThing(thing, found, byId, grown, values));
  });
  return { numbers, basis };
}

const rateStep = (range: TimeRange): number => Math.min(HOUR, Math.max(60_000, autoStep(range, RATE_STEPS)));

const startOfHour = (time: number): number => Math.floor(time / HOUR) * HOUR;

async function exactGrowth(
  store: SampleStore,
  series: readonly Series[],
  range: TimeRange,
  step: number,
  summaries: ReadonlyMap<number, Summary>,
): Promise<ReadonlyMap<number, Growth>> {
  const found = new Map<number, Growth>();
  if (series.length === 0) return found;
  const steps = stepsWithin(range, step, ['increase', 'rate']);
  const planned = await plan(store, { series, range, steps }, NO_LIMIT);
  const growsFrom = await lastBefore(store, series, range.start);
  for await (const { series: one, timestamps, columns } of read(store, planned)) {
    const increases = Array.from(columns[0] ?? [], Number);
    const before = growsFrom.get(one.id);
    const summary = summaries.get(one.id);
    const first = before?.timestamp ?? summary?.firstTime ?? NaN;
    found.set(one.id, {
      increase: increases.reduce((sum, increase) => sum + increase, 0),
      seconds: ((summary?.lastTime ?? NaN) - first) / 1000,
      times: Array.from(timestamps),
      increases,
      rates: Array.from(columns[1] ?? [], Number),
    });
  }
  return found;
}

/** Steps that end where the range does. */
function stepsWithin({ start, end }: TimeRange, length: number, names: readonly string[]): Steps {
  const bounds = [start];
  for (let bound = (Math.floor(start / length) + 1) * length; bound < end; bound += length) bounds.push(bound);
  bounds.push(end);
  const aggregations = names.map((name) => parseAggregation(name) as Aggregation);
  return { length, bounds, names, aggregations, fill: 'none' };
}

type SeriesValues = ReadonlyMap<number, { readonly timestamps: ArrayLike<number>; readonly values: ArrayLike<number> }>;

async function exactValues(store: SampleStore, series: readonly Series[], range: TimeRange): Promise<SeriesValues> {
  const found = new Map<number, { timestamps: ArrayLike<number>; values: ArrayLike<number> }>();
  for await (const { series: one, timestamps, values } of store.readSamples(series, range, { summaries: 'mean' })) {
    found.set(one.id, { timestamps, values });
  }
  return found;
}

async function hourlyMeans(store: SampleStore, series: readonly Series[], range: TimeRange): Promise<SeriesValues> {
  const found = new Map<number, { timestamps: ArrayLike<number>; values: ArrayLike<number> }>();
  const hours = { range: { ...range, start: Math.floor(range.start / HOUR) * HOUR }, step: HOUR };
  for await (const { series: one, starts, columns } of store.readSteps(series, {
    ...hours,
    aggregates: ['sum', 'count'],
  })) {
    const [sums, counts] = columns as [Float64Array, Float64Array];
    found.set(one.id, { timestamps: starts, values: sums.map((sum, index) => sum / (counts[index] as number)) });
  }
  return found;
}

/** Of values as they are, which most are: made of their summary when somebody looks. */
class ValueNumbers implements ThingNumbers {
  declare readonly increase: undefined;
  declare readonly state: undefined;
  declare readonly points: undefined;

  constructor(
    readonly thing: Thing,
    private readonly summary: Summary,
  ) {}

  get count(): number {
    return this.summary.count;
  }

  get lastTime(): number {
    return this.summary.lastTime;
  }

  get figures(): Figures {
    return figuresOfSummary(this.summary);
  }
}

/** The figures of values as they are. */
export function figuresOfSummary({ count, min, max, sum, last }: Readonly<Summary>): Figures {
  return { min, max, mean: sum / count, last, weight: count };
}

function numbersOfThing(
  thing: Thing,
  summaries: readonly Summary[],
  byId: ReadonlyMap<number, Summary>,
  grown: ReadonlyMap<number, Growth>,
  values: SeriesValues,
): ThingNumbers {
  const common = {
    thing,
    count: summaries.reduce((sum, { count }) => sum + count, 0),
    lastTime: summaries.reduce((newest, { lastTime }) => Math.max(newest, lastTime), -Infinity),
    ...{ figures: undefined, increase: undefined, state: undefined, points: undefined },
  };
  if (thing.as === 'state') return { ...common, state: currentState(thing, byId) };
  if (!thing.isCounter) {
    const points = pointsOf(thing, values);
    return { ...common, points, figures: figuresOf(points) };
  }
  const growths = thing.series.flatMap(({ id }, index) => {
    const growth = grown.get(id);
    return growth ? [{ growth, counts: thing.counted.has(index) }] : [];
  });
  if (growths.length === 0) return common;
  const total = growths.reduce((sum, { growth }) => sum + growth.increase, 0);
  const points = thing.as === 'share' ? sharesOfGrowth(growths) : ratesOf(growths.map(({ growth }) => growth));
  const figures = figuresOf(points);
  const mean =
    thing.as === 'share'
      ? growths.reduce((sum, { growth, counts }) => sum + (counts ? growth.increase : 0), 0) / total
      : growths.reduce((sum, { growth }) => sum + growth.increase / growth.seconds, 0);
  return {
    ...common,
    points,
    increase: total,
    figures: figures && Number.isFinite(mean) ? { ...figures, mean } : undefined,
  };
}

/** The newest of the states that have the value 1. */
function currentState({ series }: Thing, summaries: ReadonlyMap<number, Summary>): Series | undefined {
  const on = series.filter(({ id }) => summaries.get(id)?.last === 1);
  return on.toSorted((a, b) => (summaries.get(b.id)?.lastTime ?? 0) - (summaries.get(a.id)?.lastTime ?? 0))[0];
}

function figuresOf({ values }: Points): Figures | undefined {
  const last = values.at(-1);
  if (last === undefined) return undefined;
  let [min, max, sum] = [last, last, 0];
  for (const value of values) {
    if (value < min) min = value;
    if (value > max) max = value;
    sum += value;
  }
  return { min, max, mean: sum / values.length, last, weight: values.length };
}

/** At each step the rates of all together. */
function ratesOf(growths: readonly Growth[]): Points {
  const rates = new Map<number, number>();
  for (const { times, rates: its } of growths) {
    times.forEach((time, index) => rates.set(time, (rates.get(time) ?? 0) + (its[index] as number)));
  }
  return byTime(rates);
}

function sharesOfGrowth(growths: readonly { growth: Growth; counts: boolean }[]): Points {
  const parts = new Map<number, number>();
  const wholes = new Map<number, number>();
  for (const { growth, counts } of growths) {
    growth.times.forEach((time, index) => {
      const increase = growth.increases[index] as number;
      wholes.set(time, (wholes.get(time) ?? 0) + increase);
      if (counts) parts.set(time, (parts.get(time) ?? 0) + increase);
    });
  }
  const shares = [...wholes].flatMap(([time, whole]) =>
    whole > 0 ? [[time, (parts.get(time) ?? 0) / whole] as const] : [],
  );
  return byTime(new Map(shares));
}

function byTime(points: ReadonlyMap<number, number>): Points {
  const sorted = [...points].sort(([a], [b]) => a - b);
  return { times: sorted.map(([time]) => time), values: sorted.map(([, value]) => value) };
}

/**
 * At each reading, the share or the sum of the states that count. States that were read together share their time; of one
 * that came a moment before or after, the nearest value counts; one that is farther away was not there.
 */
function pointsOf({ as, series, counted }: Thing, values: SeriesValues): Points {
  const columns = series.flatMap(({ id }, index) => {
    const column = values.get(id);
    return column ? [{ ...column, counts: counted.has(index), at: 0 }] : [];
  });
  const lead = columns.reduce(
    (most, column) => (column.timestamps.length > (most?.timestamps.length ?? 0) ? column : most),
    columns[0],
  );
  const times: number[] = [];
  const found: number[] = [];
  for (let row = 0; row < (lead?.timestamps.length ?? 0); row += 1) {
    const time = lead?.timestamps[row] as number;
    const reach = reachAt(lead?.timestamps ?? [], row);
    let [part, whole] = [0, 0];
    for (const column of columns) {
      const value = nearest(column, time, reach);
      whole += value;
      if (column.counts) part += value;
    }
    const number = as === 'sum' ? part : part / whole;
    if (!Number.isFinite(number)) continue;
    times.push(time);
    found.push(number);
  }
  return { times, values: found };
}

/** Half of the time to the neighbour that is nearer, ms. */
function reachAt(times: ArrayLike<number>, row: number): number {
  const time = times[row] as number;
  const [before, after] = [times[row - 1] ?? -Infinity, times[row + 1] ?? Infinity];
  const reach = Math.min(time - before, after - time) / 2;
  return Number.isFinite(reach) ? reach : 30_000;
}

/** The value nearest to a time, 0 when that is farther away than `reach`; times come in ascending order. */
function nearest(
  column: { readonly timestamps: ArrayLike<number>; readonly values: ArrayLike<number>; at: number },
  time: number,
  reach: number,
): number {
  const { timestamps, values } = column;
  const distance = (index: number): number => Math.abs((timestamps[index] ?? Infinity) - time);
  while (column.at + 1 < timestamps.length && distance(column.at + 1) <= distance(column.at)) column.at += 1;
  return distance(column.at) <= reach ? (values[column.at] as number) : 0;
}
