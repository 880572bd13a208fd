import { toRfc3339 } from '@device-metrics/contract';
import type { Labels, TimeRange } from '@device-metrics/domain';
import { quantilesOfGroups, type QueryLimit } from '@device-metrics/query';
import type { Store } from '@device-metrics/storage';
import type { DeviceRhythms } from '../../devices/device-rhythms.js';
import { selectorOf } from '../../http/series-query.js';
import { rowWriters, type RowColumn } from '../answer/row-formats.js';
import type { Writers } from '../answer/send-answer.js';
import { styleOf } from '../answer/style.js';
import { summaryRange } from '../time-span.js';
import type { DeviceArrivalDto } from './arrivals.dto.js';
import { arrivals } from './arrivals.js';
import { parseGrouping, sorted, summaryGroups, type Grouping } from './grouping.js';
import type { SummaryQuery } from './summary-query.dto.js';
import type { SummaryRowDto } from './summary.dto.js';

export interface SummaryReport {
  readonly range: TimeRange;
  /** Of this page. */
  readonly rows: readonly SummaryRowDto[];
  /** Where the next page begins; undefined on the last. */
  readonly nextCursor: string | undefined;
  readonly quantileNames: readonly string[];
  /** Only on the first page. */
  readonly devices: readonly DeviceArrivalDto[] | undefined;
}

/**
 * @param now Unix milliseconds.
 * @throws Problem when parameters don't go together, or the answer would take too many samples.
 */
export async function summaryReport(
  store: Store,
  rhythms: DeviceRhythms,
  query: SummaryQuery,
  now: number,
  limit: QueryLimit,
): Promise<SummaryReport> {
  const range = summaryRange(query, now);
  const selected = await store.findSeries(selectorOf(query));
  // How much of a device has arrived is seen in all its series; to read them costs little more than to read some.
  const ofDevices = await store.findSeries({ devices: [...new Set(selected.map(({ deviceName }) => deviceName))] });
  const all = await store.summarize(ofDevices, range);
  const ids = new Set(selected.map(({ id }) => id));
  const summaries = ids.size === ofDevices.length ? all : all.filter(({ series }) => ids.has(series.id));

  const grouping = parseGrouping(query.group_by ?? ['device']) ?? { device: true, labels: [], tags: [] };
  const groups = await summaryGroups(summaries, grouping, await tagsOfDevices(store, grouping));
  const inOrder = query.sort === undefined ? groups : sorted(groups, query.sort);
  const from = Number(query.cursor ?? 0);
  const to = query.limit === undefined ? inOrder.length : from + Number(query.limit);
  const page = inOrder.slice(from, to);
  const quantileNames = query.quantile ?? [];
  const counted = page.map(({ row, series }) => ({ series, count: row.count }));
  const quantiles =
    quantileNames.length === 0 ? [] : await quantilesOfGroups(store, counted, quantileNames, range, limit);
  return {
    range,
    rows: page.map(({ row }, index) => (quantiles[index] ? { ...row, quantiles: quantiles[index] } : row)),
    nextCursor: to < inOrder.length ? String(to) : undefined,
    quantileNames,
    devices: from === 0 ? await arrivals(store, rhythms, ofDevices, all, range, now) : undefined,
  };
}

async function tagsOfDevices(store: Store, { tags }: Grouping): Promise<(deviceName: string) => Labels> {
  if (tags.length === 0) return () => ({});
  const byName = new Map((await store.devices()).map((device) => [device.name, device.tags]));
  return (deviceName) => byName.get(deviceName) ?? {};
}

/** A summary in each format. */
export function summaryWriters(
  { range, rows, nextCursor, quantileNames, devices }: SummaryReport,
  query: SummaryQuery,
): Writers {
  const answer = {
    head: {
      start_time: toRfc3339(range.start),
      end_time: toRfc3339(range.end),
      ...(nextCursor !== undefined && { next_cursor: nextCursor }),
    },
    name: 'summaries',
    rows,
    tail: devices && { devices },
    columns: columnsWith(quantileNames),
  };
  return rowWriters(answer, styleOf(query));
}

const NUMBERS = ['series', 'count', 'min', 'max', 'mean', 'last'] as const;

const columnsWith = (quantileNames: readonly string[]): RowColumn<SummaryRowDto>[] => [
  { title: 'device_name', cell: (row) => row.device_name ?? '' },
  { title: 'metric_name', cell: (row) => row.metric_name },
  { title: 'unit', cell: (row) => row.unit ?? '' },
  { title: 'labels', cell: (row) => (row.labels ? JSON.stringify(row.labels) : '') },
  { title: 'tags', cell: (row) => (row.tags ? JSON.stringify(row.tags) : '') },
  ...NUMBERS.map((name) => ({ title: name, cell: (row: SummaryRowDto) => row[name] })),
  ...quantileNames.map((name) => ({ title: name, cell: (row: SummaryRowDto) => row.quantiles?.[name] ?? null })),
  { title: 'last_time', cell: (row) => new Date(row.last_time), isTime: true },
];
