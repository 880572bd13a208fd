import { toRfc3339 } from '@device-metrics/contract';
import type { SeriesTable } from '../report-table.js';
import { rowsPerPiece } from './pieces.js';

/** Rows of RFC 4180: series and time, then the columns. An empty field is a step without samples. */
export async function* csv(columnNames: readonly string[], tables: AsyncIterable<SeriesTable>): AsyncGenerator<string> {
  yield line(['device_name', 'metric_name', 'unit', 'labels', 'timestamp', ...columnNames]);
  for await (const { series, timestamps, columns } of tables) {
    const head = [series.deviceName, series.metricName, series.unit ?? '', JSON.stringify(series.labels)]
      .map(field)
      .join(',');
    for (const [from, to] of rowsPerPiece(timestamps.length)) {
      let text = '';
      for (let row = from; row < to; row += 1) {
        text += `${head},${toRfc3339(timestamps[row] as number)}`;
        for (const column of columns) text += `,${csvNumber(column[row])}`;
        text += '\r\n';
      }
      yield text;
    }
  }
}

/** One line of texts, quoted where RFC 4180 asks for it. */
export const line = (fields: readonly string[]): string => `${fields.map(field).join(',')}\r\n`;

/**
 * Quoted also where a spreadsheet would take the text for a formula, with an apostrophe before it: names come from
 * devices, which nobody has to trust.
 */
function field(text: string): string {
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

export const csvNumber = (value: number | null | undefined): string =>
  value === null || value === undefined ? '' : String(value);
