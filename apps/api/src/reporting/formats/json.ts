import { toRfc3339 } from '@device-metrics/contract';
import { seriesHead } from '../device-report.dto.js';
import type { SeriesTable } from '../report-table.js';
import { jsonNumber, rowsPerPiece } from './pieces.js';

/** The text of a `DeviceReportDto`: `head`, then the tables as its `series`. */
export async function* json(head: object, tables: AsyncIterable<SeriesTable>): AsyncGenerator<string> {
  yield `${JSON.stringify(head).slice(0, -1)},"series":[`;
  let separator = '';
  for await (const { series, timestamps, columns } of tables) {
    yield `${separator}${JSON.stringify(seriesHead(series)).slice(0, -1)},"samples":[`;
    separator = ',';
    for (const [from, to] of rowsPerPiece(timestamps.length)) {
      let text = '';
      for (let row = from; row < to; row += 1) {
        text += `${row === 0 ? '' : ','}["${toRfc3339(timestamps[row] as number)}"`;
        for (const column of columns) text += `,${jsonNumber(column[row])}`;
        text += ']';
      }
      yield text;
    }
    yield ']}';
  }
  yield ']}';
}
