import {
  convert,
  fromCatalogueUnit,
  HOUR,
  metricKind,
  parseAggregation,
  type Aggregation,
  type Series,
  type TimeRange,
} from '@device-metrics/domain';
import { NO_LIMIT, plan, read } from '@device-metrics/query';
import type { SampleStore } from '@device-metrics/storage';
import { siblingsOf } from './siblings.js';
import type { ChangeCondition, FullCondition, LevelCondition, SwitchedCondition } from '../rules/rule.js';

/** The number of each series that has one, by the id of the series. */
export type Numbers = ReadonlyMap<number, number>;

export type SeriesCondition = LevelCondition | ChangeCondition | FullCondition | SwitchedCondition;

/** A line needs so many points, and so much of its window must have data. */
const LINE_POINTS = 6;
const LINE_PARTS = 72;

/** What the condition's number is of each series at a time, Unix ms: over the window that ends there. */
export async function measure(
  store: SampleStore,
  series: readonly Series[],
  condition: SeriesCondition,
  at: number,
): Promise<Numbers> {
  switch (condition.type) {
    case 'level':
      return measureOf(store, series, condition.measure, { start: at - condition.window, end: at + 1 });
    case 'change':
      return change(store, series, condition, at);
    case 'full':
      return timeLeft(store, series, condition, at);
    case 'switched':
      return switched(store, series, condition);
  }
}

const measureOf = (
  store: SampleStore,
  series: readonly Series[],
  measured: string,
  range: TimeRange,
): Promise<Numbers> => (measured === 'share' ? share(store, series, range) : aggregate(store, series, measured, range));

async function aggregate(
  store: SampleStore,
  series: readonly Series[],
  measured: string,
  range: TimeRange,
): Promise<Numbers> {
  const numbers = new Map<number, number>();
  if (measured === 'last') {
    const ahead: Series[] = [];
    for (const { series: one, timestamp, value } of await store.latest(series)) {
      if (timestamp >= range.end) ahead.push(one);
      else if (timestamp >= range.start) numbers.set(one.id, value);
    }
    // A clock was set back: newer than what comes now is what came before.
    for (const { series: one, summary } of await store.summarize(ahead, range)) numbers.set(one.id, summary.last);
    return numbers;
  }
  if (measured === 'mean' || measured === 'min' || measured === 'max') {
    for (const { series: one, summary } of await store.summarize(series, range)) {
      numbers.set(one.id, measured === 'mean' ? summary.sum / summary.count : summary[measured]);
    }
    return numbers;
  }
  const aggregations = [parseAggregation(measured) as Aggregation];
  const steps = {
    length: range.end - range.start,
    bounds: [range.start, range.end],
    names: [measured],
    aggregations,
    fill: 'none' as const,
  };
  for await (const { series: one, columns } of read(store, await plan(store, { series, range, steps }, NO_LIMIT))) {
    const value = columns[0]?.[0];
    if (typeof value === 'number' && Number.isFinite(value)) numbers.set(one.id, value);
  }
  return numbers;
}

export const isCounter = ({ metricName }: Series): boolean => metricKind(metricName) === 'counter';

/** What the states of a whole are added up by: counters by what they grew. */
export const shareMeasure = (counter: boolean): string => (counter ? 'increase' : 'last');

/** The part that each series has in the sum over the states that it is one of. */
async function share(store: SampleStore, series: readonly Series[], range: TimeRange): Promise<Numbers> {
  const { siblings, keyOf } = await siblingsOf(store, series);
  const sums = new Map<string, number>();
  const values = new Map<number, number>();
  for (const counter of [false, true]) {
    const its = siblings.filter((one) => isCounter(one) === counter);
    if (its.length === 0) continue;
    const found = await aggregate(store, its, shareMeasure(counter), range);
    for (const one of its) {
      const value = found.get(one.id);
      if (value === undefined) continue;
      values.set(one.id, value);
      sums.set(keyOf(one), (sums.get(keyOf(one)) ?? 0) + value);
    }
  }
  return new Map(
    series.flatMap((one): [number, number][] => {
      const sum = sums.get(keyOf(one)) ?? 0;
      const value = values.get(one.id);
      return value === undefined || sum <= 0 ? [] : [[one.id, value / sum]];
    }),
  );
}

async function change(
  store: SampleStore,
  series: readonly Series[],
  { measure: measured, window }: ChangeCondition,
  at: number,
): Promise<Numbers> {
  const now = await measureOf(store, series, measured, { start: at - window, end: at + 1 });
  const before = await measureOf(store, series, measured, { start: at - 2 * window, end: at - window });
  return new Map(
    [...now].flatMap(([id, value]): [number, number][] => {
      const base = before.get(id);
      return base === undefined || base === 0 ? [] : [[id, value / base - 1]];
    }),
  );
}

/** Milliseconds until a line through the means of the window's parts reaches the limit; Infinity where it never does. */
async function timeLeft(
  store: SampleStore,
  series: readonly Series[],
  { window, limit }: FullCondition,
  at: number,
): Promise<Numbers> {
  const step = Math.max(60_000, Math.ceil(window / LINE_PARTS / 60_000) * 60_000);
  const align = step % HOUR === 0 ? HOUR : step;
  const end = Math.floor(at / align) * align;
  const range = { start: end - Math.floor(window / step) * step, end: end + step };
  const left = new Map<number, number>();
  for await (const { series: one, starts, columns } of store.readSteps(series, {
    range,
    step,
    aggregates: ['sum', 'count'],
  })) {
    const [sums, counts] = columns as [Float64Array, Float64Array];
    const means = sums.map((sum, index) => sum / (counts[index] as number));
    const span = (starts.at(-1) ?? 0) - (starts[0] ?? 0);
    if (means.length < LINE_POINTS || span < window / 4) continue;
    left.set(one.id, timeToReach(starts, means, limitOf(one, limit), at));
  }
  return left;
}

/** The limit of a rule, which is of the catalogue's unit, in that of a series. */
export function limitOf({ metricName, unit }: Series, limit: number): number {
  const conversion = fromCatalogueUnit(metricName, unit);
  return conversion ? convert(limit, conversion) : limit;
}

/** By the method of least squares. Infinity where the line never gets there; 0 where it is past it. */
export function timeToReach(times: ArrayLike<number>, values: ArrayLike<number>, limit: number, now: number): number {
  const count = times.length;
  const origin = times[0] as number;
  let [sumT, sumV, sumTT, sumTV] = [0, 0, 0, 0];
  for (let index = 0; index < count; index += 1) {
    const t = ((times[index] as number) - origin) / 1000;
    const v = values[index] as number;
    sumT += t;
    sumV += v;
    sumTT += t * t;
    sumTV += t * v;
  }
  const slope = (count * sumTV - sumT * sumV) / (count * sumTT - sumT * sumT);
  if (!(slope > 0)) return Infinity;
  const base = (sumV - slope * sumT) / count;
  const reached = origin + ((limit - base) / slope) * 1000;
  return Math.max(0, reached - now);
}

async function switched(store: SampleStore, series: readonly Series[], condition: SwitchedCondition): Promise<Numbers> {
  const { siblings, keyOf } = await siblingsOf(store, series, condition);
  const before = new Map<string, number>();
  for (const { series: one, timestamp } of await store.latest(siblings)) before.set(keyOf(one), timestamp);
  const numbers = new Map<number, number>();
  for (const { series: one, timestamp } of await store.latest(series)) {
    const last = before.get(keyOf(one));
    numbers.set(one.id, last !== undefined && last < timestamp ? 1 : 0);
  }
  return numbers;
}
