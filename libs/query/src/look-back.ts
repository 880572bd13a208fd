import { HOUR, inSlices, type Series } from '@device-metrics/domain';
import type { SampleStore } from '@device-metrics/storage';

/**
 * How far back, hours; each time only for the series that have not been found yet. The last one is more than a year: a
 * meter that is read once a year is found, and what is read stays bounded.
 */
const SPANS = [1, 4, 16, 64, 256, 1024, 4096, 9600];

/** A sample of a series. */
export interface LastSample {
  /** Unix milliseconds. */
  readonly timestamp: number;
  readonly value: number;
}

/** By the id of the series. */
export type LastSamples = ReadonlyMap<number, LastSample>;

/**
 * The last sample of each series before a time, up to 400 days back; a series that has none is left out. Only summaries
 * are read, and for most series nothing but their latest sample.
 *
 * @param time the start of an hour; of other times, an hour of which only the hourly value is left counts as before it.
 */
export async function lastBefore(store: SampleStore, series: readonly Series[], time: number): Promise<LastSamples> {
  const found = new Map<number, LastSample>();
  await inSlices(await store.latest(series), ({ series: one, timestamp, value }) => {
    if (timestamp < time) found.set(one.id, { timestamp, value });
  });
  let left = series.filter(({ id }) => !found.has(id));
  let end = time;
  for (const span of SPANS) {
    if (left.length === 0) break;
    const start = Math.floor(time / HOUR - span) * HOUR;
    await inSlices(await store.summarize(left, { start, end }), ({ series: one, summary }) => {
      found.set(one.id, { timestamp: summary.lastTime, value: summary.last });
    });
    left = left.filter(({ id }) => !found.has(id));
    end = start;
  }
  return found;
}
