import type { Series } from '@device-metrics/domain';
import type { SeriesHeadDto } from './series-head.dto.js';

export const seriesHead = ({ deviceName, metricName, unit, labels }: Series): SeriesHeadDto => ({
  device_name: deviceName,
  metric_name: metricName,
  ...(unit !== null && { unit }),
  labels,
});
