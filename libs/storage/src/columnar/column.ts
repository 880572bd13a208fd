import { emptySummary, lowerBound, type Summary } from '@device-metrics/domain';

/** The samples of one series within one hour, by time, one per time. */
export interface Column {
  /** Milliseconds since the start of the hour. */
  readonly times: Uint32Array;
  readonly values: Float64Array;
}

/** Samples of a series, from index `from` to before `to` of a column that may hold those of others as well. */
export interface SeriesPart {
  seriesId: number;
  column: Column;
  from: number;
  to: number;
}

/** The same as a column of its own. */
export const columnOf = ({ column, from, to }: Readonly<SeriesPart>): Column => ({
  times: column.times.subarray(from, to),
  values: column.values.subarray(from, to),
});

/** Both columns in one; where they share a time, `over` wins. */
export function mergeColumns(under: Column, over: Column): Column {
  const [a, b] = [under.times, over.times];
  if (a.length === 0) return over;
  if (b.length === 0) return under;
  const times = new Uint32Array(a.length + b.length);
  const values = new Float64Array(a.length + b.length);
  let length = 0;
  for (let i = 0, j = 0; i < a.length || j < b.length; length += 1) {
    if (j >= b.length || (i < a.length && a[i] < b[j])) {
      times[length] = a[i];
      values[length] = under.values[i];
      i += 1;
      continue;
    }
    if (i < a.length && a[i] === b[j]) i += 1;
    times[length] = b[j];
    values[length] = over.values[j];
    j += 1;
  }
  return { times: times.subarray(0, length), values: values.subarray(0, length) };
}

/** All columns in one; where they share a time, the later of them wins. There must be one. */
export function joinColumns(columns: readonly Column[]): Column {
  if (columns.length === 1) return columns[0];
  if (!followEachOther(columns)) return columns.reduce(mergeColumns);
  const times = joinTimes(columns.map((column) => column.times));
  const values = new Float64Array(times.length);
  let at = 0;
  for (const column of columns) {
    values.set(column.values, at);
    at += column.values.length;
  }
  return { times, values };
}

/** Whether the samples of each begin behind those of the one before, and none is empty. */
export function followEachOther(all: readonly { readonly times: Uint32Array }[]): boolean {
  let last = -1;
  for (const { times } of all) {
    if (!(times[0] > last)) return false;
    last = times[times.length - 1];
  }
  return true;
}

/** Times that follow each other in one list. */
export function joinTimes(all: readonly Uint32Array[]): Uint32Array {
  if (all.length === 1) return all[0];
  const joined = new Uint32Array(all.reduce((sum, times) => sum + times.length, 0));
  let at = 0;
  for (const times of all) {
    joined.set(times, at);
    at += times.length;
  }
  return joined;
}

/** Whether both hold the same samples, bit for bit. */
export function sameColumns(a: Column, b: Column): boolean {
  return sameTimes(a.times, b.times) && a.values.every((value, index) => Object.is(value, b.values[index]));
}

export function sameTimes(a: Uint32Array, b: Uint32Array): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let index = 0; index < a.length; index += 1) if (a[index] !== b[index]) return false;
  return true;
}

/** The samples from `start` to before `end`, milliseconds since the start of the hour. */
export function sliceColumn(column: Column, start: number, end: number): Column {
  const from = lowerBound(column.times, start);
  const to = lowerBound(column.times, end);
  if (from === 0 && to === column.times.length) return column;
  return { times: column.times.subarray(from, to), values: column.values.subarray(from, to) };
}

/** The summary of a column of at least one sample; `hourStart` makes its times Unix milliseconds. */
export const summarizeColumn = (column: Column, hourStart: number): Summary =>
  summarizePart(column, 0, column.times.length, hourStart);

/** The same of the samples from index `from` to before `to`; it is written into `summary`. */
export function summarizePart(
  { times, values }: Column,
  from: number,
  to: number,
  hourStart: number,
  summary: Summary = emptySummary(),
): Summary {
  let min = values[from];
  let max = min;
  let sum = 0;
  for (let index = from; index < to; index += 1) {
    const value = values[index];
    if (value < min) min = value;
    if (value > max) max = value;
    sum += value;
  }
  const last = to - 1;
  summary.count = to - from;
  summary.min = min;
  summary.max = max;
  summary.sum = sum;
  summary.first = values[from];
  summary.firstTime = hourStart + times[from];
  summary.last = values[last];
  summary.lastTime = hourStart + times[last];
  return summary;
}

/** Whether no value is below the one before it, from index `from` to before `to`. @param summary of the same samples */
export function rises(
  { values }: Column,
  { first, last, min, max }: Readonly<Summary>,
  from = 0,
  to = values.length,
): boolean {
  if (first !== min || last !== max) return false;
  for (let index = from + 1; index < to; index += 1) if (values[index] < values[index - 1]) return false;
  return true;
}
