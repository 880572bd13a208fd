import { toRfc3339 } from '@device-metrics/contract';
import { csvNumber, fields } from './csv.js';
import { rowsPerPiece } from './pieces.js';
import type { Writers } from './send-answer.js';
import { xlsx, type Cell } from './xlsx.js';

/** A column where there is one row after the other. */
export interface RowColumn<Row> {
  readonly title: string;
  readonly cell: (row: Row) => Cell;
}

export interface RowAnswer<Row> {
  /** What the JSON says before the rows. */
  readonly head: object;
  /** What the JSON calls the rows. */
  readonly name: string;
  readonly rows: readonly Row[];
  /** What the JSON says after the rows. */
  readonly tail?: object | undefined;
  /** Of CSV and spreadsheets; in JSON a row is as it is. */
  readonly columns: readonly RowColumn<Row>[];
}

/** Rows that are in memory, in each format. */
export function rowWriters<Row extends object>(answer: RowAnswer<Row>): Writers {
  const { rows, columns } = answer;
  const titles = columns.map(({ title }) => title);
  return {
    json: () => json(answer),
    csv: () => csv(titles, answer),
    ndjson: () => inPieces(rows, (row) => `${JSON.stringify(row)}\n`),
    xlsx: () => xlsx(titles, cells(answer)),
  };
}

/** The text of all rows, some at a time. */
async function* inPieces<Row>(
  rows: readonly Row[],
  textOf: (row: Row, index: number) => string,
): AsyncGenerator<string> {
  for (const [from, to] of rowsPerPiece(rows.length)) {
    let text = '';
    for (let index = from; index < to; index += 1) text += textOf(rows[index] as Row, index);
    yield text;
  }
}

async function* json<Row>({ head, name, rows, tail = {} }: RowAnswer<Row>): AsyncGenerator<string> {
  yield `${JSON.stringify(head).slice(0, -1)},"${name}":[`;
  yield* inPieces(rows, (row, index) => (index === 0 ? '' : ',') + JSON.stringify(row));
  const after = JSON.stringify(tail).slice(1);
  yield after === '}' ? ']}' : `],${after}`;
}

async function* csv<Row>(titles: readonly string[], { rows, columns }: RowAnswer<Row>): AsyncGenerator<string> {
  yield `${fields(titles)}\r\n`;
  yield* inPieces(rows, (row) => `${columns.map(({ cell }) => csvCell(cell(row))).join(',')}\r\n`);
}

function csvCell(cell: Cell): string {
  if (typeof cell === 'string') return fields([cell]);
  return cell instanceof Date ? toRfc3339(cell.getTime()) : csvNumber(cell);
}

async function* cells<Row>({ rows, columns }: RowAnswer<Row>): AsyncGenerator<Cell[][]> {
  for (const [from, to] of rowsPerPiece(rows.length)) {
    yield rows.slice(from, to).map((row) => columns.map(({ cell }) => cell(row)));
  }
}
