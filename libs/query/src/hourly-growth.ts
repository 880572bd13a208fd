import type { Series, TimeRange } from '@device-metrics/domain';
import type { SampleStore } from '@device-metrics/storage';
import { HOUR } from '@device-metrics/domain';
import { lastBefore } from './look-back.js';

/** How much a series grew: in all, and step by step. */
export interface Growth {
  readonly increase: number;
  /** From the sample that it grew from to the last one. */
  readonly seconds: number;
  /** Starts of the steps, Unix ms. */
  readonly times: readonly number[];
  readonly increases: readonly number[];
  readonly rates: readonly number[];
}

interface Hour {
  readonly start: number;
  readonly first: number;
  readonly last: number;
  readonly min: number;
  readonly max: number;
}

/**
 * How much counters grew, from hourly values alone, however many samples there are: exact where a counter starts again
 * once in an hour at the most, otherwise it has grown by at least so much.
 */
export async function hourlyGrowth(
  store: SampleStore,
  series: readonly Series[],
  range: TimeRange,
): Promise<ReadonlyMap<number, Growth>> {
  const found = new Map<number, Growth>();
  if (series.length === 0) return found;
  const hours = await hoursOf(store, series, range);
  const growsFrom = await lastBefore(store, series, range.start);
  for (const one of series) {
    const its = hours.get(one.id);
    if (!its) continue;
    const growth = growthOf(its, growsFrom.get(one.id)?.value);
    if (growth) found.set(one.id, growth);
  }
  return found;
}

/** The parts of the range: up to its first full hour, its hours, and from its last one on; only the hours are many. */
async function hoursOf(
  store: SampleStore,
  series: readonly Series[],
  { start, end }: TimeRange,
): Promise<ReadonlyMap<number, Hour[]>> {
  const firstFull = Math.min(end, Math.ceil(start / HOUR) * HOUR);
  const found = new Map<number, Hour[]>();
  for (const range of [
    { start, end: firstFull },
    { start: firstFull, end },
  ]) {
    if (range.start >= range.end) continue;
    const query = { range, step: HOUR, aggregates: ['first', 'last', 'min', 'max'] as const };
    for await (const { series: one, starts, columns } of store.readSteps(series, query)) {
      const [first, last, min, max] = columns as [Float64Array, Float64Array, Float64Array, Float64Array];
      const hours = found.get(one.id) ?? [];
      starts.forEach((start, index) =>
        hours.push({
          start,
          first: first[index] as number,
          last: last[index] as number,
          min: min[index] as number,
          max: max[index] as number,
        }),
      );
      found.set(one.id, hours);
    }
  }
  return found;
}

function growthOf(hours: readonly Hour[], before: number | undefined): Growth | undefined {
  const times: number[] = [];
  const increases: number[] = [];
  let previous = before;
  for (const hour of hours) {
    const within = grown([hour.first, hour.max > hour.last ? hour.max : hour.min, hour.last]);
    times.push(hour.start);
    increases.push(within + (previous === undefined ? 0 : grown([previous, hour.first])));
    previous = hour.last;
  }
  if (times.length === 0) return undefined;
  const increase = increases.reduce((sum, value) => sum + value, 0);
  return {
    increase,
    seconds: times.length * (HOUR / 1000),
    times,
    increases,
    rates: increases.map((value) => value / (HOUR / 1000)),
  };
}

/** What a counter grew from value to value; one below that before it is a counter that started again at 0. */
function grown(values: readonly number[]): number {
  return values.slice(1).reduce((sum, value, index) => {
    const before = values[index] as number;
    return sum + (value >= before ? value - before : value);
  }, 0);
}
