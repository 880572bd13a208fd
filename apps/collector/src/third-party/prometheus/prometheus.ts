import { reasonOf, type Reading } from '@device-metrics/domain';
import type { Section } from '../../section.js';
import type { Source } from '../../source.js';
import { httpGet, httpTarget } from '../http-get.js';
import { toMetricName } from '../metric-name.js';
import { isLike } from '../pattern.js';
import type { Protocol } from '../protocol.js';
import { inBaseUnit } from '../units.js';
import type { ExposedSample } from './exposition.js';
import { exposedUnit } from './exposed-unit.js';
import { parseOpenMetrics } from './parse-openmetrics.js';
import { parseText } from './parse-text.js';
import { parseSelector, type Selector } from './selector.js';

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

/** What is taken of an exposition. */
export interface Taken {
  /** Undefined: everything. */
  readonly include: readonly Selector[] | undefined;
  readonly exclude: readonly Selector[];
  /** The unit that the samples of a name pattern are in, where the exporter does not say. */
  readonly units: ReadonlyArray<readonly [pattern: string, unit: string]>;
}

export const EVERYTHING: Taken = { include: undefined, exclude: [], units: [] };

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
    const headers = { accept: ACCEPT[format], ...target.headers };
    return ({ http }): Source => ({
      name,
      read: async (signal) => {
        const { body, contentType } = await httpGet(http, { ...target, headers }, signal);
        return exporterReadings(body, contentType, taken);
      },
    });
  },
};

/**
 * Every sample of an exposition that is taken, but NaN and the infinities, which no JSON can carry: an exporter says
 * "nothing" with them. Histograms and summaries are their series, as `…_bucket`, `…_sum` and `…_count`. What no metric name
 * of ours may have becomes `_`. All have the time of the run: a timestamp of the exporter is read and left out.
 *
 * @throws ExpositionError with the number of the line that is wrong; Error where there is nothing, or nothing to take.
 */
export function exporterReadings(text: string, contentType = '', taken = EVERYTHING): Reading[] {
  const samples = /^application\/openmetrics-text\b/i.test(contentType) ? parseOpenMetrics(text) : parseText(text);
  if (samples.length === 0) throw new Error('the answer has no samples');
  const chosen = samples.filter((sample) => isTaken(sample, taken));
  if (chosen.length === 0) throw new Error(`include and exclude leave none of ${samples.length} samples`);
  return chosen.filter(({ value }) => Number.isFinite(value)).map(toReading(taken));
}

function selectors(keys: Section, key: string): Selector[] {
  return keys.texts(key, []).flatMap((text) => {
    try {
      return [parseSelector(text)];
    } catch (error) {
      keys.mistake(key, reasonOf(error));
      return [];
    }
  });
}

function isTaken(sample: ExposedSample, { include, exclude }: Taken): boolean {
  if (include && !include.some((selects) => selects(sample))) return false;
  return !exclude.some((selects) => selects(sample));
}

const toReading =
  ({ units }: Taken) =>
  (sample: ExposedSample): Reading => {
    const { name, labels, value } = sample;
    const said = units.find(([pattern]) => isLike(name, pattern))?.[1];
    return { metricName: toMetricName(name), labels, ...inBaseUnit(value, said ?? exposedUnit(sample)) };
  };
