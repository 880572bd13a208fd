import { inBaseUnit, metricDefinition, quote, unitByPattern, type Reading } from '@device-metrics/domain';
import type { Section } from '../../config/section.js';
import type { Source } from '../../run/source.js';
import { parseMapping, readingsOf, type Mapping } from '../mapping.js';
import type { Protocol } from '../protocol.js';
import { hasSourceTimes } from '../source-times.js';
import { distinctNames, parseLineProtocol, PRECISIONS, type Field } from '@device-metrics/formats';
import { runProgram, type Program } from './run-program.js';

/** A program that writes JSON or Influx line protocol. */
export const command: Protocol = {
  name: 'command',
  configure(keys, name) {
    const program = programOf(keys);
    const influx = keys.choice('format', ['json', 'influx'], 'json') === 'influx';
    const mapping = keys.has('mapping') ? keys.parsed('mapping', parseMapping) : parseMapping('$');
    const units = Object.entries(keys.textsByName('units'));
    const timestamps = hasSourceTimes(keys);
    const precision = keys.choice('precision', PRECISIONS, 'ns');
    if (keys.has('precision') && !(influx && timestamps)) {
      keys.mistake('precision', 'is for format influx with timestamps: source');
    }
    if (influx && keys.has('mapping')) keys.mistake('mapping', 'is for format json');
    if (!influx && units.length > 0) keys.mistake('units', 'is for format influx; in JSON each reading has its unit');
    return (): Source => ({
      name,
      read: async (signal, parts) => {
        const output = await runProgram(program, signal);
        const reject = parts.reject.bind(parts);
        if (influx) {
          const fields = parseLineProtocol(output, { reject, timestamps, precision });
          return toReadings(fields, unitByPattern(units));
        }
        if (output.trim() === '') return [];
        return (await readingsOf(output, mapping as Mapping, { reject, timestamps })).map(withKnownUnit);
      },
    });
  },
};

function programOf(keys: Section): Program {
  const words = keys.texts('command', []);
  const [file = '', ...args] = words;
  if (file === '') {
    keys.mistake('command', `must be a program and its arguments, as in [/usr/bin/sensors, -j], got ${quote(words)}`);
  }
  return { file, args, folder: keys.optionalText('folder'), environment: keys.headers('environment') };
}

/** A field is `<measurement>.<field>`, and the field `value` just the measurement. */
function toReadings(fields: readonly Field[], unitOf: (name: string) => string | undefined): Reading[] {
  const fieldName = ({ measurement, field }: Field): string =>
    field === 'value' ? measurement : `${measurement}.${field}`;
  const nameOf = distinctNames(new Set(fields.map(fieldName)));
  return fields.map((field) => {
    const name = fieldName(field);
    const { metricName, label } = nameOf(name);
    const unit = unitOf(name) ?? metricDefinition(metricName)?.unit;
    const labels = { ...field.tags, ...label };
    return {
      metricName,
      ...inBaseUnit(field.value, unit),
      ...(Object.keys(labels).length > 0 && { labels }),
      ...(field.timestamp !== undefined && { timestamp: field.timestamp }),
    };
  });
}

const withKnownUnit = (reading: Reading): Reading => {
  const unit = reading.unit ?? metricDefinition(reading.metricName)?.unit;
  return { ...reading, ...(unit !== undefined && { unit }) };
};
