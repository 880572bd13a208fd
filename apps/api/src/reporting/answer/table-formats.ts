import type { SeriesTable } from '@device-metrics/query';
import { seriesHead } from '../series-head.js';
import { ByteText } from './byte-text.js';
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
  const written = new ByteText();
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
      addRows(written, timestamps, columns, from, to, isFirst);
      yield text + written.take();
      isFirst = false;
      text = '';
    }
  }
  yield seriesId === undefined ? ']}' : ']}]}';
}

/** Adds rows of a table; but for the first of all, each is behind another one. */
function addRows(
  text: ByteText,
  timestamps: ArrayLike<number>,
  columns: readonly ArrayLike<number | null>[],
  from: number,
  to: number,
  isFirst: boolean,
): void {
  for (let row = from; row < to; row += 1) {
    text.ascii(isFirst && row === from ? '["' : ',["');
    text.time(timestamps[row] as number);
    text.ascii('"');
    for (let column = 0; column < columns.length; column += 1) {
      text.ascii(',');
      text.number(columns[column]?.[row]);
    }
    text.ascii(']');
  }
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
