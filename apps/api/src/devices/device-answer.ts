import { toRfc3339 } from '@device-metrics/contract';
import type { DeviceDescription, StoredDevice } from '@device-metrics/storage';
import { entityTag } from '../http/entity-tag.js';
import type { DeviceDto } from './device.dto.js';
import { deadlines, statusAt, type Rhythm } from './rhythm.js';

/** Of what people say of a device: readings do not change it. */
export const descriptionTag = ({ displayName, notes, tags }: DeviceDescription): string =>
  entityTag([displayName, notes, tags]);

/** @param now Unix milliseconds. */
export function deviceAnswer(device: StoredDevice, rhythm: Rhythm | undefined, now: number): DeviceDto {
  const { name, formerNames, displayName, notes, tags, seriesCount, firstTime, lastTime } = device;
  const limits = deadlines(rhythm, lastTime, now);
  return {
    device_name: name,
    ...(formerNames.length > 0 && { former_names: formerNames }),
    ...(displayName !== null && { display_name: displayName }),
    ...(notes !== null && { notes }),
    tags,
    status: statusAt(now, limits),
    ...(firstTime !== undefined && { first_seen: toRfc3339(firstTime) }),
    last_seen: toRfc3339(lastTime),
    ...(rhythm && { interval: Math.round(rhythm.interval) }),
    late_at: toRfc3339(limits.lateAt),
    offline_at: toRfc3339(limits.offlineAt),
    series: seriesCount,
  };
}
