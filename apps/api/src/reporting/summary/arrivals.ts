import type { Series, TimeRange } from '@device-metrics/domain';
import type { SeriesSummary, Store } from '@device-metrics/storage';
import type { DeviceRhythms } from '../../devices/device-rhythms.js';
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
  const arrived = new Map(series.map(({ deviceName }) => [deviceName, 0]));
  for (const { series: one, summary } of summaries) {
    arrived.set(one.deviceName, Math.max(arrived.get(one.deviceName) ?? 0, summary.count));
  }
  const found: DeviceArrivalDto[] = [];
  for (const device of await store.devices()) {
    const count = arrived.get(device.name);
    if (count === undefined) continue;
    const rhythm = await rhythms.of(device);
    const span = Math.min(range.end, now) - Math.max(range.start, device.firstTime ?? Infinity);
    const dto = { device_name: device.name, arrived: count };
    if (!rhythm || rhythm.interval === 0 || !(span > 0)) {
      found.push(dto);
      continue;
    }
    const expected = Math.max(1, Math.floor(span / rhythm.interval));
    const share = Math.min(1, count / expected);
    found.push({ ...dto, interval: Math.round(rhythm.interval), expected, share: Math.round(share * 1e4) / 1e4 });
  }
  return found;
}
