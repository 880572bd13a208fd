import type { Reading } from '@device-metrics/domain';
import type { Source } from '../../source.js';
import { httpGet, httpTarget } from '../http-get.js';
import type { Protocol } from '../protocol.js';
import { parseText } from './parse-text.js';

/** Any Prometheus exporter, in the text format 0.0.4. */
export const prometheus: Protocol = {
  name: 'prometheus',
  configure(keys, name) {
    const { url, headers } = httpTarget(keys);
    const target = { url, headers: { accept: 'text/plain;version=0.0.4', ...headers } };
    return ({ http }): Source => ({
      name,
      read: async (signal) => exporterReadings(await httpGet(http, target, signal)),
    });
  },
};

/**
 * Every sample of an exposition but NaN and the infinities, which no JSON can carry: an exporter says "nothing" with them.
 * Histograms and summaries are their series, as `…_bucket`, `…_sum` and `…_count`.
 */
export function exporterReadings(text: string): Reading[] {
  return parseText(text)
    .filter(({ value }) => Number.isFinite(value))
    .map(({ name, labels, value }) => ({ metricName: name, labels, value }));
}
