import type { Source } from '../../run/source.js';
import { httpGet, httpTarget } from '../http-get.js';
import { parseMapping, readingsOf, type Mapping } from '../mapping.js';
import type { Protocol } from '../protocol.js';
import { hasSourceTimes } from '../source-times.js';

/** Of an answer, after decompression. */
const MAX_BYTES = 2 * 2 ** 20;

/**
 * Any JSON API. `mapping` is a JSONata expression that makes readings of the answer: one object, or an array, of
 * `{"metric_name", "value", "unit", "labels", "device_name", "timestamp"}`, of which all but the first two may be left out.
 */
export const httpJson: Protocol = {
  name: 'http-json',
  configure(keys, name) {
    const target = httpTarget(keys, MAX_BYTES);
    const mapping = keys.parsed('mapping', parseMapping);
    const timestamps = hasSourceTimes(keys);
    return (): Source => ({
      name,
      read: async (signal, parts) => {
        const { body } = await httpGet(target, signal);
        return readingsOf(body, mapping as Mapping, { reject: parts.reject.bind(parts), timestamps });
      },
    });
  },
};
