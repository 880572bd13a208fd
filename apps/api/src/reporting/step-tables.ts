import type { Aggregation, Series, TimeRange } from '@device-metrics/domain';
import type { SampleStore } from '@device-metrics/storage';
import { countSamples, refuseBeyond, type QueryLimit } from './query-cost.js';
import type { SeriesTable } from './report-table.js';
import {
  columnsOfSamples,
  columnsOfSummaries,
  type Column,
  type SeriesColumns,
  type SummaryKind,
} from './step-columns.js';
import { rangeOf, type Steps } from './steps.js';

const HOUR = 3_600_000;

/**
 * The tables of the series by steps; a series without samples in them has none.
 *
 * @throws Problem when more samples would be read than one answer may take.
 */
export async function stepTables(
  store: SampleStore,
  series: readonly Series[],
  steps: Steps,
  limit: QueryLimit,
): Promise<AsyncGenerator<SeriesTable>> {
  const readers = readersOf(store, series, steps, await hasHourlyHours(store, series, rangeOf(steps)));
  await refuseLargeReads(store, series, steps, limit);
  return tables(series, steps, readers);
}

async function* tables(
  series: readonly Series[],
  steps: Steps,
  readers: readonly Reader[],
): AsyncGenerator<SeriesTable> {
  for await (const { series: one, columns } of sideBySide(series, readers, steps)) {
    if (steps.fill === 'previous') columns.forEach(fillWithPrevious);
    const table = { series: one, columnNames: steps.names, timestamps: steps.bounds.slice(0, -1), columns };
    yield steps.fill === 'none' ? withoutEmptyRows(table) : table;
  }
}

/** Gives some of the columns of each series, in the order of the series. */
interface Reader {
  /** Which of the aggregations its columns are. */
  readonly indexes: readonly number[];
  readonly read: () => AsyncGenerator<SeriesColumns>;
}

/**
 * Aggregations come from the store's summaries where they can, which for whole hours costs no samples; else all together
 * from the samples. Of hours that are kept as hourly values only, `rate` and `increase` see their ends, and percentiles
 * nothing, so that each kind is read by itself.
 */
function readersOf(store: SampleStore, series: readonly Series[], steps: Steps, hourly: boolean): Reader[] {
  const kinds = steps.aggregations.map(kindOf);
  const piece = pieceOf(steps);
  const indexesOf = (...wanted: Kind[]): number[] =>
    [...kinds.keys()].filter((index) => wanted.includes(kinds[index] as Kind));
  const aggregationsAt = (indexes: readonly number[]): Aggregation[] =>
    indexes.map((index) => steps.aggregations[index] as Aggregation);
  const samples = (indexes: readonly number[], growth: boolean): Reader => ({
    indexes,
    read: () =>
      columnsOfSamples(store, series, { bounds: steps.bounds, aggregations: aggregationsAt(indexes), growth }),
  });
  const summaries = (piece: number): Reader => {
    const indexes = indexesOf('summary');
    const wanted = aggregationsAt(indexes).map(({ kind }) => kind as SummaryKind);
    return { indexes, read: () => columnsOfSummaries(store, series, steps.bounds, wanted, piece) };
  };
  const all = [...kinds.keys()];
  if (!hourly) {
    return piece !== undefined && kinds.every((kind) => kind === 'summary')
      ? [summaries(piece)]
      : [samples(all, kinds.includes('growth'))];
  }
  const readers =
    piece === undefined
      ? [samples(indexesOf('summary', 'quantile'), false), samples(indexesOf('growth'), true)]
      : [summaries(piece), samples(indexesOf('quantile'), false), samples(indexesOf('growth'), true)];
  return readers.filter(({ indexes }) => indexes.length > 0);
}

/** What an aggregation is made of. */
type Kind = 'summary' | 'quantile' | 'growth';

const kindOf = ({ kind }: Aggregation): Kind =>
  kind === 'quantile' ? 'quantile' : kind === 'rate' || kind === 'increase' ? 'growth' : 'summary';

/**
 * The length, ms, of pieces that each lie in one step: an hour or a part of it, since the store has summaries of hours;
 * undefined where none fits.
 */
function pieceOf({ length, bounds }: Steps): number | undefined {
  const start = bounds[0] as number;
  return [Math.min(length, HOUR), HOUR / 2, HOUR / 4].find((piece) =>
    bounds.every((bound) => (bound - start) % piece === 0),
  );
}

/** The columns of all readers together; what a reader does not have of a series is null. */
async function* sideBySide(
  series: readonly Series[],
  readers: readonly Reader[],
  steps: Steps,
): AsyncGenerator<SeriesColumns> {
  const iterators = readers.map(({ read }) => read());
  try {
    const heads = await Promise.all(iterators.map((iterator) => iterator.next()));
    const empty = (): Column => new Array<null>(steps.bounds.length - 1).fill(null);
    for (const one of series) {
      const columns = steps.names.map(empty);
      let found = false;
      for (const [at, { indexes }] of readers.entries()) {
        const head = heads[at];
        if (!head || head.done || head.value.series.id !== one.id) continue;
        indexes.forEach((index, column) => (columns[index] = head.value.columns[column] as Column));
        found ||= head.value.columns.some((column: Column) => column.some((value) => value !== null));
        heads[at] = await (iterators[at] as AsyncGenerator<SeriesColumns>).next();
      }
      if (found) yield { series: one, columns };
    }
  } finally {
    await Promise.all(iterators.map((iterator) => iterator.return(undefined)));
  }
}

async function hasHourlyHours(store: SampleStore, series: readonly Series[], range: TimeRange): Promise<boolean> {
  for (const name of new Set(series.map(({ deviceName }) => deviceName))) {
    if ((await store.hourlyUntil(name, range)) !== undefined) return true;
  }
  return false;
}

async function refuseLargeReads(
  store: SampleStore,
  series: readonly Series[],
  steps: Steps,
  limit: QueryLimit,
): Promise<void> {
  const summaries = steps.aggregations.every((aggregation) => kindOf(aggregation) === 'summary');
  const wholeHours = steps.bounds.every((bound) => bound % HOUR === 0);
  if (summaries && wholeHours) return;
  const range = rangeOf(steps);
  const advice = summaries
    ? 'step=1h, or another whole number of hours, reads none'
    : 'mean, min, max, sum, count, first and last with step=1h read none';
  refuseBeyond(limit, await countSamples(store, series, range), 'step', advice, range);
}

function fillWithPrevious(column: Column): void {
  let previous: number | null = null;
  for (let row = 0; row < column.length; row += 1) previous = column[row] ??= previous;
}

function withoutEmptyRows(table: SeriesTable): SeriesTable {
  const rows = Array.from(table.timestamps, (_, row) => row).filter((row) =>
    table.columns.some((column) => column[row] !== null),
  );
  if (rows.length === table.timestamps.length) return table;
  return {
    ...table,
    timestamps: rows.map((row) => table.timestamps[row] as number),
    columns: table.columns.map((column) => rows.map((row) => column[row] as number | null)),
  };
}
