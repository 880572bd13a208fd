import { setImmediate } from 'node:timers/promises';
import { toRfc3339 } from '@device-metrics/contract';
import type { TimeRange } from '@device-metrics/domain';
import type { SeriesSummary } from '@device-metrics/storage';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { invalidInput } from '../http/problem.js';
import { csvNumber, fields } from './formats/csv.js';
import type { SummaryQuery } from './queries.dto.js';
import { formatOf, linkNext, MEDIA_TYPES } from './send-report.js';
import { parseGrouping, sorted, summaryRows } from './summary.js';
import type { SummaryDto, SummaryRowDto } from './summary.dto.js';
import { lastHours, reportRange } from './time-span.js';

/** @throws Problem when `time_range` comes with a start or an end, or the end is not after the start. */
export function summaryRange({ time_range, start_time, end_time }: SummaryQuery, now: number): TimeRange {
  if (time_range === undefined) return reportRange(start_time, end_time, now);
  if (start_time !== undefined || end_time !== undefined) {
    throw invalidInput([{ field: 'time_range', reason: 'must not come together with start_time or end_time' }]);
  }
  return lastHours(time_range, now);
}

/** The answer in the format that the client asks for. */
export async function sendSummary(
  range: TimeRange,
  summaries: Iterable<SeriesSummary>,
  query: SummaryQuery,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<SummaryDto | string> {
  const grouping = parseGrouping(query.group_by ?? ['device']) ?? { device: true, labels: [] };
  const all = summaryRows(summaries, grouping);
  const inOrder = query.sort === undefined ? all : sorted(all, query.sort);
  const from = Number(query.cursor ?? 0);
  const to = query.limit === undefined ? inOrder.length : from + Number(query.limit);
  const rows = inOrder.slice(from, to);
  const nextCursor = to < inOrder.length ? String(to) : undefined;
  if (nextCursor !== undefined) linkNext(nextCursor, request, reply);

  // Some milliseconds of work lie behind, some ahead: let other requests through between.
  await setImmediate();
  const format = formatOf(query.format, request.headers.accept);
  void reply.header('content-type', `${MEDIA_TYPES[format]}; charset=utf-8`);
  switch (format) {
    case 'csv':
      return summaryCsv(rows);
    case 'ndjson':
      return rows.map((row) => `${JSON.stringify(row)}\n`).join('');
    case 'json':
      return {
        start_time: toRfc3339(range.start),
        end_time: toRfc3339(range.end),
        ...(nextCursor !== undefined && { next_cursor: nextCursor }),
        summaries: rows,
      };
  }
}

const NUMBERS = ['series', 'count', 'min', 'max', 'mean', 'last'] as const;

function summaryCsv(rows: readonly SummaryRowDto[]): string {
  const lines = rows.map((row) => {
    const texts = [
      row.device_name ?? '',
      row.metric_name,
      row.unit ?? '',
      row.labels ? JSON.stringify(row.labels) : '',
    ];
    return [fields(texts), ...NUMBERS.map((name) => csvNumber(row[name])), row.last_time].join(',');
  });
  return [fields(['device_name', 'metric_name', 'unit', 'labels', ...NUMBERS, 'last_time']), ...lines, ''].join('\r\n');
}
