import { inSlices, parseDuration, toRfc3339 } from '@device-metrics/domain';
import type { SeriesLatest } from '@device-metrics/storage';
import { seriesHead } from '../series-head.js';
import type { LatestQuery } from './latest-query.dto.js';
import type { LatestDto } from './latest.dto.js';

/**
 * @param now Unix milliseconds.
 * @param endOf when the sender of a series said that it has no value any more, Unix ms.
 */
export async function latestReport(
  latest: readonly SeriesLatest[],
  { max_age: maxAge }: LatestQuery,
  now: number,
  endOf: (latest: SeriesLatest) => number | undefined = () => undefined,
): Promise<LatestDto> {
  const oldest = maxAge === undefined ? -Infinity : now - (parseDuration(maxAge) ?? Infinity);
  const samples: LatestDto['samples'] = [];
  await inSlices(latest, (one) => {
    const end = endOf(one);
    if (one.timestamp < oldest || (maxAge !== undefined && end !== undefined)) return;
    samples.push({
      ...seriesHead(one.series),
      value: one.value,
      timestamp: toRfc3339(one.timestamp),
      ...(end !== undefined && { ended_at: toRfc3339(end) }),
    });
  });
  return { samples };
}
