import {
  inSlices,
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
  thingOf,
  thingsOf,
  type CountedSeries,
  type NumbersBasis,
  type Quantiles,
  type QueryLimit,
  type Thing,
  type ThingNumbers,
} from '@device-metrics/query';
import type { SeriesSummary, Store, SummaryPart } from '@device-metrics/storage';
import type { DeviceRhythms } from '../../devices/device-rhythms.js';
import { selectorOf } from '../../http/series-query.js';
import { rowWriters, type RowColumn } from '../answer/row-formats.js';
import type { Writers } from '../answer/send-answer.js';
import { styleOf } from '../answer/style.js';
import { timeTexts } from '../answer/time-texts.js';
import { rangeBefore } from '../range-before.js';
import { summaryRange } from '../time-span.js';
import type { DeviceArrivalDto } from './arrivals.dto.js';
import { arrivals, FrequentSeries } from './arrivals.js';
import { FoldedRows } from './folded-rows.js';
import {
  BY_SERIES,
  groupSeries,
  inOrderOfKeys,
  isBySeries,
  KeyMaker,
  parseGrouping,
  rowOfOne,
  rowsOf,
  type Grouping,
  type RowKey,
  type SeriesGroup,
  type SummaryGroup,
} from './grouping.js';
import { decodePlace, encodePlace, keyOf, placeOf, refuseSortWithoutOffset, rowsInOrder, type Place } from './order.js';
import { SeriesRows } from './series-rows.js';
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
  /** Those that the query selects; with a limit those that the rows of this page are of. */
  readonly devices: readonly DeviceArrivalDto[];
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
  refuseSortWithoutOffset(query.sort, query.offset);
  const range = summaryRange(query, now);
  const before = rangeBefore(range, query);
  const selected = await store.findSeries(selectorOf(query));
  const grouping = query.group_by ? (parseGrouping(query.group_by) ?? BY_SERIES) : BY_SERIES;
  const reader = new RowReader(store, grouping, await tagsOfDevices(store, grouping), { range, before }, limit);
  const place = query.cursor === undefined ? undefined : decodePlace(query.cursor);
  const size = query.limit === undefined ? undefined : Number(query.limit);

  // How much of a device has arrived is seen in all its series; to read them costs little more than to read some. The rows
  // of a page that are not of one device each are mostly of all devices.
  const isWhole = size === undefined && !place;
  const isOfWholeDevices = query.metric_name === undefined && query.label === undefined;
  const isByKey = query.sort === undefined && size !== undefined;
  const frequent = new FrequentSeries();
  const hasQuantiles = (query.quantile?.length ?? 0) > 0;
  const isFolded = !grouping.device && !hasQuantiles;
  const isOfSeries = isWhole && isBySeries(grouping) && !hasQuantiles;
  let all: readonly SeriesSummary[] | undefined;
  if (!isFolded && !isOfSeries && (isWhole || !grouping.device)) {
    const ofDevices = isOfWholeDevices ? selected : await seriesOfDevicesOf(store, selected);
    all = await store.summarize(ofDevices, range);
    await frequent.add(ofDevices, all);
  }
  const read = async (): Promise<Rows & { isLast: boolean }> => {
    if (isFolded) {
      const folded = await reader.folded(selected, isOfWholeDevices, frequent, !isWhole);
      if (isByKey) return pageByKey(folded.keys, folded.rowsOf, place, size);
      return pageOf(await folded.rowsOf(folded.keys), place, size, query.sort);
    }
    if (isOfSeries) return pageOf(await reader.bySeries(selected, isOfWholeDevices, frequent), place, size, query.sort);
    if (!isByKey) return pageOf(await reader.rows(selected, all), place, size, query.sort);
    return pageByKey(reader.groupsByKey(selected, place), (some) => reader.rowsOf(some, all), place, size);
  };
  const { groups, basis, isLast } = await read();

  if (!isWhole) {
    const names = devicesOfRows(groups);
    if (isFolded || all) {
      frequent.keepOnly(names);
    } else {
      const devices = await store.findSeries({ devices: [...names] });
      await frequent.add(devices, await store.summarize(devices, range));
    }
  }
  const last = groups.at(-1);
  const quantileNames = query.quantile ?? [];
  await addQuantiles(store, groups, quantileNames, range, basis, limit);
  return {
    ...{ range, before, basis, quantileNames },
    rows: groups.map(({ row }) => row),
    nextCursor: last && !isLast ? encodePlace(placeOf(last, query.sort)) : undefined,
    devices: await arrivals(store, rhythms, frequent, range, now),
  };
}

const seriesOfDevicesOf = (store: Store, series: readonly Series[]): Promise<readonly Series[]> =>
  store.findSeries({ devices: [...new Set(series.map(({ deviceName }) => deviceName))] });

function devicesOfRows(groups: readonly SummaryGroup[]): ReadonlySet<string> {
  const names = new Set<string>();
  for (const { numbers, devices } of groups) {
    if (devices) for (const name of devices) names.add(name);
    for (const { thing } of numbers) for (const { deviceName } of thing.series) names.add(deviceName);
  }
  return names;
}

interface Rows {
  readonly groups: SummaryGroup[];
  readonly basis: NumbersBasis;
}

/** Makes something of summaries as they come. */
interface PartTaker {
  add(series: readonly Series[], part: SummaryPart, slices: Slices, chosen?: ReadonlySet<number>): Promise<void>;
}

/** Groups of which is known what their values come to. */
interface Folded {
  /** In their order. */
  readonly keys: readonly RowKey[];
  readonly rowsOf: (keys: readonly RowKey[]) => Promise<Rows>;
}

/** A page of rows that are all known. */
async function pageOf(
  { groups, basis }: Rows,
  place: Place | undefined,
  size: number | undefined,
  sort: string | undefined,
): Promise<Rows & { isLast: boolean }> {
  const rest = await rowsInOrder(groups, place, sort);
  return { groups: rest.slice(0, size), basis, isLast: size === undefined || rest.length <= size };
}

/**
 * The first rows behind a place by their keys, which are known before anything is read: nothing is read for others.
 *
 * @param groups in the order of their keys.
 */
async function pageByKey<G>(
  groups: Iterable<G> | AsyncIterable<G>,
  rowsOf: (some: readonly G[]) => Promise<Rows>,
  place: Place | undefined,
  size: number,
): Promise<Rows & { isLast: boolean }> {
  const found: SummaryGroup[] = [];
  let basis: NumbersBasis | undefined;
  let some: G[] = [];
  // Groups may be without samples in the range: the more of them come, the more are read at a time.
  let together = size + 1;
  const take = async (): Promise<void> => {
    const rows = await rowsOf(some);
    basis = { hourly: rows.basis.hourly || (basis?.hourly ?? false), rateStep: rows.basis.rateStep };
    for (const group of await rowsInOrder(rows.groups, place, undefined)) found.push(group);
    some = [];
    together *= 2;
  };
  for await (const group of groups) {
    some.push(group);
    if (some.length >= together) await take();
    if (found.length > size) break;
  }
  if (found.length <= size || !basis) await take();
  return { groups: found.slice(0, size), basis: basis as NumbersBasis, isLast: found.length <= size };
}

/** Makes rows of series. */
class RowReader {
  constructor(
    private readonly store: Store,
    private readonly grouping: Grouping,
    private readonly tagsOf: (deviceName: string) => Labels,
    private readonly ranges: { readonly range: TimeRange; readonly before: TimeRange | undefined },
    private readonly limit: QueryLimit,
  ) {}

  /**
   * All rows of the series.
   *
   * @param known summaries of the series over the range, and perhaps of others.
   */
  async rows(series: readonly Series[], known?: readonly SeriesSummary[]): Promise<Rows> {
    return this.rowsOf(await groupSeries(series, this.grouping, this.tagsOf), known);
  }

  /**
   * The same where each series is a row, for which nothing else is kept.
   *
   * @param areWhole whether these are all series of their devices.
   * @param frequent gets all that the devices have.
   */
  async bySeries(series: readonly Series[], areWhole: boolean, frequent: FrequentSeries): Promise<Rows> {
    const { range, before } = this.ranges;
    const all = areWhole ? series : await seriesOfDevicesOf(this.store, series);
    const rows = await this.bySeriesOver(all, range, areWhole ? undefined : series, frequent);
    if (!before) return rows;
    return { ...rows, groups: await withBefore(rows.groups, (await this.bySeriesOver(series, before)).groups) };
  }

  private async bySeriesOver(
    series: readonly Series[],
    range: TimeRange,
    chosen?: readonly Series[],
    frequent?: FrequentSeries,
  ): Promise<Rows> {
    const rows = new SeriesRows(this.grouping, new KeyMaker(this.grouping, this.tagsOf));
    await this.addParts(rows, series, range, chosen, frequent);
    const { groups, basis } = await this.rowsOver(rows.others, range, rows.summaries);
    return { groups: inOrderOfKeys(rows.ofValues.concat(groups)), basis };
  }

  /**
   * The same where groups are of many devices, which are gone through one after the other.
   *
   * @param areWhole whether these are all series of their devices.
   * @param frequent gets all that the devices have.
   * @param keepsDevices whether the rows are to say whose they are.
   */
  async folded(
    series: readonly Series[],
    areWhole: boolean,
    frequent: FrequentSeries,
    keepsDevices: boolean,
  ): Promise<Folded> {
    const { range, before } = this.ranges;
    const all = areWhole ? series : await seriesOfDevicesOf(this.store, series);
    const fold = (keeps: boolean): FoldedRows => new FoldedRows(this.grouping, this.tagsOf, keeps);
    const folded = await this.addParts(fold(keepsDevices), all, range, areWhole ? undefined : series, frequent);
    const earlier = before && (await this.addParts(fold(false), series, before));
    const rowsOf = async (keys: readonly RowKey[]): Promise<Rows> => {
      const rows = await folded.rowsOf(keys, this.store, range, this.limit);
      if (!before || !earlier) return rows;
      const rowsBefore = await earlier.rowsOf(keys, this.store, before, this.limit);
      return { ...rows, groups: await withBefore(rows.groups, rowsBefore.groups) };
    };
    return { keys: folded.allKeys(), rowsOf };
  }

  /** @param chosen those of the series that rows are made of; left out: all. */
  private async addParts<T extends PartTaker>(
    rows: T,
    series: readonly Series[],
    range: TimeRange,
    chosen?: readonly Series[],
    frequent?: FrequentSeries,
  ): Promise<T> {
    const slices = new Slices();
    let ids: Set<number> | undefined;
    if (chosen) {
      const its = (ids = new Set<number>());
      await inSlices(chosen, ({ id }) => its.add(id), slices);
    }
    for await (const part of this.store.summarizeInParts(series, range)) {
      await frequent?.addPart(series, part, slices);
      await rows.add(series, part, slices, ids);
    }
    return rows;
  }

  /** The groups that can have rows behind a place, in the order of their keys, and no more of them than are asked for. */
  async *groupsByKey(series: readonly Series[], place: Place | undefined): AsyncGenerator<SeriesGroup> {
    const { grouping, tagsOf } = this;
    if (!grouping.device) return yield* await groupSeries(series, grouping, tagsOf);
    // The device comes first in keys, and in what the store finds.
    const first = place?.key[0] ?? '';
    for (let from = 0, to = 0; from < series.length; from = to) {
      const name = (series[from] as Series).deviceName;
      while (to < series.length && series[to]?.deviceName === name) to += 1;
      if (name >= first) yield* await groupSeries(series.slice(from, to), grouping, tagsOf);
    }
  }

  async rowsOf(groups: readonly SeriesGroup[], known?: readonly SeriesSummary[]): Promise<Rows> {
    const { range, before } = this.ranges;
    const rows = await this.rowsOver(groups, range, known);
    if (!before) return rows;
    return { ...rows, groups: await withBefore(rows.groups, (await this.rowsOver(groups, before)).groups) };
  }

  private async rowsOver(
    groups: readonly SeriesGroup[],
    range: TimeRange,
    known?: readonly SeriesSummary[],
  ): Promise<Rows> {
    const slices = new Slices();
    const things: Thing[] = [];
    /** Where in `things` those of each group end. */
    const ends: number[] = [];
    const series: Series[] = [];
    for (const group of groups) {
      if (group.series.length === 1) things.push(thingOf(group.series));
      else for (const one of await thingsOf(group.series)) things.push(one);
      ends.push(things.length);
      for (const one of group.series) series.push(one);
      if (slices.isOver()) await slices.next();
    }
    const summaries = known ?? (await this.store.summarize(series.sort(byDevice), range));
    const { numbers, basis } = await numbersOf(this.store, things, summaries, range, this.limit);
    const found: SummaryGroup[] = [];
    const timeText = timeTexts();
    let [thing, number] = [0, 0];
    for (let index = 0; index < groups.length; index += 1) {
      const group = groups[index] as SeriesGroup;
      const first = number;
      for (const end = ends[index] as number; thing < end; thing += 1) {
        if (numbers[number]?.thing === things[thing]) number += 1;
      }
      if (number === first + 1) {
        found.push(rowOfOne(group, numbers[first] as ThingNumbers, this.grouping, timeText));
      } else {
        for (const row of rowsOf(group.key, numbers.slice(first, number), this.grouping, timeText)) found.push(row);
      }
      if (slices.isOver()) await slices.next();
    }
    return { groups: found, basis };
  }
}

/** Series of one device follow each other, so that each hour of a device is read once. */
const byDevice = (a: Series, b: Series): number =>
  a.deviceName === b.deviceName ? 0 : a.deviceName < b.deviceName ? -1 : 1;

/** The rows with what they were in the period before. */
async function withBefore(groups: readonly SummaryGroup[], earlier: readonly SummaryGroup[]): Promise<SummaryGroup[]> {
  const means = new Map<string, number | null>();
  await inSlices(earlier, (group) => means.set(keyOf(group).join('\n'), group.row.mean));
  const found: SummaryGroup[] = [];
  await inSlices(groups, (group) => {
    const before = means.get(keyOf(group).join('\n')) ?? null;
    const { mean } = group.row;
    const difference = mean === null || before === null ? null : mean - before;
    const percent =
      difference === null || before === null || before === 0 ? null : (difference / Math.abs(before)) * 100;
    found.push({ ...group, row: { ...group.row, before, difference, percent } });
  });
  return found;
}

/** Of values: of all their samples; of other numbers: of those that the row is of, unless they are made of hourly values. */
async function addQuantiles(
  store: Store,
  page: readonly SummaryGroup[],
  names: readonly string[],
  range: TimeRange,
  { hourly }: NumbersBasis,
  limit: QueryLimit,
): Promise<void> {
  if (names.length === 0) return;
  const counted: CountedSeries[] = [];
  await inSlices(page, ({ row, numbers }) => {
    const [only] = numbers as [ThingNumbers];
    const series = numbers.length === 1 ? only.thing.series : numbers.flatMap(({ thing }) => thing.series);
    counted.push(row.as === 'value' ? { series, count: row.count } : { series: [], count: 0 });
  });
  const ofValues = await quantilesOfGroups(store, counted, names, range, limit);
  await inSlices(page, ({ row, numbers }, index) => {
    row.quantiles = row.as === 'value' || hourly ? (ofValues[index] ?? {}) : quantilesOfPoints(numbers, names);
  });
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
    tail: { name: 'devices', rows: devices },
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
