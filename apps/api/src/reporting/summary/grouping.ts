import { quote, toRfc3339, type Rule } from '@device-metrics/contract';
import { includeSummary, labelsKey, Slices, type Labels, type Series, type Summary } from '@device-metrics/domain';
import type { SeriesSummary } from '@device-metrics/storage';
import type { SummaryRowDto } from './summary.dto.js';

/** What tells apart the groups of a summary, besides the metric: values of different metrics are never taken together. */
export interface Grouping {
  readonly device: boolean;
  /** `all` labels, or the values of the named ones. */
  readonly labels: 'all' | readonly string[];
  /** The same of the tags of the device. */
  readonly tags: 'all' | readonly string[];
}

/**
 * A grouping of `device`, `metric`, `label` (each set of labels), `label:<name>`, `tag` (each set of tags) and
 * `tag:<name>`; undefined for other words.
 */
export function parseGrouping(words: readonly string[]): Grouping | undefined {
  const isKnown = (word: string): boolean =>
    ['device', 'metric', 'label', 'tag'].includes(word) || /^(label|tag):./.test(word);
  if (!words.every(isKnown)) return undefined;
  const pairs = (kind: 'label' | 'tag'): 'all' | readonly string[] =>
    words.includes(kind)
      ? 'all'
      : words.filter((word) => word.startsWith(`${kind}:`)).map((word) => word.slice(kind.length + 1));
  return { device: words.includes('device'), labels: pairs('label'), tags: pairs('tag') };
}

/** A row of a summary, and the series that it is of. */
export interface SummaryGroup {
  readonly row: SummaryRowDto;
  readonly series: readonly Series[];
}

/** One group for each row, in the order in which the groups come first. */
export async function summaryGroups(
  summaries: Iterable<SeriesSummary>,
  grouping: Grouping,
  tagsOf: (deviceName: string) => Labels,
): Promise<SummaryGroup[]> {
  const slices = new Slices();
  const groups = new Map<string, Group>();
  for (const { series, summary } of summaries) {
    const labels = chosen(series.labels, grouping.labels);
    const tags = grouping.tags.length === 0 ? undefined : chosen(tagsOf(series.deviceName), grouping.tags);
    const key =
      `${grouping.device ? series.deviceName : ''}\n${series.metricName}\n` +
      `${labels ? labelsKey(labels) : ''}${tags ? `\n${labelsKey(tags)}` : ''}`;
    const group = groups.get(key);
    if (group) {
      group.series.push(series);
      includeSummary(group.summary, summary);
    } else {
      groups.set(key, { labels, tags, series: [series], summary: { ...summary } });
    }
    if (slices.isOver()) await slices.next();
  }
  const rows: SummaryGroup[] = [];
  for (const group of groups.values()) {
    rows.push({ row: rowOf(group, grouping), series: group.series });
    if (slices.isOver()) await slices.next();
  }
  return rows;
}

interface Group {
  readonly labels: Labels | undefined;
  readonly tags: Labels | undefined;
  readonly series: Series[];
  readonly summary: Summary;
}

/** Those of the pairs that a grouping tells apart; undefined where it tells apart none. */
function chosen(pairs: Labels, names: 'all' | readonly string[]): Labels | undefined {
  if (names === 'all') return pairs;
  if (names.length === 0) return undefined;
  return Object.fromEntries(
    names.filter((name) => Object.hasOwn(pairs, name)).map((name) => [name, pairs[name] ?? '']),
  );
}

/** What is undefined is left out of the JSON. */
const rowOf = ({ labels, tags, series, summary }: Group, grouping: Grouping): SummaryRowDto => ({
  device_name: grouping.device ? series[0]?.deviceName : undefined,
  metric_name: series[0]?.metricName ?? '',
  unit: series[0]?.unit ?? undefined,
  labels,
  tags,
  series: series.length,
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
export function sorted(groups: readonly SummaryGroup[], sort: string): SummaryGroup[] {
  const descending = sort.startsWith('-');
  const key = sort.slice(descending ? 1 : 0) as SortKey;
  const compare = (a: SummaryGroup, b: SummaryGroup): number => {
    const [x, y] = [a.row[key] ?? '', b.row[key] ?? ''];
    return x < y ? -1 : x > y ? 1 : 0;
  };
  return groups.toSorted(descending ? (a, b) => compare(b, a) : compare);
}

/** Of `group_by` in a query. */
export const groupingRule: Rule = (value) =>
  Array.isArray(value) && value.every((word) => typeof word === 'string') && parseGrouping(value)
    ? undefined
    : `must be of device, metric, label, label:<name>, tag and tag:<name>, got ${quote(Array.isArray(value) ? value.join(',') : value)}`;

/** Of `sort` in a query. */
export const sortRule: Rule = (value) =>
  typeof value === 'string' && SORT_KEYS.some((key) => value === key || value === `-${key}`)
    ? undefined
    : `must be one of ${SORT_KEYS.join(', ')}, with - before it for the largest first, got ${quote(value)}`;

/** Of `cursor` in a query. */
export const offset: Rule = (value) =>
  typeof value === 'string' && /^\d{1,9}$/.test(value)
    ? undefined
    : `must be the next_cursor of a page, got ${quote(value)}`;
