import { Readable } from 'node:stream';
import { quote, toRfc3339 } from '@device-metrics/contract';
import type { Series, TimeRange } from '@device-metrics/domain';
import { divide, plan, read, type Plan, type Position, type QueryLimit, type Steps } from '@device-metrics/query';
import type { SeriesTable } from '@device-metrics/query';
import type { Store } from '@device-metrics/storage';
import { noDevice } from '../../http/no-device.js';
import { invalidInput } from '../../http/problem.js';
import { selectorOf } from '../../http/series-query.js';
import type { Writers } from '../answer/send-answer.js';
import { styleOf } from '../answer/style.js';
import { tableWriters } from '../answer/table-formats.js';
import { reportRange } from '../time-span.js';
import type { DeviceReportQuery } from './device-report-query.dto.js';
import { decodeCursor, encodeCursor, firstPage } from './page.js';

/** A device report, of which nothing but its first page, if it has pages, has been read. */
export interface DeviceReport {
  readonly plan: Plan;
  readonly tables: AsyncIterable<SeriesTable>;
  /** Where the next page begins; undefined on the last, and without `limit`. */
  readonly nextCursor: string | undefined;
}

/**
 * @param now Unix milliseconds.
 * @throws Problem when the device is unknown or parameters don't go together.
 * @throws QueryRefusal when the answer would take too many samples.
 */
export async function deviceReport(
  store: Store,
  deviceName: string,
  query: DeviceReportQuery,
  now: number,
  limit: QueryLimit,
): Promise<DeviceReport> {
  const range = reportRange(query.start_time, query.end_time, now, query.timezone);
  const steps = stepsOf(query, range);
  const cursor = query.cursor === undefined ? undefined : decodeCursor(query.cursor);
  const selected = await store.findSeries({ ...selectorOf(query), devices: [deviceName] });
  if (selected.length === 0 && !(await store.device(deviceName))) throw noDevice(deviceName);
  const series = cursor ? fromCursor(selected, cursor, query) : selected;
  const rows = query.limit === undefined ? undefined : Number(query.limit);

  const planned = await plan(store, { series, range, steps, inPages: rows !== undefined && !steps }, limit);
  const tables = read(store, planned, { after: cursor, atOnce: rows });
  if (rows === undefined) return { plan: planned, tables, nextCursor: undefined };
  const page = await firstPage(tables, cursor, rows);
  return { plan: planned, tables: Readable.from(page.tables), nextCursor: page.next && encodeCursor(page.next) };
}

/** How the query divides the range; undefined without `step`, where parameters that only steps have are mistakes. */
function stepsOf(query: DeviceReportQuery, range: TimeRange): Steps | undefined {
  if (query.step !== undefined) return divide({ ...query, step: query.step }, range);
  const idle = (['aggregation', 'fill'] as const).filter((name) => query[name] !== undefined);
  if (idle.length > 0) {
    throw invalidInput(
      idle.map((field) => ({ field, reason: `goes with step, which is missing, got ${quote(String(query[field]))}` })),
    );
  }
  return undefined;
}

/** The series from that of the cursor on. */
function fromCursor(
  series: readonly Series[],
  { seriesId }: Position,
  { cursor }: DeviceReportQuery,
): readonly Series[] {
  const index = series.findIndex(({ id }) => id === seriesId);
  if (index < 0) {
    throw invalidInput([
      { field: 'cursor', reason: `must be the next_cursor of the same report, got ${quote(cursor)}` },
    ]);
  }
  return series.slice(index);
}

/** A report in each format. */
export function reportWriters(
  deviceName: string,
  { plan, tables, nextCursor }: DeviceReport,
  query: DeviceReportQuery,
): Writers {
  const { range, steps, hourlyUntil, edgesMoved, columnNames } = plan;
  const head = {
    device_name: deviceName,
    start_time: toRfc3339(range.start),
    end_time: toRfc3339(range.end),
    ...(steps && { step: steps.length }),
    ...(hourlyUntil !== undefined && { hourly_until: toRfc3339(hourlyUntil) }),
    ...(edgesMoved && { edges_moved: true }),
    columns: columnNames,
    ...(nextCursor !== undefined && { next_cursor: nextCursor }),
  };
  return tableWriters(head, columnNames, tables, styleOf(query));
}
