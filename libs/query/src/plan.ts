import { HOUR, inSlices, Slices, type Aggregation, type Series, type TimeRange } from '@device-metrics/domain';
import type { SampleStore } from '@device-metrics/storage';
import { refuseBeyond, type QueryLimit } from './cost.js';
import { rangeOf, type Steps } from './divide.js';
import { lastBefore, type LastSamples } from './look-back.js';
import type { SeriesCount } from './series-groups.js';
import { kindOf, pieceOf, type AggregationKind } from './step-columns.js';

/** What stands for an hour of which only the hourly value is left: at most so many samples. */
const SAMPLES_PER_HOURLY = 3;

/** What somebody wants to know of series. */
export interface Question {
  readonly series: readonly Series[];
  readonly range: TimeRange;
  /** Left out: the samples themselves. */
  readonly steps?: Steps | undefined;
  /** The answer is read page by page, and no more of it than a page carries. */
  readonly inPages?: boolean;
}

/** Some of the aggregations, and what they are read from. */
export interface ReadPass {
  /** Which of the aggregations of the steps. */
  readonly indexes: readonly number[];
  readonly from: 'summaries' | 'samples';
  /** Whether some of them are of what counters grew. */
  readonly growth: boolean;
}

/** How a question is answered: everything that has to be known before the first number is read. */
export interface Plan {
  readonly series: readonly Series[];
  /** With steps: in whole steps. */
  readonly range: TimeRange;
  readonly steps: Steps | undefined;
  /** Of the columns, after the time. */
  readonly columnNames: readonly string[];
  /** Before this time samples are kept as hourly values only, Unix ms; undefined where all are samples. */
  readonly hourlyUntil: number | undefined;
  /** Of raw samples: none. */
  readonly passes: readonly ReadPass[];
  /** How many samples there are to read of each series that has any; undefined where only summaries are read. */
  readonly counts: readonly SeriesCount[] | undefined;
  /** The last sample before the first hour of the range, where the first step begins to grow from it. */
  readonly growsFrom: LastSamples;
  /** The last sample before the range, which fills steps at its start. */
  readonly filledFrom: LastSamples;
  /**
   * Whether a step begins within an hour of which only the hourly value is left: as a whole it counts in the step in
   * which it begins, so that the edges of steps have moved by up to an hour.
   */
  readonly edgesMoved: boolean;
}

const NONE: LastSamples = new Map();

/**
 * Looks once at what there is, and says how it will be read.
 *
 * @throws QueryRefusal when more samples would be read than one answer may take.
 */
export async function plan(store: SampleStore, question: Question, limit: QueryLimit): Promise<Plan> {
  const { series, steps } = question;
  const range = steps ? rangeOf(steps) : question.range;
  const hourly = await hourlyUntilOf(store, series, range);
  const hourlyUntil =
    hourly.size === 0 ? undefined : [...hourly.values()].reduce((last, time) => Math.max(last, time), -Infinity);
  const passes = steps ? passesOf(steps, hourly.size > 0) : [];
  const common = {
    ...{ series, range, steps, columnNames: steps?.names ?? ['value'], hourlyUntil, passes },
    growsFrom: hasGrowth(passes) ? await lastBefore(store, series, startOfHour(range.start)) : NONE,
    filledFrom: steps && fillsLast(steps) ? await lastBefore(store, series, range.start) : NONE,
    edgesMoved: steps?.bounds.some((bound) => bound < (hourlyUntil ?? -Infinity) && !isFullHour(bound)) ?? false,
  };
  if (passes.length > 0 && passes.every(({ from }) => from === 'summaries') && steps?.bounds.every(isFullHour)) {
    return { ...common, counts: undefined };
  }
  const { counts, samples } = await countSamples(store, series, range, hourly, hasGrowth(passes));
  if (!question.inPages) refuseBeyond(limit, samples, 'step', adviceFor(steps), range);
  return { ...common, counts };
}

const isFullHour = (time: number): boolean => time % HOUR === 0;
const startOfHour = (time: number): number => Math.floor(time / HOUR) * HOUR;
const fillsLast = ({ fill, aggregations }: Steps): boolean =>
  fill === 'previous' && aggregations.some(({ kind }) => kind === 'last');
const hasGrowth = (passes: readonly ReadPass[]): boolean => passes.some(({ growth }) => growth);

/** Of each device that has hourly values only for a part of the range: the end of that part. */
export async function hourlyUntilOf(
  store: SampleStore,
  series: readonly Series[],
  range: TimeRange,
): Promise<ReadonlyMap<string, number>> {
  const found = new Map<string, number>();
  const slices = new Slices();
  const names = new Set<string>();
  await inSlices(series, ({ deviceName }) => void names.add(deviceName), slices);
  for (const name of names) {
    const until = (await store.tiers(name, range)).findLast(({ resolution }) => resolution > 0)?.end;
    if (until !== undefined) found.set(name, until);
    if (slices.isOver()) await slices.next();
  }
  return found;
}

/**
 * Aggregations come from the store's summaries where they can, which for whole hours costs no samples; else all together
 * from the samples. What counters grew is in summaries of whole hours only. Of hours that are kept as hourly values only, `rate` and
 * `increase` see their ends, and percentiles nothing, so that each kind that is read from samples is read by itself.
 */
function passesOf(steps: Steps, hourly: boolean): ReadPass[] {
  const kinds = steps.aggregations.map(kindOf);
  const inSummaries: AggregationKind[] = steps.bounds.every(isFullHour) ? ['summary', 'growth'] : ['summary'];
  const hasPieces = pieceOf(steps) !== undefined;
  const pass = (from: ReadPass['from'], ...wanted: AggregationKind[]): ReadPass => {
    const indexes = [...kinds.keys()].filter((index) => wanted.includes(kinds[index] as AggregationKind));
    return { indexes, from, growth: indexes.some((index) => kinds[index] === 'growth') };
  };
  if (!hourly) {
    const from = hasPieces && kinds.every((kind) => inSummaries.includes(kind)) ? 'summaries' : 'samples';
    return [pass(from, ...kinds)];
  }
  const passes = hasPieces
    ? [pass('summaries', ...inSummaries), pass('samples', 'quantile')]
    : [pass('samples', 'summary', 'quantile')];
  const isIn = hasPieces && inSummaries.includes('growth');
  return [...passes, ...(isIn ? [] : [pass('samples', 'growth')])].filter(({ indexes }) => indexes.length > 0);
}

/** How many samples of each series there are to read, and in all how many are kept as such. */
async function countSamples(
  store: SampleStore,
  series: readonly Series[],
  range: TimeRange,
  hourly: ReadonlyMap<string, number>,
  growth: boolean,
): Promise<{ counts: SeriesCount[]; samples: number }> {
  const start = growth ? startOfHour(range.start) : range.start;
  const counts: SeriesCount[] = [];
  let samples = 0;
  await inSlices(await store.summarize(series, { start, end: range.end }), ({ series: one, summary }) => {
    counts.push({ series: one, count: summary.count });
    samples += hourly.has(one.deviceName) ? 0 : summary.count;
  });
  for (const [name, until] of hourly) {
    const its = series.filter(({ deviceName }) => deviceName === name);
    const kept = new Map<number, number>();
    for (const { series: one, summary } of await store.summarize(its, { start: until, end: range.end })) {
      kept.set(one.id, summary.count);
      samples += summary.count;
    }
    const hours = Math.ceil((until - start) / HOUR);
    for (const [index, { series: one, count }] of counts.entries()) {
      if (one.deviceName !== name) continue;
      const most = (kept.get(one.id) ?? 0) + hours * SAMPLES_PER_HOURLY;
      counts[index] = { series: one, count: Math.min(count, most) };
    }
  }
  return { counts, samples };
}

function adviceFor(steps: Steps | undefined): string {
  if (!steps) return 'step=1h reads none, and pages by limit read what they carry';
  return steps.aggregations.some((aggregation: Aggregation) => kindOf(aggregation) === 'quantile')
    ? 'all but percentiles with step=1h read none'
    : 'step=1h, or another whole number of hours, reads none';
}
