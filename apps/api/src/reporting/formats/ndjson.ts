import { seriesHead } from '../device-report.dto.js';
import type { SeriesTable } from '../report-table.js';
import { jsonNumber, rowsPerPiece } from './pieces.js';
import { timeTexts } from './time-texts.js';

/** One JSON object a row; without steps each is a valid metric. */
export async function* ndjson(tables: AsyncIterable<SeriesTable>): AsyncGenerator<string> {
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
