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
    const { series, timestamps, values, groups } = samples;
    if (timestamps.length !== series.length || values.length !== series.length) {
      throw new RangeError(`columns of ${series.length}, ${timestamps.length} and ${values.length} samples`);
    }
    if (groups) assertGroups(groups, series.length);
    for (let index = 0; index < series.length; index += 1) {
      const fault = groups ? undefined : series[index].fault;
      if (fault) throw new RangeError(`${fault.field} ${fault.reason}`);
      assertOne(timestamps[index], values[index], oldest);
    }
  } else {
    for (const { timestamp, value } of samples) assertOne(timestamp, value, oldest);
  }
}

function assertGroups(groups: readonly SeriesGroup[], count: number): void {
  let sum = 0;
  for (const { hasFault, series } of groups) {
    if (hasFault) throw new RangeError('a group has a series with a fault');
    sum += series.length;
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
