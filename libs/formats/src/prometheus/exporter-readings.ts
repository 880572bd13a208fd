import { inBaseUnit, unitByPattern, type Reading, type UnitPatterns } from '@device-metrics/domain';
import { LineError, type ParseOptions } from '../lines.js';
import { distinctNames } from '../names.js';
import type { ExposedSample } from './exposition.js';
import { exposedUnit } from './exposed-unit.js';
import { parseOpenMetrics } from './parse-openmetrics.js';
import { parseText } from './parse-text.js';
import type { SampleSelector } from './sample-selector.js';

/** What is taken of an exposition. */
export interface Taken {
  /** Undefined: everything. */
  readonly include: readonly SampleSelector[] | undefined;
  readonly exclude: readonly SampleSelector[];
  /** The unit that the samples of a name pattern are in, where the exporter does not say. */
  readonly units: UnitPatterns;
}

export const EVERYTHING: Taken = { include: undefined, exclude: [], units: [] };

/**
 * Every sample of an exposition that is taken, but NaN and the infinities, which no JSON can carry: an exporter says
 * "nothing" with them. Histograms and summaries are their series, such as `…_bucket`, `…_sum` and `…_count`. What no metric name
 * of ours may have becomes `_`; where two names become one so, the label `name` tells them apart. All have the time of the
 * run, unless `options.timestamps` asks for those of the exporter.
 *
 * @throws LineError with the number of the first line that is wrong, unless `options.reject` takes it and there are others;
 *   Error where there is nothing, or nothing to take.
 */
export function exporterReadings(
  text: string,
  contentType = '',
  taken = EVERYTHING,
  options: ParseOptions = {},
): Reading[] {
  const parse = /^application\/openmetrics-text\b/i.test(contentType) ? parseOpenMetrics : parseText;
  const wrong: (readonly [part: string, reason: string])[] = [];
  const reject = options.reject && ((...line: readonly [string, string]): void => void wrong.push(line));
  const samples = parse(text, { ...options, reject });
  if (samples.length === 0 && wrong[0]) throw new LineError(wrong[0].join(': '));
  for (const [part, reason] of wrong) options.reject?.(part, reason);
  if (samples.length === 0) throw new Error('the answer has no samples');
  const chosen = samples.filter((sample) => isTaken(sample, taken));
  if (chosen.length === 0) throw new Error(`include and exclude leave none of ${samples.length} samples`);
  return toReadings(
    chosen.filter(({ value }) => Number.isFinite(value)),
    taken,
  );
}

function isTaken(sample: ExposedSample, { include, exclude }: Taken): boolean {
  if (include && !include.some((selects) => selects(sample))) return false;
  return !exclude.some((selects) => selects(sample));
}

function toReadings(samples: readonly ExposedSample[], { units }: Taken): Reading[] {
  const unitOf = unitByPattern(units);
  const nameOf = distinctNames(new Set(samples.map(({ name }) => name)));
  return samples.map((sample) => {
    const { name, labels, value, timestamp } = sample;
    const { metricName, label } = nameOf(name);
    return {
      metricName,
      labels: label ? { ...labels, ...label } : labels,
      ...inBaseUnit(value, unitOf(name) ?? exposedUnit(sample)),
      ...(timestamp !== undefined && { timestamp }),
    };
  });
}
