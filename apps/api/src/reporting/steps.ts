import {
  aggregateSteps,
  autoStep,
  MAX_STEPS,
  parseAggregation,
  parseDuration,
  stepBounds,
  stepOf,
  TooManyStepsError,
  type Aggregation,
  type TimeRange,
} from '@device-metrics/domain';
import type { SeriesSamples } from '@device-metrics/storage';
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

/** The tables of samples by steps; a series without samples in the range has none. */
export async function* stepTables(samples: AsyncIterable<SeriesSamples>, steps: Steps): AsyncGenerator<SeriesTable> {
  for await (const one of samples) {
    const columns = aggregateSteps(one, steps.bounds, steps.aggregations);
    if (steps.fill === 'previous') columns.forEach(fillWithPrevious);
    const table = { series: one.series, columnNames: steps.names, timestamps: steps.bounds.slice(0, -1), columns };
    yield steps.fill === 'none' ? withoutEmptyRows(table) : table;
  }
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
