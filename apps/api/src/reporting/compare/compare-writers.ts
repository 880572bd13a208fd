import type { Writers } from '../answer/send-answer.js';
import { rowWriters, type RowColumn } from '../answer/row-formats.js';
import { styleOf } from '../answer/style.js';
import type { CompareQuery } from './compare-query.dto.js';
import type { CompareDto, ComparedSeriesDto } from './compare.dto.js';

/** The numbers of one step. */
interface StepRow {
  readonly timestamp: string;
  readonly values: readonly (number | null)[];
}

/** The answer in each format: in those without structure a row for each step, with a column for each series. */
export function compareWriters(answer: CompareDto, query: CompareQuery): Writers {
  const { timestamps, series } = answer;
  const rows = timestamps.map((timestamp, index): StepRow => {
    return { timestamp, values: series.map(({ values }) => values[index] ?? null) };
  });
  const columns: RowColumn<StepRow>[] = [
    { title: 'timestamp', cell: ({ timestamp }) => new Date(timestamp), isTime: true },
    ...series.map((one, index): RowColumn<StepRow> => {
      return { title: titleOf(one), cell: ({ values }) => values[index] ?? null };
    }),
  ];
  const json = async function* (): AsyncGenerator<string> {
    yield JSON.stringify(answer);
  };
  return { ...rowWriters({ head: {}, name: 'steps', rows, columns }, styleOf(query)), json };
}

const titleOf = ({ device_name, labels }: ComparedSeriesDto): string =>
  [device_name, ...Object.entries(labels).map(([name, value]) => `${name}=${value}`)].join(' ');
