import type { Series, TimeRange } from '@device-metrics/domain';
import type { SampleStore } from '@device-metrics/storage';
import { HOUR } from '@device-metrics/domain';
import { AT_ONCE, inGroups, type SeriesCount } from './series-groups.js';
import type { Position, SeriesTable } from './series-table.js';

/**
 * The samples of one series after the other, or the hourly means where only these are left, however many there are: a
 * series of very many is read in windows of time, and comes as several tables.
 *
 * @param after where to begin: after this sample of the first series.
 */
export async function* rawTables(
  store: SampleStore,
  counts: readonly SeriesCount[],
  range: TimeRange,
  after?: Position,
  atOnce = AT_ONCE,
): AsyncGenerator<SeriesTable> {
  const [first, ...others] = counts;
  if (after && first?.series.id === after.seriesId) {
    const start = Math.max(range.start, after.timestamp + 1);
    if (start < range.end) yield* rawTables(store, [first], { ...range, start }, undefined, atOnce);
    counts = others;
  }
  for (const { series: some, count } of inGroups(counts, atOnce)) {
    if (count <= atOnce) yield* read(store, some, range);
    else for await (const window of windows(store, some, range, atOnce)) yield* read(store, some, window);
  }
}

/** Divides the range, at full hours, so that one part has at most `most` samples, unless a single hour has more. */
async function* windows(
  store: SampleStore,
  series: readonly Series[],
  { start, end }: TimeRange,
  most: number,
): AsyncGenerator<TimeRange> {
  // Whole hours are counted without reading their samples.
  const hours = { range: { start: Math.floor(start / HOUR) * HOUR, end }, step: HOUR, aggregates: ['count'] as const };
  let count = 0;
  for await (const { starts, columns } of store.readSteps(series, hours)) {
    for (const [index, hour] of starts.entries()) {
      const inHour = columns[0]?.[index] as number;
      if (count > 0 && count + inHour > most) {
        yield { start, end: hour };
        start = hour;
        count = 0;
      }
      count += inHour;
    }
  }
  yield { start, end };
}

async function* read(store: SampleStore, series: readonly Series[], range: TimeRange): AsyncGenerator<SeriesTable> {
  for await (const { series: one, timestamps, values } of store.readSamples(series, range, { summaries: 'mean' })) {
    yield { series: one, columnNames: ['value'], timestamps, columns: [values] };
  }
}
