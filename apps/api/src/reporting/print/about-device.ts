import type { TimeRange } from '@device-metrics/domain';
import type { Store, StoredDevice } from '@device-metrics/storage';
import type { DeviceRhythms } from '../../devices/device-rhythms.js';
import { deadlines, statusAt, type DeviceStatus } from '../../devices/rhythm.js';
import { availabilityOf } from '../availability/availability.js';
import type { AvailabilityRowDto } from '../availability/availability.dto.js';

/** What a page says of a device besides its metrics. */
export interface AboutDevice {
  readonly device: StoredDevice;
  /** Now, not in the range. */
  readonly status: DeviceStatus;
  /** Undefined where it had not been heard of yet. */
  readonly availability: AvailabilityRowDto | undefined;
}

/** @param now Unix milliseconds. */
export async function aboutDevice(
  store: Store,
  rhythms: DeviceRhythms,
  device: StoredDevice,
  range: TimeRange,
  now: number,
): Promise<AboutDevice> {
  const status = statusAt(now, deadlines(await rhythms.of(device), device.lastTime, now));
  return { device, status, availability: await availabilityOf(store, device, range, now) };
}
