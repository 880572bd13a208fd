import {
  aggregateSteps,
  autoStep,
  MAX_STEPS,
  mergeSummaries,
  parseAggregation,
  parseDuration,
  stepBounds,
  stepOf,
  TooManyStepsError,
  type Aggregation,
  type Series,
  type Summary,
  type TimeRange,
} from '@device-metrics/domain';
import type { SampleStore, Step } from '@device-metrics/storage';
import { invalidInput } from '../http/problem.js';
import type { SeriesTable } from './report-table.js';

/** The parameters of a query that say how samples are aggregated. */
export interface StepParameters {
  readonly step: string;
  readonly aggregation?: string[];
  readonly fill?: 'none' | 'null' | 'previous';
  readonly timezone?: string;
}

/** How a range is divided, and what becomes of the samples of a step. */
export interface Steps {
  /** Milliseconds. */
  readonly length: number;
  readonly bounds: readonly number[];
  /** Of the aggregations, as the query has them. */
  readonly names: readonly string[];
  readonly aggregations: readonly Aggregation[];
  readonly fill: 'none' | 'null' | 'previous';
}

/** How many points a step of `auto` gives, about. */
const POINTS = 500;

/** @throws Problem when there would be more steps than anybody could look at. */
export function stepsOf(query: StepParameters, range: TimeRange): Steps {
  const length = query.step === 'auto' ? autoStep(range, POINTS) : (parseDuration(query.step) as number);
  const names = query.aggregation ?? ['mean'];
  return {
    length,
    bounds: boundsOf(range, length, query.timezone ?? 'UTC'),
    names,
    aggregations: names.map((name) => parseAggregation(name) as Aggregation),
    fill: query.fill ?? 'none',
  };
}

/** The range in whole steps. */
export const rangeOf = ({ bounds }: Steps): TimeRange => ({
  start: bounds[0] as number,
  end: bounds.at(-1) as number,
});

/** The tables of the series by steps; a series without samples in them has none. */
export async function* stepTables(
  store: SampleStore,
  series: readonly Series[],
  steps: Steps,
): AsyncGenerator<SeriesTable> {
  for await (const { series: one, columns } of stepColumns(store, series, steps)) {
    if (steps.fill === 'previous') columns.forEach(fillWithPrevious);
    const table = { series: one, columnNames: steps.names, timestamps: steps.bounds.slice(0, -1), columns };
    yield steps.fill === 'none' ? withoutEmptyRows(table) : table;
  }
}

interface SeriesColumns {
  readonly series: Series;
  /** One for each aggregation, with one number for each step. */
  readonly columns: (number | null)[][];
}

/**
 * From the store's summaries where they can say it, which for whole hours cost no samples and outlive them; from the
 * samples themselves where they can't.
 */
async function* stepColumns(
  store: SampleStore,
  series: readonly Series[],
  steps: Steps,
): AsyncGenerator<SeriesColumns> {
  const ofSummary = steps.aggregations.map(summaryColumn);
  const range = rangeOf(steps);
  const piece = Math.min(steps.length, HOUR);
  const divisible = steps.bounds.every((bound) => (bound - range.start) % piece === 0);
  if (divisible && ofSummary.every((column) => column !== undefined)) {
    for await (const { series: one, steps: pieces } of store.readSteps(series, { range, step: piece })) {
      const summaries = mergeIntoSteps(pieces, steps.bounds);
      yield { series: one, columns: ofSummary.map((column) => summaries.map((summary) => summary && column(summary))) };
    }
    return;
  }
  for await (const samples of store.readSamples(series, range)) {
    yield { series: samples.series, columns: aggregateSteps(samples, steps.bounds, steps.aggregations) };
  }
}

const HOUR = 3_600_000;

/** What an aggregation is of a summary; undefined where it takes the samples. */
function summaryColumn({ kind }: Aggregation): ((summary: Summary) => number) | undefined {
  switch (kind) {
    case 'mean':
      return ({ sum, count }) => sum / count;
    case 'min':
    case 'max':
    case 'sum':
    case 'count':
    case 'first':
    case 'last':
      return (summary) => summary[kind];
    default:
      return undefined;
  }
}

/** One summary for each step, of pieces in order of time that each lie within a step; null for a step without any. */
function mergeIntoSteps(pieces: readonly Step[], bounds: readonly number[]): (Summary | null)[] {
  const merged = new Array<Summary | null>(bounds.length - 1).fill(null);
  let step = 0;
  for (const piece of pieces) {
    while (piece.start >= (bounds[step + 1] as number)) step += 1;
    const before = merged[step];
    merged[step] = before ? mergeSummaries(before, piece) : piece;
  }
  return merged;
}

function fillWithPrevious(column: (number | null)[]): void {
  let previous: number | null = null;
  for (let row = 0; row < column.length; row += 1) previous = column[row] ??= previous;
}

function withoutEmptyRows(table: SeriesTable): SeriesTable {
  const rows = Array.from(table.timestamps, (_, row) => row).filter((row) =>
    table.columns.some((column) => column[row] !== null),
  );
  return {
    ...table,
    timestamps: rows.map((row) => table.timestamps[row] as number),
    columns: table.columns.map((column) => rows.map((row) => column[row] as number | null)),
  };
}

function boundsOf(range: TimeRange, length: number, timeZone: string): number[] {
  try {
    return stepBounds(range, stepOf(length, timeZone));
  } catch (error) {
    if (!(error instanceof TooManyStepsError)) throw error;
    const fitting = autoStep(range, MAX_STEPS / 2) / 1000;
    const reason = `must divide the range into at most ${MAX_STEPS} steps, as ${fitting}s would`;
    throw invalidInput([{ field: 'step', reason }]);
  }
}
