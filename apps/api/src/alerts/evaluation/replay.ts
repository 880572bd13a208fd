import { HOUR, parseAggregation, type Aggregation, type Series, type TimeRange } from '@device-metrics/domain';
import { AT_ONCE, inGroups, lastBefore, samplesAfter, type LastSamples } from '@device-metrics/query';
import type { SampleStore, StepAggregate } from '@device-metrics/storage';
import type { FullCondition } from '../rules/rule.js';
import { isCounter, limitOf, shareMeasure, timeToReach, type SeriesCondition } from './measure.js';
import { siblingsOf } from './siblings.js';
import type { LookPoints } from './look-points.js';
import { overWindows } from './windows.js';

/** The condition's number of one series at each point; NaN where there is none. */
export interface SeriesNumbers {
  readonly series: Series;
  readonly numbers: Float64Array;
}

/** The numbers of the past, as `measure` would have given them at each point. */
export async function* replay(
  store: SampleStore,
  series: readonly Series[],
  condition: SeriesCondition,
  points: LookPoints,
): AsyncGenerator<SeriesNumbers> {
  switch (condition.type) {
    case 'level':
      yield* measures(store, series, condition.measure, condition.window, points);
      return;
    case 'change': {
      const shift = Math.round(condition.window / points.step);
      const longer = { ...points, start: points.start - shift * points.step, count: points.count + shift };
      for await (const one of measures(store, series, condition.measure, condition.window, longer)) {
        const numbers = new Float64Array(points.count);
        for (let at = 0; at < numbers.length; at += 1) {
          const before = one.numbers[at] as number;
          numbers[at] = before === 0 ? NaN : (one.numbers[at + shift] as number) / before - 1;
        }
        yield { series: one.series, numbers };
      }
      return;
    }
    case 'full':
      yield* timesLeft(store, series, condition, points);
      return;
    case 'switched': {
      const window = 5 * 60_000;
      const before = new Map<string, Float64Array>();
      const { siblings, keyOf } = await siblingsOf(store, series, condition);
      for await (const one of levels(store, siblings, 'last', window, points))
        before.set(keyOf(one.series), one.numbers);
      for await (const { series: one, numbers } of levels(store, series, 'last', window, points)) {
        const other = before.get(keyOf(one));
        yield { series: one, numbers: numbers.map((value, at) => switchedAt(value, other?.[at])) };
      }
    }
  }
}

/** 1 where only the series itself has data, 0 where the one from before has; NaN where it has none. */
function switchedAt(value: number, before: number | undefined): number {
  if (Number.isNaN(value)) return NaN;
  return before !== undefined && Number.isNaN(before) ? 1 : 0;
}

const PIECES: Readonly<Record<string, readonly StepAggregate[]>> = {
  last: ['last'],
  mean: ['sum', 'count'],
  sum: ['sum', 'count'],
  count: ['sum', 'count'],
  min: ['min'],
  max: ['max'],
};

const measures: typeof levels = (store, series, measured, window, points) =>
  measured === 'share' ? shares(store, series, window, points) : levels(store, series, measured, window, points);

/** An aggregation over a window that ends at each point. */
async function* levels(
  store: SampleStore,
  series: readonly Series[],
  measured: string,
  window: number,
  points: LookPoints,
): AsyncGenerator<SeriesNumbers> {
  const pieces = PIECES[measured];
  if (pieces === undefined) {
    const aggregation = parseAggregation(measured) as Aggregation;
    yield* bySamples(store, series, aggregation, Math.max(window, points.step), points);
    return;
  }
  const { step } = points;
  const width = Math.max(1, Math.round(window / step));
  const start = points.start - (width - 1) * step;
  const range = { start, end: points.start + points.count * step };
  for await (const { series: one, starts, columns } of store.readSteps(series, { range, step, aggregates: pieces })) {
    const slots = columns.map(() => new Float64Array(points.count + width - 1).fill(NaN));
    for (let row = 0; row < starts.length; row += 1) {
      const slot = Math.round(((starts[row] as number) - start) / step);
      columns.forEach((column, at) => ((slots[at] as Float64Array)[slot] = column[row] as number));
    }
    yield { series: one, numbers: slide(measured, slots as [Float64Array, ...Float64Array[]], width, points.count) };
  }
}

/** The number of each window of `width` slots. */
function slide(
  measured: string,
  [slots, counts]: readonly [Float64Array, ...Float64Array[]],
  width: number,
  count: number,
): Float64Array {
  const numbers = new Float64Array(count).fill(NaN);
  if (measured === 'mean' || measured === 'sum' || measured === 'count') {
    let [sum, samples] = [0, 0];
    for (let slot = 0; slot < slots.length; slot += 1) {
      const [leaving, lost] = [slots[slot - width] ?? NaN, counts?.[slot - width] ?? NaN];
      if (!Number.isNaN(lost)) [sum, samples] = [sum - leaving, samples - lost];
      const [value, more] = [slots[slot] as number, counts?.[slot] ?? NaN];
      if (!Number.isNaN(more)) [sum, samples] = [sum + value, samples + more];
      if (samples <= 0) sum = 0;
      if (slot < width - 1 || samples <= 0) continue;
      numbers[slot - width + 1] = measured === 'mean' ? sum / samples : measured === 'sum' ? sum : samples;
    }
    return numbers;
  }
  // The slots of the window that may still be its number, the best first.
  const candidates: number[] = [];
  let first = 0;
  const beats = (a: number, b: number): boolean => measured === 'last' || (measured === 'max' ? a >= b : a <= b);
  for (let slot = 0; slot < slots.length; slot += 1) {
    const value = slots[slot] as number;
    if (!Number.isNaN(value)) {
      while (candidates.length > first && beats(value, slots[candidates.at(-1) as number] as number)) candidates.pop();
      candidates.push(slot);
    }
    if (first < candidates.length && (candidates[first] as number) <= slot - width) first += 1;
    if (slot >= width - 1 && first < candidates.length) {
      numbers[slot - width + 1] = slots[candidates[first] as number] as number;
    }
  }
  return numbers;
}

/** Of percentiles and of what counters grew, which take the samples: of very many, those of some points at a time. */
async function* bySamples(
  store: SampleStore,
  series: readonly Series[],
  aggregation: Aggregation,
  window: number,
  points: LookPoints,
): AsyncGenerator<SeriesNumbers> {
  const summaries = await store.summarize(series, sampledFor(points, window));
  const counts = summaries.map(({ series: one, summary: { count } }) => ({ series: one, count }));
  for (const { series: some, count } of inGroups(counts, AT_ONCE)) {
    if (count <= AT_ONCE) {
      yield* fromSamples(store, some, aggregation, window, points);
      continue;
    }
    const numbers = new Float64Array(points.count).fill(NaN);
    const length = Math.ceil(points.count / Math.ceil(count / AT_ONCE));
    for (let first = 0; first < points.count; first += length) {
      const start = points.start + first * points.step;
      const part = { ...points, start, count: Math.min(length, points.count - first) };
      for await (const one of fromSamples(store, some, aggregation, window, part)) numbers.set(one.numbers, first);
    }
    yield { series: some[0] as Series, numbers };
  }
}

async function* fromSamples(
  store: SampleStore,
  series: readonly Series[],
  aggregation: Aggregation,
  window: number,
  points: LookPoints,
): AsyncGenerator<SeriesNumbers> {
  const range = sampledFor(points, window);
  const grows = aggregation.kind !== 'quantile';
  const before: LastSamples = grows ? await lastBefore(store, series, range.start) : new Map();
  for await (const samples of store.readSamples(series, range, grows ? { summaries: 'ends' } : {})) {
    const all = samplesAfter(before.get(samples.series.id), samples);
    yield { series: samples.series, numbers: overWindows(all, aggregation, window, points) };
  }
}

/** What the windows of the points span, from a full hour on: what is kept as hourly values is read of whole hours. */
const sampledFor = ({ start, step, count }: LookPoints, window: number): TimeRange => ({
  start: Math.floor((start + step - window) / HOUR) * HOUR,
  end: start + count * step,
});

async function* shares(
  store: SampleStore,
  series: readonly Series[],
  window: number,
  points: LookPoints,
): AsyncGenerator<SeriesNumbers> {
  const { siblings, keyOf } = await siblingsOf(store, series);
  const wanted = new Set(series.map(({ id }) => id));
  const sums = new Map<string, Float64Array>();
  const found: SeriesNumbers[] = [];
  for (const counter of [false, true]) {
    const its = siblings.filter((one) => isCounter(one) === counter);
    for await (const one of levels(store, its, shareMeasure(counter), window, points)) {
      const sum = sums.get(keyOf(one.series)) ?? new Float64Array(points.count);
      one.numbers.forEach((value, at) => (sum[at] = (sum[at] as number) + (Number.isNaN(value) ? 0 : value)));
      sums.set(keyOf(one.series), sum);
      if (wanted.has(one.series.id)) found.push(one);
    }
  }
  for (const { series: one, numbers } of found) {
    const sum = sums.get(keyOf(one));
    yield { series: one, numbers: numbers.map((value, at) => value / (sum?.[at] || NaN)) };
  }
}

async function* timesLeft(
  store: SampleStore,
  series: readonly Series[],
  { window, limit }: FullCondition,
  points: LookPoints,
): AsyncGenerator<SeriesNumbers> {
  const range = {
    start: Math.floor((points.start - window) / HOUR) * HOUR,
    end: points.start + points.count * points.step,
  };
  for await (const { series: one, starts, columns } of store.readSteps(series, {
    range,
    step: HOUR,
    aggregates: ['sum', 'count'],
  })) {
    const [sums, counts] = columns as [Float64Array, Float64Array];
    const means = sums.map((sum, index) => sum / (counts[index] as number));
    const numbers = new Float64Array(points.count).fill(NaN);
    let [from, to] = [0, 0];
    for (let at = 0; at < numbers.length; at += 1) {
      const now = points.start + (at + 1) * points.step;
      while (to < starts.length && (starts[to] as number) + HOUR <= now) to += 1;
      while (from < to && (starts[from] as number) < now - window) from += 1;
      const span = to > from ? (starts[to - 1] as number) - (starts[from] as number) : 0;
      if (to - from < 6 || span < window / 4) continue;
      numbers[at] = timeToReach(starts.subarray(from, to), means.subarray(from, to), limitOf(one, limit), now);
    }
    yield { series: one, numbers };
  }
}
