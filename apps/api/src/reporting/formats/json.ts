import { seriesHead } from '../device-report.dto.js';
import type { SeriesTable } from '../report-table.js';
import { jsonNumber, rowsPerPiece } from './pieces.js';
import { timeTexts } from './time-texts.js';

/** The text of a `DeviceReportDto`: `head`, then the tables as its `series`; those of one series become one. */
export async function* json(head: object, tables: AsyncIterable<SeriesTable>): AsyncGenerator<string> {
  yield `${JSON.stringify(head).slice(0, -1)},"series":[`;
  const timeText = timeTexts();
  let seriesId: number | undefined;
  let separator = '';
  for await (const { series, timestamps, columns } of tables) {
    if (series.id !== seriesId) {
      const end = seriesId === undefined ? '' : ']},';
      yield `${end}${JSON.stringify(seriesHead(series)).slice(0, -1)},"samples":[`;
      seriesId = series.id;
      separator = '';
    }
    for (const [from, to] of rowsPerPiece(timestamps.length)) {
      let text = '';
      for (let row = from; row < to; row += 1) {
        text += `${separator}["${timeText(timestamps[row] as number)}"`;
        for (const column of columns) text += `,${jsonNumber(column[row])}`;
        text += ']';
        separator = ',';
      }
      yield text;
    }
  }
  yield seriesId === undefined ? ']}' : ']}]}';
}
