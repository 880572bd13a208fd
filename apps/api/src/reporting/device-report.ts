import { quote, toRfc3339 } from '@device-metrics/contract';
import type { Series, TimeRange } from '@device-metrics/domain';
import type { SampleStore } from '@device-metrics/storage';
import { noDevice } from '../http/no-device.js';
import { invalidInput } from '../http/problem.js';
import { selectorOf } from '../http/series-query.js';
import type { DeviceReportQuery } from './queries.dto.js';
import { countSamples, refuseBeyond, type QueryLimit } from './query-cost.js';
import { rawTables } from './raw-tables.js';
import { decodeCursor, type Cursor, type SeriesTable } from './report-table.js';
import { stepTables } from './step-tables.js';
import { rangeOf, stepsOf, type Steps } from './steps.js';
import { reportRange } from './time-span.js';

/** What a device report is made of: what its head says, and its tables. */
export interface DeviceReport {
  /** With steps: in whole steps. */
  readonly range: TimeRange;
  /** Length of a step, ms; undefined for raw samples. */
  readonly step: number | undefined;
  /** Before this time samples are kept as hourly values only, Unix ms; undefined where all are samples. */
  readonly hourlyUntil: number | undefined;
  readonly columnNames: readonly string[];
  readonly cursor: Cursor | undefined;
  readonly tables: AsyncIterable<SeriesTable>;
}

/**
 * @param now Unix milliseconds.
 * @throws Problem when the device is unknown, parameters don't go together, or the answer would take too many samples.
 */
export async function deviceReport(
  store: SampleStore,
  deviceName: string,
  query: DeviceReportQuery,
  now: number,
  limit: QueryLimit,
): Promise<DeviceReport> {
  const range = reportRange(query.start_time, query.end_time, now);
  const steps = stepsOfReport(query, range);
  const selected = await store.findSeries({ ...selectorOf(query), devices: [deviceName] });
  if (selected.length === 0 && !(await store.device(deviceName))) throw noDevice(deviceName);
  const cursor = query.cursor === undefined ? undefined : decodeCursor(query.cursor);
  const series = fromCursor(selected, query.cursor);
  if (steps) {
    return {
      range: rangeOf(steps),
      step: steps.length,
      hourlyUntil: await store.hourlyUntil(deviceName, rangeOf(steps)),
      columnNames: steps.names,
      cursor,
      tables: await stepTables(store, series, steps, limit),
    };
  }
  // A page reads no more than it carries.
  if (query.limit === undefined) {
    const advice = 'step=1h reads none, and pages by limit read what they carry';
    refuseBeyond(limit, await countSamples(store, series, range), 'step', advice, range);
  }
  return {
    range,
    step: undefined,
    hourlyUntil: await store.hourlyUntil(deviceName, range),
    columnNames: ['value'],
    cursor,
    tables: rawTables(store, series, range, cursor, query.limit === undefined ? undefined : Number(query.limit)),
  };
}

/** How the query divides the range; undefined without `step`, where parameters that only steps have are mistakes. */
function stepsOfReport(query: DeviceReportQuery, range: TimeRange): Steps | undefined {
  if (query.step !== undefined) return stepsOf({ ...query, step: query.step }, range);
  const idle = (['aggregation', 'fill', 'timezone'] as const).filter((name) => query[name] !== undefined);
  if (idle.length > 0) {
    throw invalidInput(
      idle.map((field) => ({ field, reason: `goes with step, which is missing, got ${quote(String(query[field]))}` })),
    );
  }
  return undefined;
}

/** The series from that of the cursor on. */
function fromCursor(series: readonly Series[], cursor: string | undefined): readonly Series[] {
  if (cursor === undefined) return series;
  const seriesId = decodeCursor(cursor)?.seriesId;
  const index = series.findIndex(({ id }) => id === seriesId);
  if (index < 0) {
    throw invalidInput([
      { field: 'cursor', reason: `must be the next_cursor of the same report, got ${quote(cursor)}` },
    ]);
  }
  return series.slice(index);
}

/** What the JSON of a report says before its series. */
export const reportHead = (
  deviceName: string,
  { range, step, hourlyUntil, columnNames }: DeviceReport,
  nextCursor: string | undefined,
): object => ({
  device_name: deviceName,
  start_time: toRfc3339(range.start),
  end_time: toRfc3339(range.end),
  ...(step !== undefined && { step }),
  ...(hourlyUntil !== undefined && { hourly_until: toRfc3339(hourlyUntil) }),
  columns: columnNames,
  ...(nextCursor !== undefined && { next_cursor: nextCursor }),
});
