import { Slices, stepBounds, stepOf, toRfc3339, ZoneClock, type Labels, type TimeRange } from '@device-metrics/domain';
import { refuseBeyond, type QueryLimit } from '@device-metrics/query';
import type { Store, StoredDevice } from '@device-metrics/storage';
import { selectorOf } from '../../http/series-query.js';
import { rowWriters, type RowColumn } from '../answer/row-formats.js';
import type { Writers } from '../answer/send-answer.js';
import { styleOf } from '../answer/style.js';
import { parseGrouping } from '../summary/grouping.js';
import { summaryRange } from '../time-span.js';
import type { AvailabilityQuery } from './availability-query.dto.js';
import type { AvailabilityDto, AvailabilityRowDto, SilenceDto } from './availability.dto.js';
import { silencesOf, type SilentTime } from './silences.js';

const DEFAULT_HOURS = 30 * 24;

/** What is known of one device. */
interface DeviceTimes {
  readonly device: StoredDevice;
  /** From its first sample on, up to now. */
  readonly watched: TimeRange;
  readonly silences: readonly SilentTime[];
}

export interface AvailabilityReport {
  readonly range: TimeRange;
  readonly answer: AvailabilityDto;
}

/**
 * When devices were silent, and how much of the time they were there.
 *
 * @param now Unix milliseconds.
 * @throws Problem when parameters don't go together.
 * @throws QueryRefusal when the answer would take too many samples.
 */
export async function availability(
  store: Store,
  query: AvailabilityQuery,
  now: number,
  limit: QueryLimit,
): Promise<AvailabilityReport> {
  const { timezone = 'UTC', group_by: groupBy = ['device'] } = query;
  const isOpen = query.time_range === undefined && query.start_time === undefined && query.end_time === undefined;
  const asked = summaryRange(isOpen ? { ...query, time_range: String(DEFAULT_HOURS) } : query, now);
  const range = { start: asked.start, end: Math.max(asked.start, Math.min(asked.end, now)) };
  const devices = await store.devices(selectorOf(query));
  await refuseLarge(store, devices, range, limit);
  const known: DeviceTimes[] = [];
  const slices = new Slices();
  for (const device of devices) {
    const times = await timesOf(store, device, range, now);
    if (times) known.push(times);
    // What a device waits for may be there at once.
    if (slices.isOver()) await slices.next();
  }
  const tags = parseGrouping(groupBy)?.tags ?? [];
  const groups = grouped(known, groupBy.includes('device'), tags);
  const month = stepOf({ unit: 'month', count: 1 }, timezone);
  const months = range.end > range.start && month ? stepBounds(range, month) : [];
  const clock = new ZoneClock(timezone);
  return {
    range,
    answer: {
      start_time: toRfc3339(range.start),
      end_time: toRfc3339(range.end),
      totals: groups.flatMap((group) => rowOf(group, range)),
      months: groups.flatMap((group) =>
        months.slice(0, -1).flatMap((start, index) => {
          const within = { start: Math.max(start, range.start), end: Math.min(months[index + 1] as number, range.end) };
          const name = new Date(clock.wallTime(start)).toISOString().slice(0, 7);
          return rowOf(group, within).map((row) => ({ ...row, month: name }));
        }),
      ),
      silences: known.flatMap(({ device, silences }) =>
        silences.map((silence) => silenceDto(device.name, silence, now)),
      ),
    },
  };
}

/** Of one device, up to now; undefined where it had not been heard of yet. */
export async function availabilityOf(
  store: Store,
  device: StoredDevice,
  asked: TimeRange,
  now: number,
): Promise<AvailabilityRowDto | undefined> {
  const range = { start: asked.start, end: Math.max(asked.start, Math.min(asked.end, now)) };
  const times = await timesOf(store, device, range, now);
  return times && rowOf({ device: device.name, tags: undefined, members: [times] }, range)[0];
}

/** Undefined where the device had not been heard of yet. */
async function timesOf(
  store: Store,
  device: StoredDevice,
  range: TimeRange,
  now: number,
): Promise<DeviceTimes | undefined> {
  const watched = { start: Math.max(range.start, device.firstTime ?? device.lastTime), end: range.end };
  if (watched.end <= watched.start) return undefined;
  const series = await store.findSeries({ devices: [device.name] });
  return { device, watched, silences: await silencesOf(store, series, watched, now) };
}

async function refuseLarge(
  store: Store,
  devices: readonly StoredDevice[],
  range: TimeRange,
  limit: QueryLimit,
): Promise<void> {
  const series = await store.findSeries({ devices: devices.map(({ name }) => name) });
  const most = new Map<string, number>();
  for (const { series: one, summary } of await store.summarize(series, range)) {
    most.set(one.deviceName, Math.max(most.get(one.deviceName) ?? 0, summary.count));
  }
  const total = [...most.values()].reduce((sum, count) => sum + count, 0);
  refuseBeyond(limit, total, 'start_time', 'ask for fewer devices', range);
}

interface Group {
  readonly device: string | undefined;
  readonly tags: Labels | undefined;
  readonly members: DeviceTimes[];
}

function grouped(known: readonly DeviceTimes[], byDevice: boolean, tags: 'all' | readonly string[]): Group[] {
  const groups = new Map<string, Group>();
  for (const one of known) {
    const its = tags === 'all' ? one.device.tags : Object.fromEntries(tags.flatMap((name) => tagOf(one.device, name)));
    const group: Group = {
      device: byDevice ? one.device.name : undefined,
      tags: tags.length === 0 ? undefined : its,
      members: [],
    };
    const key = JSON.stringify([group.device, group.tags]);
    const same = groups.get(key) ?? group;
    groups.set(key, same);
    same.members.push(one);
  }
  return [...groups.values()];
}

const tagOf = ({ tags }: StoredDevice, name: string): [string, string][] =>
  Object.hasOwn(tags, name) ? [[name, tags[name] ?? '']] : [];

/** What is said of a group over a range; nothing where none of it had been heard of yet. */
function rowOf({ device, tags, members }: Group, range: TimeRange): AvailabilityRowDto[] {
  let [watched, silent, silences] = [0, 0, 0];
  for (const one of members) {
    watched += overlap(one.watched, range);
    for (const { start, end } of one.silences) {
      const its = overlap(
        { start, end: end ?? Infinity },
        { start: Math.max(range.start, one.watched.start), end: Math.min(range.end, one.watched.end) },
      );
      silent += its;
      if (its > 0) silences += 1;
    }
  }
  if (watched === 0) return [];
  return [
    {
      ...(device !== undefined && { device_name: device }),
      ...(tags && { tags }),
      devices: members.length,
      watched,
      silent,
      silences,
      percent: Math.round((1 - silent / watched) * 1e6) / 1e4,
    },
  ];
}

const overlap = (a: TimeRange, b: TimeRange): number =>
  Math.max(0, Math.min(a.end, b.end) - Math.max(a.start, b.start));

const silenceDto = (deviceName: string, { start, end }: SilentTime, now: number): SilenceDto => ({
  device_name: deviceName,
  start_time: toRfc3339(start),
  ...(end !== undefined && { end_time: toRfc3339(end) }),
  length: (end ?? now) - start,
});

/** The answer in each format; in those without structure, the rows that `rows` asks for. */
export function availabilityWriters({ answer }: AvailabilityReport, query: AvailabilityQuery): Writers {
  const style = styleOf(query);
  const { start_time, end_time, totals, months, silences } = answer;
  const head = { start_time, end_time, totals };
  const json = rowWriters(
    { head, name: 'months', rows: months, tail: { name: 'silences', rows: silences }, columns: [] },
    style,
  ).json;
  if (query.rows === 'silences') {
    return { ...rowWriters({ head, name: 'silences', rows: silences, columns: SILENCE_COLUMNS }, style), json };
  }
  const rows = query.rows === 'totals' ? totals : months;
  return { ...rowWriters({ head, name: 'months', rows, columns: ROW_COLUMNS }, style), json };
}

const ROW_COLUMNS: RowColumn<AvailabilityRowDto>[] = [
  { title: 'device_name', cell: (row) => row.device_name ?? '' },
  { title: 'tags', cell: (row) => (row.tags ? JSON.stringify(row.tags) : '') },
  { title: 'month', cell: (row) => row.month ?? '' },
  { title: 'percent', cell: (row) => row.percent },
  { title: 'silences', cell: (row) => row.silences },
  { title: 'silent', cell: (row) => row.silent },
  { title: 'watched', cell: (row) => row.watched },
  { title: 'devices', cell: (row) => row.devices },
];

const SILENCE_COLUMNS: RowColumn<SilenceDto>[] = [
  { title: 'device_name', cell: (row) => row.device_name },
  { title: 'start_time', cell: (row) => new Date(row.start_time), isTime: true },
  { title: 'end_time', cell: (row) => (row.end_time === undefined ? null : new Date(row.end_time)), isTime: true },
  { title: 'length', cell: (row) => row.length },
];
