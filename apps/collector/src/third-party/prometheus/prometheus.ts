import { exporterReadings, parseSampleSelector, type SampleSelector, type Taken } from '@device-metrics/formats';
import { reasonOf } from '@device-metrics/domain';
import type { Section } from '../../config/section.js';
import type { Source } from '../../run/source.js';
import { httpGet, httpTarget } from '../http-get.js';
import type { Protocol } from '../protocol.js';
import { hasSourceTimes } from '../source-times.js';

/** Of an exposition, after decompression: some 50,000 samples. */
const MAX_BYTES = 8 * 2 ** 20;

/** The newer versions with names of any letters, where the exporter has them; the older ones are all that others know. */
const TEXT = 'text/plain;version=1.0.0;escaping=allow-utf-8,text/plain;version=0.0.4;q=0.9';
const OPENMETRICS =
  'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.8,application/openmetrics-text;version=0.0.1;q=0.7';
const ACCEPT = {
  text: TEXT,
  openmetrics: OPENMETRICS,
  auto: `${TEXT},${OPENMETRICS},*/*;q=0.1`,
} as const;
const FORMATS = ['auto', 'text', 'openmetrics'] as const;

/** Any Prometheus exporter, in the text format 0.0.4 or OpenMetrics 1.0, as its content type says. */
export const prometheus: Protocol = {
  name: 'prometheus',
  configure(keys, name) {
    const target = httpTarget(keys, MAX_BYTES);
    const format = keys.choice('format', FORMATS, 'auto');
    const taken: Taken = {
      include: keys.has('include') ? selectors(keys, 'include') : undefined,
      exclude: selectors(keys, 'exclude'),
      units: Object.entries(keys.textsByName('units')),
    };
    const timestamps = hasSourceTimes(keys);
    const headers = { accept: ACCEPT[format], ...target.headers };
    return (): Source => ({
      name,
      read: async (signal, parts) => {
        const { body, contentType } = await httpGet({ ...target, headers }, signal);
        const reject = parts.reject.bind(parts);
        return exporterReadings(body, contentType, taken, { reject, timestamps });
      },
    });
  },
};

function selectors(keys: Section, key: string): SampleSelector[] {
  return keys.texts(key, []).flatMap((text) => {
    try {
      return [parseSampleSelector(text)];
    } catch (error) {
      keys.mistake(key, reasonOf(error));
      return [];
    }
  });
}
