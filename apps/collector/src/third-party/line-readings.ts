import { inBaseUnit, metricDefinition, type Reading } from '@device-metrics/domain';
import { parseLineProtocol, PRECISIONS, type DistinctName, type Field, type Precision } from '@device-metrics/formats';
import type { Section } from '../config/section.js';

/** How Influx line protocol is read. */
export interface Lines {
  /** Whether the times of the lines count, and what a timestamp counts. */
  readonly timestamps: boolean;
  readonly precision: Precision;
}

/** Reads `format` and `precision`; undefined where something else than lines comes. */
export function linesOf(keys: Section, timestamps: boolean): Lines | undefined {
  const isInflux = keys.choice('format', ['json', 'influx'], 'json') === 'influx';
  const precision = keys.choice('precision', PRECISIONS, 'ns');
  if (keys.has('precision') && !(isInflux && timestamps)) {
    keys.mistake('precision', 'is for format influx with timestamps: source');
  }
  return isInflux ? { timestamps, precision } : undefined;
}

/** A reading as a line gives it, and the tags of the line. */
export type LineReading = Reading & { readonly labels: Readonly<Record<string, string>> };

/**
 * The readings of lines. A field is `<measurement>.<field>`, and the field `value` just the measurement.
 *
 * @param unitOf the unit of what is called so; undefined where nobody has said.
 * @param namesOf the metric names of all that come together.
 */
export function lineReadings(
  text: string,
  { timestamps, precision }: Lines,
  unitOf: (name: string) => string | undefined,
  namesOf: (names: Iterable<string>) => (name: string) => DistinctName,
  reject: (part: string, reason: string) => void,
): LineReading[] {
  const fields = parseLineProtocol(text, { reject, timestamps, precision });
  const nameOf = namesOf(new Set(fields.map(nameOfField)));
  return fields.map((field) => {
    const name = nameOfField(field);
    const { metricName, label } = nameOf(name);
    const unit = unitOf(name) ?? metricDefinition(metricName)?.unit;
    return {
      metricName,
      ...inBaseUnit(field.value, unit),
      labels: { ...field.tags, ...label },
      ...(field.timestamp !== undefined && { timestamp: field.timestamp }),
    };
  });
}

const nameOfField = ({ measurement, field }: Field): string =>
  field === 'value' ? measurement : `${measurement}.${field}`;
