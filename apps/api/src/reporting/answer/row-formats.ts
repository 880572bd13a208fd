import { BOM, csvNumber, fields } from './csv.js';
import { jsonPieces, rowsPerPiece } from './pieces.js';
import type { Writers } from './send-answer.js';
import type { Style } from './style.js';
import { localTimeTexts, offsets, offsetText, timeTexts } from './time-texts.js';
import { xlsx, type Cell } from './xlsx.js';

/** A column where there is one row after the other. */
export interface RowColumn<Row> {
  readonly title: string;
  readonly cell: (row: Row) => Cell;
  /** Whether its cells are times. */
  readonly isTime?: boolean;
}

export interface RowAnswer<Row> {
  /** What the JSON says before the rows. */
  readonly head: object;
  /** What the JSON calls the rows. */
  readonly name: string;
  readonly rows: readonly Row[];
  /** What the JSON says after the rows: other rows, and what it calls them. */
  readonly tail?: { readonly name: string; readonly rows: readonly object[] };
  /** Of CSV and spreadsheets; in JSON a row is as it is. */
  readonly columns: readonly RowColumn<Row>[];
}

/** Rows that are in memory, in each format. */
export function rowWriters<Row extends object>(answer: RowAnswer<Row>, style: Style): Writers {
  const { rows, columns } = answer;
  return {
    json: () => json(answer),
    csv: () => csv(answer, style),
    ndjson: () => inPieces(rows, (row) => `${JSON.stringify(row)}\n`),
    xlsx: () => xlsx(xlsxTitles(columns, style), cells(answer, style)),
  };
}

/** The text of all rows, some at a time. */
async function* inPieces<Row>(rows: readonly Row[], textOf: (row: Row) => string): AsyncGenerator<string> {
  for (const [from, to] of rowsPerPiece(rows.length)) {
    let text = '';
    for (let index = from; index < to; index += 1) text += textOf(rows[index] as Row);
    yield text;
  }
}

async function* json<Row>({ head, name, rows, tail }: RowAnswer<Row>): AsyncGenerator<string> {
  yield `${JSON.stringify(head).slice(0, -1)},"${name}":[`;
  yield* jsonPieces(rows);
  if (tail) {
    yield `],"${tail.name}":[`;
    yield* jsonPieces(tail.rows);
  }
  yield ']}';
}

async function* csv<Row>({ rows, columns }: RowAnswer<Row>, { clock, bom }: Style): AsyncGenerator<string> {
  yield `${bom ? BOM : ''}${fields(columns.map(({ title }) => title))}\r\n`;
  const timeText = clock ? localTimeTexts(clock) : timeTexts();
  const text = (cell: Cell): string => {
    if (typeof cell === 'string') return fields([cell]);
    return cell instanceof Date ? timeText(cell.getTime()) : csvNumber(cell);
  };
  yield* inPieces(rows, (row) => `${columns.map(({ cell }) => text(cell(row))).join(',')}\r\n`);
}

/** A cell has no offset, so that each local time has a column for it. */
const xlsxTitles = <Row>(columns: readonly RowColumn<Row>[], { clock }: Style): string[] =>
  columns.flatMap(({ title, isTime }) => (clock && isTime ? [title, `${title}_utc_offset`] : [title]));

/** Rows of a piece of a sheet: each cell of it is an object for a while. */
const SHEET_ROWS = 200;

async function* cells<Row>({ rows, columns }: RowAnswer<Row>, { clock }: Style): AsyncGenerator<Cell[][]> {
  const offsetOf = clock && offsets(clock);
  const cellsOf = ({ cell, isTime }: RowColumn<Row>, row: Row): Cell[] => {
    const value = cell(row);
    if (!offsetOf || !isTime) return [value];
    if (!(value instanceof Date)) return [value, null];
    const offset = offsetOf(value.getTime());
    return [new Date(value.getTime() + offset), offsetText(offset)];
  };
  for (const [from, to] of rowsPerPiece(rows.length, SHEET_ROWS)) {
    yield rows.slice(from, to).map((row) => columns.flatMap((column) => cellsOf(column, row)));
  }
}
