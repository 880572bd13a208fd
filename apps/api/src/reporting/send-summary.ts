import { setImmediate } from 'node:timers/promises';
import { toRfc3339 } from '@device-metrics/contract';
import type { Labels } from '@device-metrics/domain';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { csvNumber, fields } from './formats/csv.js';
import type { SummaryQuery } from './queries.dto.js';
import { formatOf, linkNext, MEDIA_TYPES } from './send-report.js';
import type { SummaryReport } from './summary-report.js';
import type { SummaryDto, SummaryRowDto } from './summary.dto.js';

/** The answer in the format that the client asks for. */
export async function sendSummary(
  { range, rows, nextCursor, quantileNames, devices }: SummaryReport,
  query: SummaryQuery,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<SummaryDto | string> {
  if (nextCursor !== undefined) linkNext(nextCursor, request, reply);

  // Some milliseconds of work lie behind, some ahead: let other requests through between.
  await setImmediate();
  const format = formatOf(query.format, request.headers.accept);
  void reply.header('content-type', `${MEDIA_TYPES[format]}; charset=utf-8`);
  switch (format) {
    case 'csv':
      return summaryCsv(rows, quantileNames);
    case 'ndjson':
      return rows.map((row) => `${JSON.stringify(row)}\n`).join('');
    case 'json':
      return {
        start_time: toRfc3339(range.start),
        end_time: toRfc3339(range.end),
        ...(nextCursor !== undefined && { next_cursor: nextCursor }),
        summaries: [...rows],
        ...(devices && { devices }),
      };
  }
}

const NUMBERS = ['series', 'count', 'min', 'max', 'mean', 'last'] as const;

function summaryCsv(rows: readonly SummaryRowDto[], quantileNames: readonly string[]): string {
  const lines = rows.map((row) => {
    const texts = [row.device_name ?? '', row.metric_name, row.unit ?? '', pairsText(row.labels), pairsText(row.tags)];
    const quantiles = quantileNames.map((name) => row.quantiles?.[name]);
    const numbers = [...NUMBERS.map((name) => row[name]), ...quantiles].map(csvNumber);
    return [fields(texts), ...numbers, row.last_time].join(',');
  });
  const titles = ['device_name', 'metric_name', 'unit', 'labels', 'tags', ...NUMBERS, ...quantileNames, 'last_time'];
  return [fields(titles), ...lines, ''].join('\r\n');
}

const pairsText = (pairs: Labels | undefined): string => (pairs ? JSON.stringify(pairs) : '');
