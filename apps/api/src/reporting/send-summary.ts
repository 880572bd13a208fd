import { setImmediate } from 'node:timers/promises';
import { toRfc3339 } from '@device-metrics/contract';
import type { StreamableFile } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { DeviceArrivalDto } from './arrivals.js';
import { csvNumber, fields } from './formats/csv.js';
import { rowsPerPiece } from './formats/pieces.js';
import { xlsx, type Cell } from './formats/xlsx.js';
import type { SummaryQuery } from './queries.dto.js';
import { formatOf, linkNext } from './send-report.js';
import { streamAnswer } from './stream-answer.js';
import type { SummaryReport } from './summary-report.js';
import type { SummaryRowDto } from './summary.dto.js';

/** The answer in the format that the client asks for. */
export async function sendSummary(
  { range, rows, nextCursor, quantileNames, devices }: SummaryReport,
  query: SummaryQuery,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<StreamableFile> {
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
    json: () => summaryJson(head, rows, devices),
    csv: () => summaryCsv(rows, quantileNames),
    ndjson: () => inPieces(rows, (row) => `${JSON.stringify(row)}\n`),
    xlsx: () => xlsx(titles(quantileNames), summaryCells(rows, quantileNames)),
  }[format]();
  return streamAnswer(pieces, format, 'summary', range.start);
}

const NUMBERS = ['series', 'count', 'min', 'max', 'mean', 'last'] as const;
/** Of the columns, where there is one row after the other. */
const titles = (quantileNames: readonly string[]): string[] => [
  ...['device_name', 'metric_name', 'unit', 'labels', 'tags'],
  ...NUMBERS,
  ...quantileNames,
  'last_time',
];

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
async function* summaryJson(
  head: object,
  rows: readonly SummaryRowDto[],
  devices: readonly DeviceArrivalDto[] | undefined,
): AsyncGenerator<string> {
  yield `${JSON.stringify(head).slice(0, -1)},"summaries":[`;
  yield* inPieces(rows, (row, index) => (index === 0 ? '' : ',') + JSON.stringify(row));
  yield devices ? `],"devices":${JSON.stringify(devices)}}` : ']}';
}

async function* summaryCsv(rows: readonly SummaryRowDto[], quantileNames: readonly string[]): AsyncGenerator<string> {
  yield `${fields(titles(quantileNames))}\r\n`;
  yield* inPieces(rows, (row) => {
    const numbers = numbersOf(row, quantileNames).map(csvNumber);
    return `${[fields(textsOf(row)), ...numbers, row.last_time].join(',')}\r\n`;
  });
}

/** The rows of a spreadsheet: the columns are those of the CSV. */
async function* summaryCells(
  rows: readonly SummaryRowDto[],
  quantileNames: readonly string[],
): AsyncGenerator<Cell[][]> {
  for (const [from, to] of rowsPerPiece(rows.length)) {
    yield rows
      .slice(from, to)
      .map((row) => [...textsOf(row), ...numbersOf(row, quantileNames), new Date(row.last_time)]);
  }
}

const textsOf = ({ device_name, metric_name, unit, labels, tags }: SummaryRowDto): string[] => [
  device_name ?? '',
  metric_name,
  unit ?? '',
  labels ? JSON.stringify(labels) : '',
  tags ? JSON.stringify(tags) : '',
];

const numbersOf = (row: SummaryRowDto, quantileNames: readonly string[]): (number | null)[] => [
  ...NUMBERS.map((name) => row[name]),
  ...quantileNames.map((name) => row.quantiles?.[name] ?? null),
];
