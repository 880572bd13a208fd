import { Readable } from 'node:stream';
import { toRfc3339 } from '@device-metrics/contract';
import { StreamableFile } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { reportHead, type DeviceReport } from './device-report.js';
import { csv } from './formats/csv.js';
import { json } from './formats/json.js';
import { ndjson } from './formats/ndjson.js';
import type { DeviceReportQuery } from './queries.dto.js';
import { FORMATS, type Format } from './query-rules.js';
import { encodeCursor, firstPage, type SeriesTable } from './report-table.js';

export const MEDIA_TYPES: Record<Format, string> = {
  json: 'application/json',
  csv: 'text/csv',
  ndjson: 'application/x-ndjson',
};

/** The format that `format` names, else the first of the header Accept that there is, else JSON. */
export function formatOf(format: Format | undefined, accept = ''): Format {
  if (format) return format;
  const accepted = accept.split(',').map((part) => part.split(';')[0]?.trim().toLowerCase());
  for (const type of accepted) {
    const found = FORMATS.find((candidate) => MEDIA_TYPES[candidate] === type);
    if (found) return found;
  }
  return 'json';
}

/** Streams a report in the format that the client asks for; with `limit` one page of it, with the address of the next. */
export async function sendReport(
  deviceName: string,
  report: DeviceReport,
  query: DeviceReportQuery,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<StreamableFile> {
  const format = formatOf(query.format, request.headers.accept);
  if (report.hourlyUntil !== undefined) void reply.header('hourly-until', toRfc3339(report.hourlyUntil));
  let { tables } = report;
  let nextCursor: string | undefined;
  if (query.limit !== undefined) {
    const page = await firstPage(tables, report.cursor, Number(query.limit));
    nextCursor = page.next && encodeCursor(page.next);
    tables = Readable.from(page.tables) as AsyncIterable<SeriesTable>;
    if (nextCursor !== undefined) {
      linkNext(nextCursor, request, reply);
    }
  }
  const text = {
    json: () => json(reportHead(deviceName, report, nextCursor), tables),
    csv: () => csv(report.columnNames, tables),
    ndjson: () => ndjson(tables),
  }[format]();
  return new StreamableFile(Readable.from(text, { objectMode: false }), {
    type: `${MEDIA_TYPES[format]}; charset=utf-8`,
    ...(format !== 'json' && { disposition: `attachment; filename="report.${format}"` }),
  });
}

/** Tells the address of the next page in the header Link: that of this one with another cursor. */
export function linkNext(cursor: string, request: FastifyRequest, reply: FastifyReply): void {
  const next = new URL(request.url, 'http://host');
  next.searchParams.set('cursor', cursor);
  void reply.header('link', `<${next.pathname}${next.search}>; rel="next"`);
}
