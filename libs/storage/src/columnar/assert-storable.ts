import type { Sample } from '@device-metrics/domain';
import { TooLateError } from '../store.js';
import { END_OF_TIME, HOUR } from './hour.js';

/**
 * Refuses a wrong sample before it can spoil a commit that others share.
 *
 * @param oldestTimestamp what the store says of itself.
 */
export function assertStorable(samples: readonly Sample[], oldestTimestamp: number): void {
  const oldest = oldestTimestamp - HOUR;
  for (const { timestamp, value } of samples) {
    if (timestamp < oldest) throw new TooLateError(`timestamp must be ${oldest} or later, got ${timestamp}`);
    if (!Number.isSafeInteger(timestamp) || timestamp < 0 || timestamp >= END_OF_TIME) {
      throw new RangeError(`timestamp must be an integer from 0 to before ${END_OF_TIME}, got ${timestamp}`);
    }
    if (!Number.isFinite(value)) throw new RangeError(`value must be finite, got ${value}`);
  }
}
