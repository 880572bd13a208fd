import {
  parseAggregation,
  quantilesOf,
  Slices,
  toRfc3339,
  type Labels,
  type Series,
  type TimeRange,
} from '@device-metrics/domain';
import {
  numbersOf,
  quantilesOfGroups,
  thingsOf,
  type NumbersBasis,
  type Quantiles,
  type QueryLimit,
  type ThingNumbers,
} from '@device-metrics/query';
import type { SeriesSummary, Store } from '@device-metrics/storage';
import type { DeviceRhythms } from '../../devices/device-rhythms.js';
import { selectorOf } from '../../http/series-query.js';
import { rowWriters, type RowColumn } from '../answer/row-formats.js';
import type { Writers } from '../answer/send-answer.js';
import { styleOf } from '../answer/style.js';
import { rangeBefore } from '../range-before.js';
import { summaryRange } from '../time-span.js';
import type { DeviceArrivalDto } from './arrivals.dto.js';
import { arrivals } from './arrivals.js';
import { BY_SERIES, groupSeries, parseGrouping, rowsOf, type Grouping, type SummaryGroup } from './grouping.js';
import { decodePlace, encodePlace, inOrder, placeOf, rowsAfter } from './order.js';
import type { SummaryQuery } from './summary-query.dto.js';
import type { SummaryRowDto } from './summary.dto.js';

export interface SummaryReport {
  readonly range: TimeRange;
  /** The period before, with `offset`. */
  readonly before: TimeRange | undefined;
  readonly basis: NumbersBasis;
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
 * @throws Problem when parameters don't go together.
 * @throws QueryRefusal when the answer would take too many samples.
 */
export async function summaryReport(
  store: Store,
  rhythms: DeviceRhythms,
  query: SummaryQuery,
  now: number,
  limit: QueryLimit,
): Promise<SummaryReport> {
  const range = summaryRange(query, now);
  const before = rangeBefore(range, query);
  const selected = await store.findSeries(selectorOf(query));
  // How much of a device has arrived is seen in all its series; to read them costs little more than to read some.
  const ofDevices = await store.findSeries({ devices: [...new Set(selected.map(({ deviceName }) => deviceName))] });
  const all = await store.summarize(ofDevices, range);
  const ids = new Set(selected.map(({ id }) => id));
  const summaries = ids.size === ofDevices.length ? all : all.filter(({ series }) => ids.has(series.id));

  const grouping = query.group_by ? (parseGrouping(query.group_by) ?? BY_SERIES) : BY_SERIES;
  const reader = new RowReader(store, grouping, await tagsOfDevices(store, grouping), limit);
  const { groups, basis } = await reader.rows(summaries, range);
  const compared = before ? withBefore(groups, await reader.rowsOfRange(selected, before)) : groups;
  const ordered = inOrder(compared, query.sort);
  const place = query.cursor === undefined ? undefined : decodePlace(query.cursor);
  const rest = place ? rowsAfter(ordered, place, query.sort) : ordered;
  const page = query.limit === undefined ? rest : rest.slice(0, Number(query.limit));
  const last = page.at(-1);
  const quantileNames = query.quantile ?? [];
  const quantiles = await rowQuantiles(store, page, quantileNames, range, basis, limit);
  return {
    ...{ range, before, basis, quantileNames },
    rows: page.map(({ row }, index) => (quantiles[index] ? { ...row, quantiles: quantiles[index] } : row)),
    nextCursor: last && page.length < rest.length ? encodePlace(placeOf(last, query.sort)) : undefined,
    devices: place ? undefined : await arrivals(store, rhythms, ofDevices, all, range, now),
  };
}

/** Makes rows of series. */
class RowReader {
  constructor(
    private readonly store: Store,
    private readonly grouping: Grouping,
    private readonly tagsOf: (deviceName: string) => Labels,
    private readonly limit: QueryLimit,
  ) {}

  async rowsOfRange(series: readonly Series[], range: TimeRange): Promise<SummaryGroup[]> {
    return (await this.rows(await this.store.summarize(series, range), range)).groups;
  }

  async rows(
    summaries: readonly SeriesSummary[],
    range: TimeRange,
  ): Promise<{ groups: SummaryGroup[]; basis: NumbersBasis }> {
    const series = summaries.map((one) => one.series);
    const slices = new Slices();
    const grouped = [];
    for (const group of await groupSeries(series, this.grouping, this.tagsOf)) {
      grouped.push({ group, things: thingsOf(group.series) });
      if (slices.isOver()) await slices.next();
    }
    const things = grouped.flatMap((one) => one.things);
    const { numbers, basis } = await numbersOf(this.store, things, summaries, range, this.limit);
    const byThing = new Map(numbers.map((one) => [one.thing, one]));
    const groups: SummaryGroup[] = [];
    for (const { group, things } of grouped) {
      const its = things.flatMap((thing) => byThing.get(thing) ?? []);
      for (const row of rowsOf(group, its, this.grouping)) groups.push(row);
      if (slices.isOver()) await slices.next();
    }
    return { groups, basis };
  }
}

/** The rows with what they were in the period before. */
function withBefore(groups: readonly SummaryGroup[], earlier: readonly SummaryGroup[]): SummaryGroup[] {
  const means = new Map(earlier.map(({ key, row }) => [key.join('\n'), row.mean]));
  return groups.map((group) => {
    const before = means.get(group.key.join('\n')) ?? null;
    const { mean } = group.row;
    const difference = mean === null || before === null ? null : mean - before;
    const percent =
      difference === null || before === null || before === 0 ? null : (difference / Math.abs(before)) * 100;
    return { ...group, row: { ...group.row, before, difference, percent } };
  });
}

/** Of values: of all their samples; of other numbers: of those that the row is of, unless they are made of hourly values. */
async function rowQuantiles(
  store: Store,
  page: readonly SummaryGroup[],
  names: readonly string[],
  range: TimeRange,
  { hourly }: NumbersBasis,
  limit: QueryLimit,
): Promise<Quantiles[]> {
  if (names.length === 0) return [];
  const counted = page.map(({ row, numbers }) => ({
    series: row.as === 'value' ? numbers.flatMap(({ thing }) => thing.series) : [],
    count: row.as === 'value' ? row.count : 0,
  }));
  const ofValues = await quantilesOfGroups(store, counted, names, range, limit);
  return page.map(({ row, numbers }, index) =>
    row.as === 'value' || hourly ? (ofValues[index] ?? {}) : quantilesOfPoints(numbers, names),
  );
}

function quantilesOfPoints(numbers: readonly ThingNumbers[], names: readonly string[]): Quantiles {
  const pieces = numbers.flatMap(({ points }) => (points ? [Float64Array.from(points.values)] : []));
  if (!pieces.some(({ length }) => length > 0)) return Object.fromEntries(names.map((name) => [name, null]));
  const wanted = names.map((name) => {
    const aggregation = parseAggregation(name);
    return aggregation?.kind === 'quantile' ? aggregation.quantile : NaN;
  });
  const found = quantilesOf(pieces, wanted);
  return Object.fromEntries(names.map((name, index) => [name, found[index] ?? null]));
}

async function tagsOfDevices(store: Store, { tags }: Grouping): Promise<(deviceName: string) => Labels> {
  if (tags.length === 0) return () => ({});
  const byName = new Map((await store.devices()).map((device) => [device.name, device.tags]));
  return (deviceName) => byName.get(deviceName) ?? {};
}

/** A summary in each format. */
export function summaryWriters(
  { range, before, basis, rows, nextCursor, quantileNames, devices }: SummaryReport,
  query: SummaryQuery,
): Writers {
  const answer = {
    head: {
      start_time: toRfc3339(range.start),
      end_time: toRfc3339(range.end),
      ...(before && { before_start_time: toRfc3339(before.start), before_end_time: toRfc3339(before.end) }),
      ...(rows.some((row) => row.increase !== undefined) && { rate_step: basis.rateStep }),
      ...(basis.hourly && { of_hourly_values: true }),
      ...(nextCursor !== undefined && { next_cursor: nextCursor }),
    },
    name: 'summaries',
    rows,
    tail: devices && { devices },
    columns: [...columnsWith(quantileNames), ...(before ? BEFORE : [])],
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
  { title: 'as', cell: (row) => row.as },
  { title: 'increase', cell: (row) => row.increase ?? null },
  { title: 'state', cell: (row) => row.state ?? '' },
];

const BEFORE = (['before', 'difference', 'percent'] as const).map((name) => ({
  title: name,
  cell: (row: SummaryRowDto) => row[name] ?? null,
}));
