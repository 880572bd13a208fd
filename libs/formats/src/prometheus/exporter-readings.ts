import { inBaseUnit, toMetricName, unitByPattern, type Reading, type UnitPatterns } from '@device-metrics/domain';
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

function isTaken(sample: ExposedSample, { include, exclude }: Taken): boolean {
  if (include && !include.some((selects) => selects(sample))) return false;
  return !exclude.some((selects) => selects(sample));
}

function toReading({ units }: Taken): (sample: ExposedSample) => Reading {
  const unitOf = unitByPattern(units);
  return (sample) => {
    const { name, labels, value } = sample;
    return { metricName: toMetricName(name), labels, ...inBaseUnit(value, unitOf(name) ?? exposedUnit(sample)) };
  };
}
