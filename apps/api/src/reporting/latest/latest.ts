import { toRfc3339 } from '@device-metrics/contract';
import type { SeriesLatest } from '@device-metrics/storage';
import { seriesHead } from '../series-head.js';
import type { LatestDto } from './latest.dto.js';

export const latestReport = (latest: readonly SeriesLatest[]): LatestDto => ({
  samples: latest.map(({ series, value, timestamp }) => ({
    ...seriesHead(series),
    value,
    timestamp: toRfc3339(timestamp),
  })),
});
