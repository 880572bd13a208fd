import type { Series, TimeRange } from '@device-metrics/domain';
import type { SampleStore, SeriesSummary } from '@device-metrics/storage';
import type { Cursor, SeriesTable } from './report-table.js';

/** Samples that are in memory at a time, about: a series of more comes as several tables. */
const AT_ONCE = 1_000_000;
const HOUR = 3_600_000;

/**
 * The samples of one series after the other, or the hourly means where only these are left, however many there are: series of few are read together, which costs their
 * device's chunks once, and one of very many in windows of time.
 *
 * @param cursor where to begin: after this sample of the first series.
 */
export async function* rawTables(
  store: SampleStore,
  series: readonly Series[],
  range: TimeRange,
  cursor?: Cursor,
  atOnce = AT_ONCE,
): AsyncGenerator<SeriesTable> {
  if (cursor) {
    const start = Math.max(range.start, cursor.timestamp + 1);
    if (start < range.end) yield* rawTables(store, series.slice(0, 1), { ...range, start }, undefined, atOnce);
    series = series.slice(1);
  }
  for (const { series: some, count } of inGroups(await store.summarize(series, range), atOnce)) {
    if (count <= atOnce) yield* read(store, some, range);
    else for await (const window of windows(store, some, range, atOnce)) yield* read(store, some, window);
  }
}

interface Group {
  readonly series: Series[];
  /** Samples, of all its series. */
  count: number;
}

/** Series that follow each other and have at most `most` samples together, or one that has more. */
function inGroups(summaries: readonly SeriesSummary[], most: number): Group[] {
  const groups: Group[] = [];
  for (const { series, summary } of summaries) {
    const last = groups.at(-1);
    if (last && last.count + summary.count <= most) {
      last.series.push(series);
      last.count += summary.count;
    } else {
      groups.push({ series: [series], count: summary.count });
    }
  }
  return groups;
}

/** Divides the range, at full hours, so that one part has at most `most` samples, unless a single hour has more. */
async function* windows(
  store: SampleStore,
  series: readonly Series[],
  { start, end }: TimeRange,
  most: number,
): AsyncGenerator<TimeRange> {
  // Whole hours are counted without reading their samples.
  const hours = { range: { start: Math.floor(start / HOUR) * HOUR, end }, step: HOUR };
  let count = 0;
  for await (const { steps } of store.readSteps(series, hours)) {
    for (const [index, hour] of steps.start.entries()) {
      const inHour = steps.count[index] as number;
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
  for await (const { series: one, timestamps, values } of store.readSamples(series, range, { hourly: 'mean' })) {
    yield { series: one, columnNames: ['value'], timestamps, columns: [values] };
  }
}
