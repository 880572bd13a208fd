import type { SeriesTable } from '@device-metrics/query';
import { seriesHead } from '../series-head.js';
import { BOM, csvNumber, fields } from './csv.js';
import { jsonNumber, rowsPerPiece } from './pieces.js';
import type { Writers } from './send-answer.js';
import type { Style } from './style.js';
import { localTimeTexts, offsets, offsetText, timeTexts } from './time-texts.js';
import { xlsx, type Cell } from './xlsx.js';

/**
 * Tables of series in each format.
 *
 * @param head what the JSON says before its `series`.
 */
export function tableWriters(
  head: object,
  columnNames: readonly string[],
  tables: AsyncIterable<SeriesTable>,
  style: Style,
): Writers {
  const titles = ['device_name', 'metric_name', 'unit', 'labels', 'timestamp'];
  const offsetTitle = style.clock ? ['utc_offset'] : [];
  return {
    json: () => json(head, tables),
    csv: () => csv([...titles, ...columnNames], tables, style),
    ndjson: () => ndjson(tables),
    xlsx: () => xlsx([...titles, ...offsetTitle, ...columnNames], cells(tables, style)),
  };
}

/** `head`, then the tables as its `series`; those of one series become one. */
async function* json(head: object, tables: AsyncIterable<SeriesTable>): AsyncGenerator<string> {
  yield `${JSON.stringify(head).slice(0, -1)},"series":[`;
  const beginningOf = beginningsOfRows();
  let seriesId: number | undefined;
  let isFirst = true;
  let text = '';
  for await (const { series, timestamps, columns } of tables) {
    if (series.id !== seriesId) {
      isFirst = true;
      text = seriesId === undefined ? '' : ']},';
      text += `${JSON.stringify(seriesHead(series)).slice(0, -1)},"samples":[`;
      seriesId = series.id;
    }
    for (const [from, to] of rowsPerPiece(timestamps.length)) {
      const rows = jsonRows(timestamps, columns, from, to, beginningOf);
      yield text + (isFirst ? rows.slice(1) : rows);
      isFirst = false;
      text = '';
    }
  }
  yield seriesId === undefined ? ']}' : ']}]}';
}

/** Rows of a table, each behind another one. */
function jsonRows(
  timestamps: ArrayLike<number>,
  columns: readonly ArrayLike<number | null>[],
  from: number,
  to: number,
  beginningOf: (timestamps: ArrayLike<number>, row: number) => string,
): string {
  const [first = [], ...others] = columns;
  let text = '';
  for (let row = from; row < to; row += 1) {
    let numbers = jsonNumber(first[row]);
    for (const column of others) numbers += `,${jsonNumber(column[row])}`;
    text += `${beginningOf(timestamps, row)},${numbers}]`;
  }
  return text;
}

/** Rows of a table whose times are kept as text. */
const KEPT = 1_000;

/** What a row begins with, behind another one: a comma, a bracket and its time. Tables of steps share their times. */
function beginningsOfRows(): (timestamps: ArrayLike<number>, row: number) => string {
  const timeText = timeTexts();
  const textOf = (timestamps: ArrayLike<number>, row: number): string => `,["${timeText(timestamps[row] as number)}"`;
  let kept: ArrayLike<number> | undefined;
  let texts: string[] = [];
  return (timestamps, row) => {
    if (timestamps.length > KEPT) return textOf(timestamps, row);
    if (timestamps !== kept) {
      kept = timestamps;
      texts = [];
    }
    return (texts[row] ??= textOf(timestamps, row));
  };
}

/** Rows of RFC 4180: series and time, then the columns. An empty field is a step without a number. */
async function* csv(
  titles: readonly string[],
  tables: AsyncIterable<SeriesTable>,
  { clock, bom }: Style,
): AsyncGenerator<string> {
  yield `${bom ? BOM : ''}${fields(titles)}\r\n`;
  const timeText = clock ? localTimeTexts(clock) : timeTexts();
  for await (const { series, timestamps, columns } of tables) {
    const head = fields([series.deviceName, series.metricName, series.unit ?? '', JSON.stringify(series.labels)]);
    for (const [from, to] of rowsPerPiece(timestamps.length)) {
      let text = '';
      for (let row = from; row < to; row += 1) {
        text += `${head},${timeText(timestamps[row] as number)}`;
        for (const column of columns) text += `,${csvNumber(column[row])}`;
        text += '\r\n';
      }
      yield text;
    }
  }
}

/** One JSON object a row; without steps each is a valid metric. */
async function* ndjson(tables: AsyncIterable<SeriesTable>): AsyncGenerator<string> {
  const timeText = timeTexts();
  for await (const { series, columnNames, timestamps, columns } of tables) {
    const head = JSON.stringify(seriesHead(series)).slice(0, -1);
    const names = columnNames.map((name) => JSON.stringify(name));
    for (const [from, to] of rowsPerPiece(timestamps.length)) {
      let text = '';
      for (let row = from; row < to; row += 1) {
        text += `${head},"timestamp":"${timeText(timestamps[row] as number)}"`;
        columns.forEach((column, index) => (text += `,${names[index]}:${jsonNumber(column[row])}`));
        text += '}\n';
      }
      yield text;
    }
  }
}

/** The rows of a spreadsheet: the columns are those of the CSV; a cell has no offset, so that this has one of its own. */
async function* cells(tables: AsyncIterable<SeriesTable>, { clock }: Style): AsyncGenerator<Cell[][]> {
  const offsetOf = clock && offsets(clock);
  for await (const { series, timestamps, columns } of tables) {
    const head = [series.deviceName, series.metricName, series.unit ?? '', JSON.stringify(series.labels)];
    for (const [from, to] of rowsPerPiece(timestamps.length)) {
      const rows: Cell[][] = [];
      for (let row = from; row < to; row += 1) {
        const time = timestamps[row] as number;
        const offset = offsetOf?.(time) ?? 0;
        const times: Cell[] = offsetOf ? [new Date(time + offset), offsetText(offset)] : [new Date(time)];
        rows.push([...head, ...times, ...columns.map((column) => column[row] ?? null)]);
      }
      yield rows;
    }
  }
}
