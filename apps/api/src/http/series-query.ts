import { like, type PairPattern, type Selector } from '@device-metrics/domain';
import type { FleetQuery } from './series-query.dto.js';

/** What the parameters mean. */
export const selectorOf = ({ device_name, metric_name, label, tag }: FleetQuery): Selector => ({
  devices: device_name?.map(like),
  metrics: metric_name?.map(like),
  labels: label?.map(pairPattern),
  tags: tag?.map(pairPattern),
});

function pairPattern(pair: string): PairPattern {
  const equals = pair.indexOf('=');
  return [pair.slice(0, equals), like(pair.slice(equals + 1))];
}
