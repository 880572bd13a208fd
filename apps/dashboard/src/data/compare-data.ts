import type { Schema } from '../api.js';
import { align, namesOf, type ChartData, type Line, type Row } from './chart-data.js';

type CompareDto = Schema<'CompareDto'>;

/** How far back the time before is, and what it was like. */
interface Before {
  readonly report: CompareDto;
  /** ms. */
  readonly offset: number;
}

/** A chart of many devices; with the time before as dashed lines of the same colours, moved to the times of now. */
export function compareData(report: CompareDto, before?: Before): ChartData {
  const keys = report.series.map(keyOf);
  const earlier = (before?.report.series ?? []).filter((series) => keys.includes(keyOf(series)));
  const now = report.series.map(({ values }) => rowsOf(report.timestamps, values, 0));
  const past = earlier.map(({ values }) => rowsOf(before?.report.timestamps ?? [], values, before?.offset ?? 0));
  const { times, columns } = align([...now, ...past], report.step);
  const names = namesOf(
    report.series.map(({ device_name, labels }) => ({ metric_name: '', labels: { ...labels, device: device_name } })),
  );
  const line = ({ labels, device_name }: CompareDto['series'][number], index: number): Omit<Line, 'key' | 'name'> => ({
    labels: { device: device_name, ...labels },
    metric: report.metric_name,
    values: columns[index]?.[0] ?? [],
    total: false,
  });
  return {
    times,
    lines: [
      ...report.series.map((series, index) => ({
        ...line(series, index),
        key: keyOf(series),
        name: names[index] ?? '',
      })),
      ...earlier.map((series, index) => {
        const colourOf = keys.indexOf(keyOf(series));
        const name = `${names[colourOf] ?? ''} before`;
        return { ...line(series, now.length + index), key: `before ${keyOf(series)}`, name, colourOf };
      }),
    ],
  };
}

/** Names one series of a comparison. */
export const keyOf = ({ device_name, labels }: CompareDto['series'][number]): string =>
  `${device_name} ${JSON.stringify(labels)}`;

const rowsOf = (timestamps: readonly string[], values: readonly (number | null)[], offset: number): Row[] =>
  timestamps.flatMap((time, index) => {
    const value = values[index] ?? null;
    return value === null ? [] : [{ time: Date.parse(time) + offset, numbers: [value] }];
  });
