import { quote } from '@device-metrics/contract';
import type { Labels, TimeRange } from '@device-metrics/domain';
import type { SampleStore } from '@device-metrics/storage';
import type { DeviceRhythms } from '../devices/device-rhythms.js';
import { invalidInput } from '../http/problem.js';
import { selectorOf } from '../http/series-query.js';
import { arrivals, type DeviceArrivalDto } from './arrivals.js';
import type { QueryLimit } from './query-cost.js';
import type { SummaryQuery } from './queries.dto.js';
import { rowQuantiles } from './row-quantiles.js';
import type { SummaryRowDto } from './summary.dto.js';
import { parseGrouping, sorted, summaryGroups, type Grouping } from './summary.js';
import { lastHours, reportRange } from './time-span.js';

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
  store: SampleStore,
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
  const quantiles = quantileNames.length === 0 ? [] : await rowQuantiles(store, page, quantileNames, range, limit);
  return {
    range,
    rows: page.map(({ row }, index) => (quantiles[index] ? { ...row, quantiles: quantiles[index] } : row)),
    nextCursor: to < inOrder.length ? String(to) : undefined,
    quantileNames,
    devices: from === 0 ? await arrivals(store, rhythms, ofDevices, all, range, now) : undefined,
  };
}

/** @throws Problem when `time_range` comes with a start or an end, or the end is not after the start. */
export function summaryRange(
  { time_range, start_time, end_time }: Pick<SummaryQuery, 'time_range' | 'start_time' | 'end_time'>,
  now: number,
): TimeRange {
  if (time_range === undefined) return reportRange(start_time, end_time, now);
  if (start_time !== undefined || end_time !== undefined) {
    throw invalidInput([
      { field: 'time_range', reason: `must not come together with start_time or end_time, got ${quote(time_range)}` },
    ]);
  }
  return lastHours(time_range, now);
}

async function tagsOfDevices(store: SampleStore, { tags }: Grouping): Promise<(deviceName: string) => Labels> {
  if (tags.length === 0) return () => ({});
  const byName = new Map((await store.devices()).map((device) => [device.name, device.tags]));
  return (deviceName) => byName.get(deviceName) ?? {};
}
