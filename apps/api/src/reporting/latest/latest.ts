import { parseDuration, toRfc3339 } from '@device-metrics/domain';
import type { SeriesLatest } from '@device-metrics/storage';
import { seriesHead } from '../series-head.js';
import type { LatestQuery } from './latest-query.dto.js';
import type { LatestDto } from './latest.dto.js';

/** @param now Unix milliseconds. */
export function latestReport(
  latest: readonly SeriesLatest[],
  { max_age: maxAge }: LatestQuery,
  now: number,
): LatestDto {
  const oldest = maxAge === undefined ? -Infinity : now - (parseDuration(maxAge) ?? Infinity);
  return {
    samples: latest
      .filter(({ timestamp }) => timestamp >= oldest)
      .map(({ series, value, timestamp }) => ({ ...seriesHead(series), value, timestamp: toRfc3339(timestamp) })),
  };
}
