import type { Aggregation, Series } from '@device-metrics/domain';
import type { SampleStore, StepAggregate } from '@device-metrics/storage';
import type { Steps } from './divide.js';
import type { Plan, ReadPass } from './plan.js';
import { rawTables } from './raw-tables.js';
import type { Position, SeriesTable } from './series-table.js';
import {
  aggregatesOf,
  columnsOfSamples,
  columnsOfSummaries,
  isEven,
  pieceOf,
  type PlainKind,
  type StepColumn,
  type SeriesColumns,
  type SummaryKind,
} from './step-columns.js';

export interface TableReadOptions {
  /** Where to begin: after this sample of the first series; for raw samples. */
  readonly after?: Position | undefined;
  /** Samples that are in memory at a time, about. */
  readonly atOnce?: number | undefined;
}

/** The tables of the series as the plan says, in the order of the series; a series without samples has none. */
export function read(store: SampleStore, plan: Plan, options: TableReadOptions = {}): AsyncGenerator<SeriesTable> {
  const { steps } = plan;
  if (steps) return tablesOfSummaries(store, plan, steps) ?? stepTables(store, plan, steps);
  return rawTables(store, plan.counts ?? [], plan.range, options.after, options.atOnce);
}

/**
 * Where each step is one of the store's, and those without samples are left out, the store's columns are those of the tables.
 * Undefined where it is not so.
 */
function tablesOfSummaries(store: SampleStore, plan: Plan, steps: Steps): AsyncGenerator<SeriesTable> | undefined {
  const [pass, ...others] = plan.passes;
  const piece = pieceOf(steps);
  if (others.length > 0 || pass?.from !== 'summaries' || pass.growth || steps.fill !== 'none') return undefined;
  return piece !== undefined && isEven(steps.bounds, piece) ? plainTables(store, plan, steps, piece) : undefined;
}

async function* plainTables(
  store: SampleStore,
  { series, range }: Plan,
  { aggregations, names: columnNames }: Steps,
  step: number,
): AsyncGenerator<SeriesTable> {
  const kinds = aggregations.map(({ kind }) => kind as PlainKind);
  const aggregates = aggregatesOf(kinds);
  const sumsGo = kinds.filter((kind) => kind === 'mean' || kind === 'sum').length === 1;
  let timestamps: Float64Array = new Float64Array(0);
  for await (const { series: one, starts, columns } of store.readSteps(series, { range, step, aggregates })) {
    // Whoever writes times makes their texts once for all series that share them.
    if (!areSame(timestamps, starts)) timestamps = starts;
    const made: Float64Array[] = [];
    for (const kind of kinds) made.push(columnOf(kind, aggregates, columns, sumsGo));
    yield { series: one, columnNames, timestamps, columns: made };
  }
}

function areSame(a: Float64Array, b: Float64Array): boolean {
  if (a.length !== b.length) return false;
  for (let index = 0; index < a.length; index += 1) if (a[index] !== b[index]) return false;
  return true;
}

/**
 * @param columns those of the aggregates.
 * @param sumsGo whether nobody else asks for the sums, so that means may take their place.
 */
function columnOf(
  kind: PlainKind,
  aggregates: readonly StepAggregate[],
  columns: readonly Float64Array[],
  sumsGo: boolean,
): Float64Array {
  const column = (aggregate: StepAggregate): Float64Array => columns[aggregates.indexOf(aggregate)] as Float64Array;
  if (kind !== 'mean') return column(kind);
  const means = sumsGo ? column('sum') : column('sum').slice();
  const counts = column('count');
  for (let index = 0; index < means.length; index += 1) (means[index] as number) /= counts[index] as number;
  return means;
}

async function* stepTables(store: SampleStore, plan: Plan, steps: Steps): AsyncGenerator<SeriesTable> {
  const timestamps = steps.bounds.slice(0, -1);
  for await (const { series, columns } of sideBySide(store, plan, steps)) {
    if (steps.fill === 'previous') {
      const before = plan.filledFrom.get(series.id)?.value ?? null;
      columns.forEach((column, index) => fill(column, (steps.aggregations[index] as Aggregation).kind, before));
    }
    const table = { series, columnNames: steps.names, timestamps, columns };
    yield steps.fill === 'none' ? withoutEmptyRows(table) : table;
  }
}

/** The columns of one pass. */
function columnsOf(store: SampleStore, plan: Plan, steps: Steps, pass: ReadPass): AsyncGenerator<SeriesColumns> {
  const { bounds } = steps;
  const aggregations = pass.indexes.map((index) => steps.aggregations[index] as Aggregation);
  const growsFrom = pass.growth ? plan.growsFrom : new Map<number, never>();
  if (pass.from === 'samples') {
    return columnsOfSamples(store, plan.counts ?? [], { bounds, aggregations, growth: pass.growth, growsFrom });
  }
  const kinds = aggregations.map(({ kind }) => kind as SummaryKind);
  return columnsOfSummaries(store, plan.series, { bounds, kinds, piece: pieceOf(steps) as number, growsFrom });
}

/** The columns of all passes together; what a pass does not have of a series is null. */
async function* sideBySide(store: SampleStore, plan: Plan, steps: Steps): AsyncGenerator<SeriesColumns> {
  const iterators = plan.passes.map((pass) => columnsOf(store, plan, steps, pass));
  try {
    const heads = await Promise.all(iterators.map((iterator) => iterator.next()));
    for (const series of plan.series) {
      const columns = steps.names.map((): StepColumn => new Array<null>(steps.bounds.length - 1).fill(null));
      let found = false;
      for (const [at, { indexes }] of plan.passes.entries()) {
        const head = heads[at];
        if (!head || head.done || !isOf(head.value, series)) continue;
        indexes.forEach((index, column) => (columns[index] = head.value.columns[column] as StepColumn));
        found ||= head.value.columns.some((column: StepColumn) => column.some((value) => value !== null));
        heads[at] = await (iterators[at] as AsyncGenerator<SeriesColumns>).next();
      }
      if (found || plan.filledFrom.has(series.id)) yield { series, columns };
    }
  } finally {
    await Promise.all(iterators.map((iterator) => iterator.return(undefined)));
  }
}

const isOf = (columns: SeriesColumns, { id }: Series): boolean => columns.series.id === id;

/**
 * Puts into empty steps what was last known. Of what is counted or added up there is none in them; how much a counter grew
 * is not known before its next sample, whose step gets it all.
 *
 * @param before the last sample before the first step.
 */
function fill(column: StepColumn, kind: Aggregation['kind'], before: number | null): void {
  if (kind === 'increase' || kind === 'rate') return;
  if (kind === 'count' || kind === 'sum') {
    column.forEach((value, row) => (column[row] = value ?? 0));
    return;
  }
  let previous: number | null = kind === 'last' ? before : null;
  for (let row = 0; row < column.length; row += 1) previous = column[row] ??= previous;
}

function withoutEmptyRows(table: SeriesTable): SeriesTable {
  const rows: number[] = [];
  for (let row = 0; row < table.timestamps.length; row += 1) {
    if (table.columns.some((column) => column[row] !== null)) rows.push(row);
  }
  if (rows.length === table.timestamps.length) return table;
  return {
    ...table,
    timestamps: rows.map((row) => table.timestamps[row] as number),
    columns: table.columns.map((column) => rows.map((row) => column[row] as number | null)),
  };
}
