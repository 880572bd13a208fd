import { toRfc3339 } from '@device-metrics/contract';
import type { Series, TimeRange } from '@device-metrics/domain';
import type { SampleStore, SeriesSamples } from '@device-metrics/storage';
import { invalidInput } from '../http/problem.js';
import { selects } from '../http/series-query.js';
import type { DeviceReportQuery } from './queries.dto.js';
import { decodeCursor, type Cursor, type SeriesTable } from './report-table.js';
import { rangeOf, stepsOf, stepTables, type Steps } from './steps.js';
import { reportRange } from './time-span.js';
import { unknownDevice } from './unknown-device.js';

/** What a device report is made of: what its head says, and its tables. */
export interface DeviceReport {
  /** With steps: in whole steps. */
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
  const steps = stepsOfReport(query, range);
  const known = await store.findSeries({ deviceName });
  if (known.length === 0) throw unknownDevice(deviceName);
  const selected = known.filter(selects({ ...query, device_name: [deviceName] }));
  const cursor = query.cursor === undefined ? undefined : decodeCursor(query.cursor);
  const series = fromCursor(selected, cursor);
  return steps
    ? {
        range: rangeOf(steps),
        step: steps.length,
        columnNames: steps.names,
        cursor,
        tables: stepTables(store, series, steps),
      }
    : { range, step: undefined, columnNames: ['value'], cursor, tables: rawTables(store.readSamples(series, range)) };
}

/** How the query divides the range; undefined without `step`, where parameters that only steps have are mistakes. */
function stepsOfReport(query: DeviceReportQuery, range: TimeRange): Steps | undefined {
  if (query.step !== undefined) return stepsOf({ ...query, step: query.step }, range);
  const idle = (['aggregation', 'fill', 'timezone'] as const).filter((name) => query[name] !== undefined);
  if (idle.length > 0) throw invalidInput(idle.map((field) => ({ field, reason: 'goes with step, which is missing' })));
  return undefined;
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
