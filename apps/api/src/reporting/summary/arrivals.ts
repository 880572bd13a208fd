import type { Series, TimeRange } from '@device-metrics/domain';
import type { SeriesSummary, Store } from '@device-metrics/storage';
import type { DeviceRhythms } from '../../devices/device-rhythms.js';
import { gapsBetween, rhythmOf } from '../../devices/rhythm.js';
import type { DeviceArrivalDto } from './arrivals.dto.js';

/**
 * @param series all series of the devices; `summaries` are theirs over the range.
 * @param now Unix milliseconds.
 */
export async function arrivals(
  store: Store,
  rhythms: DeviceRhythms,
  series: readonly Series[],
  summaries: readonly SeriesSummary[],
  range: TimeRange,
  now: number,
): Promise<DeviceArrivalDto[]> {
  const names = new Set<string>();
  for (const { deviceName } of series) names.add(deviceName);
  const most = new Map<string, SeriesSummary>();
  for (const one of summaries) {
    const { deviceName } = one.series;
    if (one.summary.count > (most.get(deviceName)?.summary.count ?? 0)) most.set(deviceName, one);
  }
  let readable = MAX_SAMPLES;
  const found: DeviceArrivalDto[] = [];
  const devices = await store.devices({ devices: [...names] });
  const known = await rhythms.ofAll(devices);
  for (const [index, device] of devices.entries()) {
    const frequent = most.get(device.name);
    const count = frequent?.summary.count ?? 0;
    const rhythm = known[index];
    const span = Math.min(range.end, now) - Math.max(range.start, device.firstTime ?? Infinity);
    const dto = { device_name: device.name, arrived: count };
    if (!rhythm || rhythm.interval === 0 || !(span > 0)) {
      found.push(dto);
      continue;
    }
    let expected = Math.max(count === 0 ? 0 : 1, Math.floor(span / rhythm.interval));
    // Of a range shorter than the time between two readings nobody can say that one is missing.
    if (expected === 0) {
      found.push({ ...dto, interval: Math.round(rhythm.interval) });
      continue;
    }
    // Where as much has come as by the rhythm of today, there is nothing to look for.
    if (frequent && Math.abs(count / expected - 1) > 0.01 && count <= readable) {
      readable -= count;
      const start = Math.max(range.start, device.firstTime ?? range.start);
      const watched = { start, end: Math.min(range.end, now) };
      expected = await expectedOf(store, frequent.series, watched, rhythm.interval);
    }
    const share = Math.min(1, count / expected);
    found.push({ ...dto, interval: Math.round(rhythm.interval), expected, share: Math.round(share * 1e4) / 1e4 });
  }
  return found;
}

/** Samples that one answer reads to see at which rhythm they came. */
const MAX_SAMPLES = 1_000_000;

/** How many readings were to be expected, each stretch by its own rhythm. */
async function expectedOf(store: Store, series: Series, { start, end }: TimeRange, interval: number): Promise<number> {
  let times: ArrayLike<number> = [];
  for await (const { timestamps } of store.readSamples([series], { start, end })) times = timestamps;
  const [first, last] = [times[0], times[times.length - 1]];
  if (first === undefined || last === undefined) return Math.max(1, Math.floor((end - start) / interval));
  const [lead, rest] = [rhythmOf(head(times)) ?? { interval }, rhythmOf(tail(times)) ?? { interval }];
  const between = (await gapsBetween(times)).reduce((sum, { expected }) => sum + expected, 0);
  const after = Math.max(0, Math.ceil((end - last) / rest.interval) - 1);
  return Math.floor((first - start) / lead.interval) + 1 + between + after;
}

const NEIGHBOURS = 33;
const head = (times: ArrayLike<number>): number[] => Array.prototype.slice.call(times, 0, NEIGHBOURS) as number[];
const tail = (times: ArrayLike<number>): number[] => Array.prototype.slice.call(times, -NEIGHBOURS) as number[];
