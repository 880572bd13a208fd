import { EARLIEST_TIMESTAMP } from '@device-metrics/contract';
import {
  inSlices,
  metricDefinition,
  oneNumber,
  Slices,
  stateLabels,
  type Labels,
  type Series,
  type TimeRange,
} from '@device-metrics/domain';
import {
  numbersOf,
  thingsOf,
  type Figures,
  type NumberKind,
  type Points,
  type QueryLimit,
  type ThingNumbers,
} from '@device-metrics/query';
import type { SampleStore, SeriesSummary } from '@device-metrics/storage';
import { figuresTogether } from '../summary/grouping.js';
import { commonLabels } from './common-labels.js';
import { unitOf, type Unit } from './quantity.js';
import { MAX_LINES } from './svg-chart.js';

/** What can be drawn as a line: a series, or numbers that are made of several. */
export interface Line {
  readonly labels: Labels;
  /** Of a counter: of what it grew per second; undefined where there are too few samples to say, and of states. */
  readonly figures: Figures | undefined;
  /** Whose samples are drawn; undefined where `points` are. */
  readonly series: Series | undefined;
  readonly points: Points | undefined;
  /** The state that it is in, of a metric that tells one. */
  readonly state: string | undefined;
}

/** One metric of one device, in one unit. */
export interface Metric {
  readonly name: string;
  readonly help: string | undefined;
  /** What its figures are, see the metric catalogue. */
  readonly as: NumberKind;
  /** Of a share: of what. */
  readonly shareOf: string;
  /** Tells when something happened, in Unix seconds, as `system.boot_time` does. */
  readonly isMoment: boolean;
  /** Of its figures. */
  readonly unit: Unit;
  /** Of the figures of its lines. */
  readonly lineUnit: Unit;
  /** What makes `lineUnit`: UCUM. */
  readonly lineUcum: string | null;
  /** Whether its lines are of what it grew per second. */
  readonly isRate: boolean;
  /** Whether any of its lines is not flat. */
  readonly changes: boolean;
  /** The largest mean first; of states those that count. */
  readonly lines: readonly Line[];
  readonly seriesCount: number;
  /** Samples of all series. */
  readonly count: number;
  readonly figures: Figures | undefined;
  /** Of the newest sample, Unix milliseconds. */
  readonly lastTime: number;
}

/** What the catalogue says a person means who asks for each of the metrics. */
export async function metricsOf(
  store: SampleStore,
  summaries: readonly SeriesSummary[],
  range: TimeRange,
  limit: QueryLimit,
): Promise<Metric[]> {
  const things = await thingsOf(summaries.map(({ series }) => series));
  const { numbers } = await numbersOf(store, things, summaries, range, limit);
  const byId = new Map(summaries.map((one) => [one.series.id, one]));
  const metrics: Metric[] = [];
  for (const same of (await byMetric(numbers)).values()) metrics.push(await metric(same, byId));
  return metrics;
}

async function byMetric(numbers: readonly ThingNumbers[]): Promise<Map<string, [ThingNumbers, ...ThingNumbers[]]>> {
  const groups = new Map<string, [ThingNumbers, ...ThingNumbers[]]>();
  await inSlices(numbers, (one) => {
    const [{ metricName, unit }] = one.thing.series as [Series];
    const key = JSON.stringify([metricName, unit, one.thing.as]);
    const same = groups.get(key);
    if (same) same.push(one);
    else groups.set(key, [one]);
  });
  return groups;
}

/** A metric may have very many series: others get their turn between the looks at all of them. */
async function metric(
  numbers: readonly [ThingNumbers, ...ThingNumbers[]],
  byId: ReadonlyMap<number, SeriesSummary>,
): Promise<Metric> {
  const slices = new Slices();
  const others = async (): Promise<void> => {
    if (slices.isOver()) await slices.next();
  };
  const [{ thing }] = numbers;
  const [first] = thing.series as [Series];
  const isRate = thing.isCounter && thing.as !== 'share';
  const lineUcum = thing.isCounter && thing.as === 'share' ? '1' : first.unit;
  const known: (Figures & { readonly lastTime: number })[] = [];
  await inSlices(numbers, ({ figures, lastTime }) => void (figures && known.push({ ...figures, lastTime })));
  const figures = figuresTogether(known);
  await others();
  const lines = await linesOf(numbers, byId);
  await others();
  const shareOf = thing.as === 'share' ? countedStates(numbers) : '';
  await others();
  const changes = lines.some((line) => isChanging(line, byId));
  await others();
  return {
    name: first.metricName,
    help: metricDefinition(first.metricName)?.help,
    as: thing.as,
    shareOf,
    // A span of so many years would be a strange thing to measure.
    isMoment:
      thing.as === 'value' && first.unit === 's' && figures !== undefined && figures.min >= EARLIEST_TIMESTAMP / 1000,
    unit: unitOf(isRate ? first.unit : thing.unit, isRate),
    lineUnit: unitOf(lineUcum, isRate),
    lineUcum,
    isRate,
    changes,
    lines,
    seriesCount: numbers.reduce((sum, one) => sum + one.thing.series.length, 0),
    count: numbers.reduce((sum, { count }) => sum + count, 0),
    figures,
    lastTime: numbers.reduce((latest, { lastTime }) => Math.max(latest, lastTime), -Infinity),
  };
}

/** The states that count in a share, such as `user, nice, system`; of those that there are. */
function countedStates(numbers: readonly ThingNumbers[]): string {
  const present = new Set(numbers.flatMap(({ thing }) => thing.series.flatMap(({ labels }) => Object.values(labels))));
  const meant = oneNumber(numbers[0]?.thing.series[0]?.metricName ?? '');
  return meant.as === 'share' ? meant.states.filter((state) => present.has(state)).join(', ') : '';
}

async function linesOf(numbers: readonly ThingNumbers[], byId: ReadonlyMap<number, SeriesSummary>): Promise<Line[]> {
  const lines: CountedLine[] = [];
  const linesOfOne = (one: ThingNumbers): CountedLine[] => {
    const { thing, figures, points, state } = one;
    const labels = commonLabels(thing.series);
    if (thing.as === 'state') {
      return [
        { labels, figures: undefined, series: undefined, points: undefined, state: stateName(state), counts: true },
      ];
    }
    if (thing.as === 'share' && thing.isCounter) {
      return [{ labels, figures, series: undefined, points, state: undefined, counts: true }];
    }
    return thing.series.map((series, index) => ({
      labels: series.labels,
      figures: thing.series.length === 1 ? figures : thing.isCounter ? undefined : figuresOf(byId.get(series.id)),
      ...{ series, points: undefined, state: undefined },
      counts: thing.counted.has(index),
    }));
  };
  await inSlices(numbers, (one) => {
    for (const line of linesOfOne(one)) lines.push(line);
  });
  return firstInFront(lines);
}

type CountedLine = Line & { readonly counts: boolean };

/** Lines that are sorted at a time. */
const SORTED_AT_ONCE = 512;

/** The lines that are shown in their order, and behind them all others. */
async function firstInFront(lines: readonly CountedLine[]): Promise<CountedLine[]> {
  const mean = (line: Line): number => line.figures?.mean ?? -Infinity;
  const byMean = (a: CountedLine, b: CountedLine): number =>
    Number(b.counts) - Number(a.counts) || compare(mean(b), mean(a));
  if (lines.length <= SORTED_AT_ONCE) return lines.toSorted(byMean);
  const slices = new Slices();
  let first: CountedLine[] = [];
  for (let from = 0; from < lines.length; from += SORTED_AT_ONCE) {
    first = [...first, ...lines.slice(from, from + SORTED_AT_ONCE)].sort(byMean).slice(0, MAX_LINES);
    if (slices.isOver()) await slices.next();
  }
  const shown = new Set(first);
  const all = [...first];
  await inSlices(lines, (line) => void (shown.has(line) || all.push(line)), slices);
  return all;
}

const compare = (a: number, b: number): number => (a === b ? 0 : a < b ? -1 : 1);

const stateName = (series: Series | undefined): string =>
  series
    ? stateLabels(series.metricName, series.labels)
        .map((label) => series.labels[label] ?? '')
        .join(', ')
    : '–';

function figuresOf(one: SeriesSummary | undefined): Figures | undefined {
  if (!one) return undefined;
  const { min, max, sum, count, last } = one.summary;
  return { min, max, mean: sum / count, last, weight: count };
}

function isChanging({ figures, points, series }: Line, byId: ReadonlyMap<number, SeriesSummary>): boolean {
  if (points) return points.values.some((value) => value !== points.values[0]);
  if (figures) return figures.min !== figures.max;
  const summary = series && byId.get(series.id)?.summary;
  return summary !== undefined && summary.min !== summary.max;
}
