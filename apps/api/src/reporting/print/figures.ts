import { EARLIEST_TIMESTAMP } from '@device-metrics/contract';
import { metricDefinition, metricKind, type Series } from '@device-metrics/domain';
import { NO_LIMIT, plan, rangeOf, read, type Steps } from '@device-metrics/query';
import type { SampleStore, SeriesSummary } from '@device-metrics/storage';
import { unitOf, type Unit } from './quantity.js';

/** What a report says of the values of some samples. */
export interface Figures {
  readonly min: number;
  readonly mean: number;
  readonly max: number;
  readonly last: number;
}

export interface SeriesFigures {
  readonly series: Series;
  /** Of a counter: of what it grew per second; undefined where there are too few samples to say. */
  readonly figures: Figures | undefined;
}

/** One metric of one device. */
export interface Metric {
  readonly name: string;
  readonly help: string | undefined;
  /** Only ever grows, so that its rate is what says something. */
  readonly isCounter: boolean;
  /** Tells when something happened, in Unix seconds, as `system.boot_time` does. */
  readonly isMoment: boolean;
  readonly unit: Unit;
  /** The largest mean first. */
  readonly series: readonly SeriesFigures[];
  /** Samples of all series. */
  readonly count: number;
  /** Of all series; the last value is that of the newest sample. */
  readonly figures: Figures | undefined;
  /** Of the newest sample, Unix milliseconds. */
  readonly lastTime: number;
}

/** @param rateSteps the steps by which counters are read: with the one aggregation `rate`. */
export async function metricsOf(
  store: SampleStore,
  summaries: readonly SeriesSummary[],
  rateSteps: Steps,
): Promise<Metric[]> {
  const counters = summaries.map(({ series }) => series).filter(({ metricName }) => isCounter(metricName));
  const rates = new Map<number, Figures>();
  const question = { series: counters, range: rangeOf(rateSteps), steps: rateSteps };
  for await (const { series, columns } of read(store, await plan(store, question, NO_LIMIT))) {
    const figures = figuresOf(columns[0] ?? []);
    if (figures) rates.set(series.id, figures);
  }
  return Array.from(byMetric(summaries), ([name, same]) => metric(name, same, rates));
}

/** Whether a metric is a counter: by the catalogue, or by the name that Prometheus gives to one. */
export const isCounter = (name: string): boolean => metricKind(name) === 'counter';

function byMetric(summaries: readonly SeriesSummary[]): Map<string, SeriesSummary[]> {
  const groups = new Map<string, SeriesSummary[]>();
  for (const one of summaries) {
    const same = groups.get(one.series.metricName);
    if (same) same.push(one);
    else groups.set(one.series.metricName, [one]);
  }
  return groups;
}

function metric(name: string, summaries: readonly SeriesSummary[], rates: ReadonlyMap<number, Figures>): Metric {
  const counter = isCounter(name);
  const parts = summaries.map(({ series, summary }): Part => ({
    series,
    figures: counter ? rates.get(series.id) : ofGauge(summary),
    count: summary.count,
    lastTime: summary.lastTime,
  }));
  const ucum = summaries.find(({ series }) => series.unit !== null)?.series.unit ?? null;
  const figures = together(parts);
  return {
    name,
    help: metricDefinition(name)?.help,
    isCounter: counter,
    // A span of so many years would be a strange thing to measure.
    isMoment: !counter && ucum === 's' && figures !== undefined && figures.min >= EARLIEST_TIMESTAMP / 1000,
    unit: unitOf(ucum, counter),
    series: parts.toSorted((a, b) => largestFirst(a.figures?.mean, b.figures?.mean)),
    count: parts.reduce((sum, { count }) => sum + count, 0),
    figures,
    lastTime: parts.reduce((latest, { lastTime }) => Math.max(latest, lastTime), -Infinity),
  };
}

interface Part extends SeriesFigures {
  readonly count: number;
  readonly lastTime: number;
}

/** Every sample counts alike for the mean. */
function together(parts: readonly Part[]): Figures | undefined {
  const known = parts.flatMap((part) => (part.figures ? [{ ...part.figures, ...part }] : []));
  const [first] = known;
  if (!first) return undefined;
  const count = known.reduce((sum, part) => sum + part.count, 0);
  return {
    min: known.reduce((least, { min }) => Math.min(least, min), first.min),
    mean: known.reduce((sum, part) => sum + part.mean * (part.count / count), 0),
    max: known.reduce((most, { max }) => Math.max(most, max), first.max),
    last: known.reduce((newest, part) => (part.lastTime >= newest.lastTime ? part : newest)).last,
  };
}

const largestFirst = (a = -Infinity, b = -Infinity): number => (a === b ? 0 : b > a ? 1 : -1);

const ofGauge = ({ min, max, sum, count, last }: SeriesSummary['summary']): Figures => ({
  min,
  mean: sum / count,
  max,
  last,
});

/** Undefined when no step has a rate. */
function figuresOf(rates: ArrayLike<number | null>): Figures | undefined {
  const values = Array.from(rates).filter((rate) => rate !== null);
  const last = values.at(-1);
  if (last === undefined) return undefined;
  const [min, max] = [values.reduce((a, b) => Math.min(a, b)), values.reduce((a, b) => Math.max(a, b))];
  return { min, mean: values.reduce((a, b) => a + b) / values.length, max, last };
}
