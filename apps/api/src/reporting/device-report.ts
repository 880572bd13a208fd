import { quote, toRfc3339 } from '@device-metrics/contract';
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
  type Series,
  type TimeRange,
} from '@device-metrics/domain';
import type { SampleStore, SeriesSamples } from '@device-metrics/storage';
import { invalidInput, Problem } from '../http/problem.js';
import { selects } from '../http/series-query.js';
import type { DeviceReportQuery } from './queries.dto.js';
import { decodeCursor, type Cursor, type SeriesTable } from './report-table.js';
import { reportRange } from './time-span.js';

/** What a device report is made of: what its head says, and its tables. */
export interface DeviceReport {
  readonly range: TimeRange;
  /** Length of a step, ms; undefined for raw samples. */
  readonly step: number | undefined;
  readonly columnNames: readonly string[];
  readonly cursor: Cursor | undefined;
  readonly tables: AsyncIterable<SeriesTable>;
}

/**
 * @param now Unix milliseconds.
 * @throws Problem when the device is unknown or parameters don't go together.
 */
export async function deviceReport(
  store: SampleStore,
  deviceName: string,
  query: DeviceReportQuery,
  now: number,
): Promise<DeviceReport> {
  const range = reportRange(query.start_time, query.end_time, now);
  const steps = stepsOf(query, range);
  const known = await store.findSeries({ deviceName });
  if (known.length === 0) {
    throw new Problem(
      404,
      `There is no device ${quote(deviceName)}; GET /api/v1/reports/summary names those that there are.`,
    );
  }
  const selected = known.filter(selects({ ...query, device_name: [deviceName] }));
  const cursor = query.cursor === undefined ? undefined : decodeCursor(query.cursor);
  const samples = store.readSamples(fromCursor(selected, cursor), range);
  return steps
    ? { range, step: steps.length, columnNames: steps.names, cursor, tables: stepTables(samples, steps) }
    : { range, step: undefined, columnNames: ['value'], cursor, tables: rawTables(samples) };
}

interface Steps {
  readonly length: number;
  readonly bounds: readonly number[];
  readonly names: readonly string[];
  readonly aggregations: readonly Aggregation[];
  readonly fill: 'none' | 'null' | 'previous';
}

/** How the range is divided; undefined without `step`, where parameters that only steps have are mistakes. */
function stepsOf(query: DeviceReportQuery, range: TimeRange): Steps | undefined {
  if (query.step === undefined) {
    const idle = (['aggregation', 'fill', 'timezone'] as const).filter((name) => query[name] !== undefined);
    if (idle.length > 0)
      throw invalidInput(idle.map((field) => ({ field, reason: 'goes with step, which is missing' })));
    return undefined;
  }
  const length = query.step === 'auto' ? autoStep(range, 500) : (parseDuration(query.step) as number);
  const names = query.aggregation ?? ['mean'];
  return {
    length,
    bounds: boundsOf(range, length, query.timezone ?? 'UTC'),
    names,
    aggregations: names.map((name) => parseAggregation(name) as Aggregation),
    fill: query.fill ?? 'none',
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

/** The series from that of the cursor on. */
function fromCursor(series: readonly Series[], cursor: Cursor | undefined): readonly Series[] {
  if (!cursor) return series;
  const index = series.findIndex(({ id }) => id === cursor.seriesId);
  if (index < 0) throw invalidInput([{ field: 'cursor', reason: 'must be the next_cursor of the same report' }]);
  return series.slice(index);
}

async function* rawTables(samples: AsyncIterable<SeriesSamples>): AsyncGenerator<SeriesTable> {
  for await (const { series, timestamps, values } of samples) {
    yield { series, columnNames: ['value'], timestamps, columns: [values] };
  }
}

async function* stepTables(samples: AsyncIterable<SeriesSamples>, steps: Steps): AsyncGenerator<SeriesTable> {
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

/** What the JSON of a report says before its series. */
export const reportHead = (
  deviceName: string,
  { range, step, columnNames }: DeviceReport,
  nextCursor: string | undefined,
): object => ({
  device_name: deviceName,
  start_time: toRfc3339(range.start),
  end_time: toRfc3339(range.end),
  ...(step !== undefined && { step }),
  columns: columnNames,
  ...(nextCursor !== undefined && { next_cursor: nextCursor }),
});
