import { parseDuration, toRfc3339 } from '@device-metrics/domain';
import type { SeriesLatest } from '@device-metrics/storage';
import { seriesHead } from '../series-head.js';
import type { LatestQuery } from './latest-query.dto.js';
import type { LatestDto } from './latest.dto.js';

/**
 * @param now Unix milliseconds.
 * @param endOf when the sender of a series said that it has no value any more, Unix ms.
 */
export function latestReport(
  latest: readonly SeriesLatest[],
  { max_age: maxAge }: LatestQuery,
  now: number,
  endOf: (latest: SeriesLatest) => number | undefined = () => undefined,
): LatestDto {
  const oldest = maxAge === undefined ? -Infinity : now - (parseDuration(maxAge) ?? Infinity);
  return {
    samples: latest
      .map((one) => ({ ...one, end: endOf(one) }))
      .filter(({ timestamp, end }) => timestamp >= oldest && !(maxAge !== undefined && end !== undefined))
      .map(({ series, value, timestamp, end }) => ({
        ...seriesHead(series),
        value,
        timestamp: toRfc3339(timestamp),
        ...(end !== undefined && { ended_at: toRfc3339(end) }),
      })),
  };
}
