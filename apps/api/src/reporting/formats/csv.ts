import { titles, type SeriesTable } from '../report-table.js';
import { isNumber, rowsPerPiece } from './pieces.js';
import { timeTexts } from './time-texts.js';

/** Rows of RFC 4180: series and time, then the columns. An empty field is a step without a number. */
export async function* csv(columnNames: readonly string[], tables: AsyncIterable<SeriesTable>): AsyncGenerator<string> {
  yield `${fields(titles(columnNames))}\r\n`;
  const timeText = timeTexts();
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

/** Texts with commas between them, quoted where RFC 4180 asks for it. */
export const fields = (texts: readonly string[]): string => texts.map(field).join(',');

/**
 * Quoted also where a spreadsheet would take the text for a formula, with an apostrophe before it: names come from
 * devices, which nobody has to trust.
 */
function field(text: string): string {
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

export const csvNumber = (value: number | null | undefined): string => (isNumber(value) ? String(value) : '');
