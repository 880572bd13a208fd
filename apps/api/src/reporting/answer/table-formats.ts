import type { SeriesTable } from '@device-metrics/query';
import { seriesHead } from '../series-head.js';
import { ByteText } from './byte-text.js';
import { BOM, csvNumber, fields } from './csv.js';
import { jsonNumber, rowsPerPiece } from './pieces.js';
import { WHOLE, type Writers } from './send-answer.js';
import type { Style } from './style.js';
import { localTimeTexts, offsets, offsetText, timeTexts } from './time-texts.js';
import { xlsx, type Cell } from './xlsx.js';

/** Rows whose times are kept as they are written. */
const MOST_SHARED = 2_000;

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

/** Bytes of JSON that go on together: an answer that is sent as a whole needs no other memory then. */
const TOGETHER = WHOLE;

const [COMMA, QUOTE, OPEN, CLOSE] = [0x2c, 0x22, 0x5b, 0x5d];

/** `head`, then the tables as its `series`; those of one series become one. */
async function* json(head: object, tables: AsyncIterable<SeriesTable>): AsyncGenerator<Uint8Array> {
  const text = new ByteText();
  const times = new SharedTimes();
  text.text(`${JSON.stringify(head).slice(0, -1)},"series":[`);
  let seriesId: number | undefined;
  let isFirst = true;
  for await (const { series, timestamps, columns } of tables) {
    if (series.id !== seriesId) {
      isFirst = true;
      if (seriesId !== undefined) text.text(']},');
      text.text(`${JSON.stringify(seriesHead(series)).slice(0, -1)},"samples":[`);
      seriesId = series.id;
    }
    times.begin(timestamps);
    for (const [from, to] of rowsPerPiece(timestamps.length)) {
      addRows(text, times, columns, from, to, isFirst);
      isFirst = false;
      if (text.length >= TOGETHER) yield text.take();
    }
  }
  text.text(seriesId === undefined ? ']}' : ']}]}');
  yield text.take();
}

/** Adds rows of a table; but for the first of all, each is behind another one. */
function addRows(
  text: ByteText,
  times: SharedTimes,
  columns: readonly ArrayLike<number | null>[],
  from: number,
  to: number,
  isFirst: boolean,
): void {
  for (let row = from; row < to; row += 1) {
    times.add(text, row, isFirst && row === from);
    text.number(columns[0]?.[row]);
    for (let column = 1; column < columns.length; column += 1) {
      text.byte(COMMA);
      text.number(columns[column]?.[row]);
    }
    text.byte(CLOSE);
  }
}

/** How rows of tables begin, up to their first number: with their times, which are written once where tables share them. */
class SharedTimes {
  private timestamps: ArrayLike<number> = [];
  /** Undefined for times that only one table had so far. */
  private shared: { readonly text: ByteText; readonly ends: Uint32Array } | undefined;

  /** Begins a table. */
  begin(timestamps: ArrayLike<number>): void {
    const isShared = timestamps === this.timestamps && timestamps.length <= MOST_SHARED;
    this.timestamps = timestamps;
    if (!isShared) this.shared = undefined;
    else this.shared ??= this.written();
  }

  /** Adds the beginning of a row, which is behind another one or the first of all. */
  add(text: ByteText, row: number, isFirst: boolean): void {
    const { shared } = this;
    if (!shared) return this.write(text, row, isFirst);
    const before = row === 0 ? 0 : (shared.ends[row - 1] as number);
    text.copy(shared.text, isFirst ? before + 1 : before, shared.ends[row] as number);
  }

  private write(text: ByteText, row: number, isFirst: boolean): void {
    if (!isFirst) text.byte(COMMA);
    text.byte(OPEN);
    text.byte(QUOTE);
    text.time(this.timestamps[row] as number);
    text.byte(QUOTE);
    text.byte(COMMA);
  }

  private written(): { text: ByteText; ends: Uint32Array } {
    const text = new ByteText();
    const ends = new Uint32Array(this.timestamps.length);
    for (let row = 0; row < ends.length; row += 1) {
      this.write(text, row, false);
      ends[row] = text.length;
    }
    return { text, ends };
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
