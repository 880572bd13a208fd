import { HOUR, isColumns, type SampleBatch, type SeriesGroup } from '@device-metrics/domain';
import { TooLateError } from '../store.js';
import { END_OF_TIME } from './hour.js';

/**
 * Refuses a wrong sample before it can spoil a commit that others share.
 *
 * @param oldestTimestamp what the store says of itself.
 */
export function assertStorable(samples: SampleBatch, oldestTimestamp: number): void {
  const oldest = oldestTimestamp - HOUR;
  if (isColumns(samples)) {
    const { timestamps, values, groups } = samples;
    const series = groups ? undefined : samples.series;
    const count = series?.length ?? timestamps.length;
    if (timestamps.length !== count || values.length !== count) {
      throw new RangeError(`columns of ${count}, ${timestamps.length} and ${values.length} samples`);
    }
    if (groups) assertGroups(groups, count);
    for (let index = 0; index < count; index += 1) {
      const fault = series?.[index].fault;
      if (fault) throw new RangeError(`${fault.field} ${fault.reason}`);
      assertOne(timestamps[index], values[index], oldest);
    }
  } else {
    for (const { timestamp, value } of samples) assertOne(timestamp, value, oldest);
  }
}

function assertGroups(groups: readonly SeriesGroup[], count: number): void {
  let sum = 0;
  for (const { hasFault, length } of groups) {
    if (hasFault) throw new RangeError('a group has a series with a fault');
    sum += length;
  }
  if (sum !== count) throw new RangeError(`groups of ${sum} series for ${count} samples`);
}

function assertOne(timestamp: number, value: number, oldest: number): void {
  if (timestamp < oldest) throw new TooLateError(`timestamp must be ${oldest} or later, got ${timestamp}`);
  if (!Number.isSafeInteger(timestamp) || timestamp < 0 || timestamp >= END_OF_TIME) {
    throw new RangeError(`timestamp must be an integer from 0 to before ${END_OF_TIME}, got ${timestamp}`);
  }
  if (!Number.isFinite(value)) throw new RangeError(`value must be finite, got ${value}`);
}
