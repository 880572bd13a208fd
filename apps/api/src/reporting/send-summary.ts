import { setImmediate } from 'node:timers/promises';
import { toRfc3339 } from '@device-metrics/contract';
import type { StreamableFile } from '@nestjs/common';
import type { TimeRange } from '@device-metrics/domain';
import type { SeriesSummary } from '@device-metrics/storage';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { invalidInput } from '../http/problem.js';
import { csvNumber, fields } from './formats/csv.js';
import { rowsPerPiece } from './formats/pieces.js';
import { xlsx, type Cell } from './formats/xlsx.js';
import type { SummaryQuery } from './queries.dto.js';
import { formatOf, linkNext } from './send-report.js';
import { streamAnswer } from './stream-answer.js';
import { parseGrouping, sorted, summaryRows } from './summary.js';
import type { SummaryRowDto } from './summary.dto.js';
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
): Promise<StreamableFile> {
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
  const head = {
    start_time: toRfc3339(range.start),
    end_time: toRfc3339(range.end),
    ...(nextCursor !== undefined && { next_cursor: nextCursor }),
  };
  const pieces = {
    json: () => summaryJson(head, rows),
    csv: () => summaryCsv(rows),
    ndjson: () => inPieces(rows, (row) => `${JSON.stringify(row)}\n`),
    xlsx: () => xlsx(TITLES, summaryCells(rows)),
  }[format]();
  return streamAnswer(pieces, format, 'summary', range.start);
}

const NUMBERS = ['series', 'count', 'min', 'max', 'mean', 'last'] as const;
/** Of the columns, where there is one row after the other. */
const TITLES = ['device_name', 'metric_name', 'unit', 'labels', ...NUMBERS, 'last_time'];

/** The text of all rows, some at a time. */
async function* inPieces(
  rows: readonly SummaryRowDto[],
  textOf: (row: SummaryRowDto, index: number) => string,
): AsyncGenerator<string> {
  for (const [from, to] of rowsPerPiece(rows.length)) {
    let text = '';
    for (let index = from; index < to; index += 1) text += textOf(rows[index] as SummaryRowDto, index);
    yield text;
  }
}

/** The text of a `SummaryDto`. */
async function* summaryJson(head: object, rows: readonly SummaryRowDto[]): AsyncGenerator<string> {
  yield `${JSON.stringify(head).slice(0, -1)},"summaries":[`;
  yield* inPieces(rows, (row, index) => (index === 0 ? '' : ',') + JSON.stringify(row));
  yield ']}';
}

async function* summaryCsv(rows: readonly SummaryRowDto[]): AsyncGenerator<string> {
  yield `${fields(TITLES)}\r\n`;
  yield* inPieces(rows, (row) => {
    const numbers = NUMBERS.map((name) => csvNumber(row[name]));
    return `${[fields(textsOf(row)), ...numbers, row.last_time].join(',')}\r\n`;
  });
}

/** The rows of a spreadsheet: the columns are those of the CSV. */
async function* summaryCells(rows: readonly SummaryRowDto[]): AsyncGenerator<Cell[][]> {
  for (const [from, to] of rowsPerPiece(rows.length)) {
    yield rows
      .slice(from, to)
      .map((row) => [...textsOf(row), ...NUMBERS.map((name) => row[name]), new Date(row.last_time)]);
  }
}

const textsOf = (row: SummaryRowDto): string[] => [
  row.device_name ?? '',
  row.metric_name,
  row.unit ?? '',
  row.labels ? JSON.stringify(row.labels) : '',
];
