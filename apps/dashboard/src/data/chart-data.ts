import { conversionBetween, convert, labelCatalogue, stateLabels, type Conversion } from '@device-metrics/domain';
import type { Schema } from '../api.js';
import type { ChartSpec } from './chart-specs.js';

/** A line or a layer of a chart; null is a gap, undefined a time at which only others have a value. */
export interface Line {
  readonly key: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly metric: string;
  readonly values: readonly (number | null | undefined)[];
  /** The band round the mean, where steps have more than one value. */
  readonly min?: readonly (number | null | undefined)[];
  readonly max?: readonly (number | null | undefined)[];
  /** A whole of which others are parts, as all processors. */
  readonly total: boolean;
  /** The line whose colour it has, of the same thing at another time; it is drawn dashed. */
  readonly colourOf?: number;
  /** What is left over of a whole, as idle time and free space. */
  readonly quiet?: boolean;
}

/** What a chart draws. */
export interface ChartData {
  /** ms, ascending. */
  readonly times: readonly number[];
  readonly lines: readonly Line[];
  /** Before this time only hourly values are left, ms. */
  readonly hourlyUntil?: number;
}

/** The values of a series at a time. */
export interface Row {
  readonly time: number;
  readonly numbers: readonly (number | null)[];
}

/** How many usual distances without a value make a gap. */
const GAP = 3;

/** What the api is asked for: gauges with their extremes, counters as rates, states as they are. */
export const aggregationsOf = ({ rate, show }: ChartSpec): string[] =>
  rate ? ['rate'] : show === 'stack' ? ['mean'] : ['mean', 'min', 'max'];

/** Makes a chart of a device report that was asked for with `aggregationsOf`. */
export function chartData(spec: ChartSpec, report: Schema<'DeviceReportDto'>): ChartData {
  const step = report.step ?? 1000;
  const series = report.series.filter(
    ({ metric_name, labels }) =>
      spec.metrics.includes(metric_name) &&
      Object.entries(spec.only ?? {}).every(([name, value]) => labels[name] === value),
  );
  const { times, columns } = align(
    series.map(({ samples, unit }) => rowsOf(samples, conversionOf(spec, unit))),
    step,
  );
  const names = namesOf(series);
  const lines = series.map((each, index): Line => {
    const [mean = [], min, max] = columns[index] ?? [];
    return {
      key: `${each.metric_name} ${JSON.stringify(each.labels)}`,
      name: names[index] ?? '',
      labels: each.labels,
      metric: each.metric_name,
      values: mean,
      total: series.length > 1 && Object.keys(each.labels).length === 0,
      ...(min && max && isBand(min, max) && { min, max }),
    };
  });
  const shown = spec.show === 'stack' ? stacked(spec, lines) : ordered(lines);
  const hourly = report.hourly_until;
  return { times, lines: shown, ...(hourly !== undefined && { hourlyUntil: Date.parse(hourly) }) };
}

/**
 * Puts series on one axis of time: for each its columns at all times, null where it pauses for longer than usual and
 * undefined where only others have a value.
 */
export function align(
  rows: readonly (readonly Row[])[],
  step: number,
): { times: number[]; columns: (number | null | undefined)[][][] } {
  const own = [...new Set(rows.flatMap((each) => each.map(({ time }) => time)))].sort((a, b) => a - b);
  const times = withGaps(own, rows, step);
  return { times, columns: rows.map((each) => alignedTo(times, each, step)) };
}

function rowsOf(
  samples: readonly (readonly (string | number | null)[])[],
  conversion: Pick<Conversion, 'factor' | 'offset'>,
): Row[] {
  const inUnit = (value: number | null): number | null => (value === null ? null : convert(value, conversion));
  return samples.map(([time, ...numbers]) => ({
    time: Date.parse(String(time)),
    numbers: (numbers as (number | null)[]).map(inUnit),
  }));
}

/** What makes numbers of a series in a unit those of the chart. */
function conversionOf(
  { sampleUnit, rate }: ChartSpec,
  unit: string | undefined,
): Pick<Conversion, 'factor' | 'offset'> {
  const conversion = unit === undefined || sampleUnit === undefined ? undefined : conversionBetween(unit, sampleUnit);
  const { factor, offset } = conversion ?? { factor: 1, offset: 0 };
  return { factor, offset: rate ? 0 : offset };
}

/** Times with one more in each gap, at which those that pause have null. */
function withGaps(times: readonly number[], rows: readonly (readonly Row[])[], step: number): number[] {
  const more = rows.flatMap((each) => gapsOf(each, step));
  return more.length === 0 ? [...times] : [...new Set([...times, ...more])].sort((a, b) => a - b);
}

/** Where a series pauses for longer than it usually does: a time just after the last value before. */
function gapsOf(rows: readonly Row[], step: number): number[] {
  const usual = usualDistance(rows, step);
  return rows.flatMap(({ time }, index) => {
    const next = rows[index + 1];
    return next && next.time - time > GAP * usual ? [time + step] : [];
  });
}

function usualDistance(rows: readonly Row[], step: number): number {
  const distances = rows.slice(1).map(({ time }, index) => time - (rows[index]?.time ?? time));
  distances.sort((a, b) => a - b);
  return Math.max(step, distances[Math.floor(distances.length / 2)] ?? step);
}

/** The columns of a series at all times of the chart. */
function alignedTo(times: readonly number[], rows: readonly Row[], step: number): (number | null | undefined)[][] {
  const gaps = new Set(gapsOf(rows, step));
  const at = new Map(rows.map(({ time, numbers }) => [time, numbers]));
  const width = rows[0]?.numbers.length ?? 1;
  return Array.from({ length: width }, (_, column) =>
    times.map((time) => at.get(time)?.[column] ?? (at.has(time) || gaps.has(time) ? null : undefined)),
  );
}

const isBand = (min: Line['values'], max: Line['values']): boolean =>
  min.some((value, index) => typeof value === 'number' && value !== max[index]);

/** The whole first, then by name, numbers in their order. */
const collator = new Intl.Collator('en', { numeric: true });
const ordered = (lines: readonly Line[]): Line[] =>
  [...lines].sort((a, b) => Number(b.total) - Number(a.total) || collator.compare(a.name, b.name));

const LEFT_OVER = new Set(['idle', 'free']);

/** Adds up what has the same state, and puts the states in the order in which a person lists them, lowest first. */
function stacked(spec: ChartSpec, lines: readonly Line[]): Line[] {
  const byState = new Map<string, Line[]>();
  for (const line of lines) {
    const state =
      stateLabels(line.metric, line.labels)
        .map((label) => line.labels[label])
        .join(' ') || line.name;
    const before = byState.get(state);
    if (before) before.push(line);
    else byState.set(state, [line]);
  }
  const sums = [...byState].map(([state, members]): Line => {
    const [first] = members as [Line];
    const values = members.length === 1 ? first.values : sumOf(members);
    return { ...first, key: state, name: state, values, ...(LEFT_OVER.has(state) && { quiet: true }) };
  });
  const order = statesInOrder(lines[0]);
  sums.sort((a, b) => (order.get(a.name) ?? 99) - (order.get(b.name) ?? 99) || collator.compare(a.name, b.name));
  if (!spec.shares) return sums;
  const whole = sumOf(sums);
  return sums.map((line) => ({
    ...line,
    values: line.values.map((value, index) => (typeof value === 'number' ? value / (whole[index] || 1) : value)),
  }));
}

function statesInOrder(line: Line | undefined): Map<string, number> {
  const [label] = line ? stateLabels(line.metric, line.labels) : [];
  const values = label !== undefined && Object.hasOwn(labelCatalogue, label) ? labelCatalogue[label]?.values : [];
  return new Map((values ?? []).map((value, index) => [value, index]));
}

function sumOf(lines: readonly Line[]): (number | null | undefined)[] {
  return (lines[0]?.values ?? []).map((_, index) => {
    const values = lines.map(({ values }) => values[index]);
    const numbers = values.filter((value) => typeof value === 'number');
    if (numbers.length > 0) return numbers.reduce((sum, value) => sum + value, 0);
    return values.includes(null) ? null : undefined;
  });
}

/** What tells the series apart: the labels, or the metrics, in which they differ. */
export function namesOf(
  series: readonly { metric_name: string; labels: Readonly<Record<string, string>> }[],
): string[] {
  const labels = [...new Set(series.flatMap((each) => Object.keys(each.labels)))];
  const telling = labels.filter((label) => new Set(series.map((each) => each.labels[label])).size > 1);
  const metrics = new Set(series.map(({ metric_name }) => metric_name));
  const prefix = metrics.size > 1 ? commonPrefix([...metrics]) : '';
  return series.map(({ metric_name, labels: own }) => {
    const parts = telling.flatMap((label) => (own[label] === undefined ? [] : [wordOf(label, own[label])]));
    if (metrics.size > 1) parts.unshift(metric_name.slice(prefix.length));
    if (parts.length > 0) return parts.join(' ');
    return telling.length > 0 ? 'all' : (Object.values(own)[0] ?? 'value');
  });
}

/** `cpu 0` rather than `0`. */
const wordOf = (label: string, value: string): string =>
  /^\d+$/.test(value) ? `${/^(\w+)\./.exec(label)?.[1] ?? label} ${value}` : value;

/** Up to and with the last dot that all have. */
function commonPrefix(names: readonly string[]): string {
  let prefix = names[0] ?? '';
  while (!names.every((name) => name.startsWith(prefix))) prefix = prefix.slice(0, -1);
  return prefix.slice(0, prefix.lastIndexOf('.') + 1);
}
