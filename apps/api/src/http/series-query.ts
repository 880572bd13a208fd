import { like, type PairPattern, type Pattern, type Selector } from '@device-metrics/domain';
import type { FleetQuery } from './series-query.dto.js';

/** What the parameters mean. */
export const selectorOf = ({ device_name, metric_name, label, tag }: FleetQuery): Selector => ({
  devices: device_name?.map(composed),
  metrics: metric_name?.map(like),
  labels: label?.map(pairPattern),
  tags: tag?.map(pairPattern),
});

function pairPattern(pair: string): PairPattern {
  const equals = pair.indexOf('=');
  return [pair.slice(0, equals).normalize('NFC'), composed(pair.slice(equals + 1))];
}

/** Names are stored composed. */
const composed = (text: string): Pattern => like(text.normalize('NFC'));
