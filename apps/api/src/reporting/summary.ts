import { toRfc3339 } from '@device-metrics/contract';
import { labelsKey, mergeSummaries, type Labels, type Series, type Summary } from '@device-metrics/domain';
import type { SeriesSummary } from '@device-metrics/storage';
import type { SummaryRowDto } from './summary.dto.js';

/** What tells apart the groups of a summary, besides the metric: values of different metrics are never taken together. */
export interface Grouping {
  readonly device: boolean;
  /** `all` labels, or the values of the named ones. */
  readonly labels: 'all' | readonly string[];
}

/** A grouping of `device`, `metric`, `label` (each set of labels) and `label:<name>`; undefined for other words. */
export function parseGrouping(words: readonly string[]): Grouping | undefined {
  const names = words.filter((word) => word.startsWith('label:')).map((word) => word.slice('label:'.length));
  const known = words.every((word) => ['device', 'metric', 'label'].includes(word) || word.startsWith('label:'));
  if (!known || names.includes('')) return undefined;
  return { device: words.includes('device'), labels: words.includes('label') ? 'all' : names };
}

/** One row for each group, in the order in which the groups come first. */
export function summaryRows(summaries: Iterable<SeriesSummary>, grouping: Grouping): SummaryRowDto[] {
  const groups = new Map<string, Group>();
  for (const { series, summary } of summaries) {
    const labels = grouping.labels.length === 0 ? undefined : groupLabels(series, grouping);
    const key = `${grouping.device ? series.deviceName : ''}\n${series.metricName}\n${labels ? labelsKey(labels) : ''}`;
    const group = groups.get(key);
    if (group) {
      group.seriesCount += 1;
      group.summary = mergeSummaries(group.summary, summary);
    } else {
      groups.set(key, { first: series, labels, seriesCount: 1, summary });
    }
  }
  return Array.from(groups.values(), (group) => row(group, grouping));
}

interface Group {
  readonly first: Series;
  readonly labels: Labels | undefined;
  seriesCount: number;
  summary: Summary;
}

function groupLabels({ labels }: Series, grouping: Grouping): Labels {
  if (grouping.labels === 'all') return labels;
  const named = grouping.labels.filter((name) => Object.hasOwn(labels, name));
  return Object.fromEntries(named.map((name) => [name, labels[name] ?? '']));
}

/** What is undefined is left out of the JSON. */
const row = ({ first, labels, seriesCount, summary }: Group, grouping: Grouping): SummaryRowDto => ({
  device_name: grouping.device ? first.deviceName : undefined,
  metric_name: first.metricName,
  unit: first.unit ?? undefined,
  labels,
  series: seriesCount,
  count: summary.count,
  min: summary.min,
  max: summary.max,
  mean: summary.sum / summary.count,
  last: summary.last,
  last_time: toRfc3339(summary.lastTime),
});

export const SORT_KEYS = [
  'device_name',
  'metric_name',
  'series',
  'count',
  'min',
  'max',
  'mean',
  'last',
  'last_time',
] as const;
export type SortKey = (typeof SORT_KEYS)[number];

/** Sorted by one column, a `-` before its name for the largest first; equal rows stay in their order. */
export function sorted(rows: readonly SummaryRowDto[], sort: string): SummaryRowDto[] {
  const descending = sort.startsWith('-');
  const key = sort.slice(descending ? 1 : 0) as SortKey;
  const compare = (a: SummaryRowDto, b: SummaryRowDto): number => {
    const [x, y] = [a[key] ?? '', b[key] ?? ''];
    return x < y ? -1 : x > y ? 1 : 0;
  };
  return rows.toSorted(descending ? (a, b) => compare(b, a) : compare);
}
