import { Readable } from 'node:stream';
import { toRfc3339 } from '@device-metrics/contract';
import type { StreamableFile } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { reportHead, type DeviceReport } from './device-report.js';
import { csv } from './formats/csv.js';
import { json } from './formats/json.js';
import { ndjson } from './formats/ndjson.js';
import { rowsPerPiece } from './formats/pieces.js';
import { xlsx, type Cell } from './formats/xlsx.js';
import type { DeviceReportQuery } from './queries.dto.js';
import { FORMATS, type Format } from './query-rules.js';
import { encodeCursor, firstPage, titles, type SeriesTable } from './report-table.js';
import { MEDIA_TYPES, streamAnswer } from './stream-answer.js';

/** The format that `format` names, else the one that the header Accept likes best, and names first, else JSON. */
export function formatOf(format: Format | undefined, accept = ''): Format {
  if (format) return format;
  let best: Format = 'json';
  let bestQuality = 0;
  for (const range of accept.toLowerCase().split(',')) {
    const [type, ...parameters] = range.split(';').map((part) => part.trim());
    const found = FORMATS.find((candidate) => MEDIA_TYPES[candidate] === type);
    const quality = Number(parameters.find((parameter) => parameter.startsWith('q='))?.slice(2) ?? 1);
    if (found && quality > bestQuality) [best, bestQuality] = [found, quality];
  }
  return best;
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
  const pieces = {
    json: () => json(reportHead(deviceName, report, nextCursor), tables),
    csv: () => csv(report.columnNames, tables),
    ndjson: () => ndjson(tables),
    xlsx: () => xlsx(titles(report.columnNames), reportCells(tables)),
  }[format]();
  return streamAnswer(pieces, format, deviceName, report.range.start);
}

/** The rows of a spreadsheet: the columns are those of the CSV. */
async function* reportCells(tables: AsyncIterable<SeriesTable>): AsyncGenerator<Cell[][]> {
  for await (const { series, timestamps, columns } of tables) {
    const head = [series.deviceName, series.metricName, series.unit ?? '', JSON.stringify(series.labels)];
    for (const [from, to] of rowsPerPiece(timestamps.length)) {
      const rows: Cell[][] = [];
      for (let row = from; row < to; row += 1) {
        rows.push([...head, new Date(timestamps[row] as number), ...columns.map((column) => column[row] ?? null)]);
      }
      yield rows;
    }
  }
}

/** Tells the address of the next page in the header Link: that of this one with another cursor. */
export function linkNext(cursor: string, request: FastifyRequest, reply: FastifyReply): void {
  const next = new URL(request.url, 'http://host');
  next.searchParams.set('cursor', cursor);
  void reply.header('link', `<${next.pathname}${next.search}>; rel="next"`);
}
