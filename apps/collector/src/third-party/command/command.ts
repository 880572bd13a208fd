import { inBaseUnit, metricDefinition, quote, unitByPattern, type Reading } from '@device-metrics/domain';
import type { Section } from '../../config/section.js';
import type { Source } from '../../run/source.js';
import { parseMapping, readingsOf, type Mapping } from '../mapping.js';
import type { Protocol } from '../protocol.js';
import { parseLineProtocol, type Field } from '@device-metrics/formats';
import { runProgram, type Program } from './run-program.js';

/** A program that writes JSON or Influx line protocol. */
export const command: Protocol = {
  name: 'command',
  configure(keys, name) {
    const program = programOf(keys);
    const influx = keys.choice('format', ['json', 'influx'], 'json') === 'influx';
    const mapping = keys.has('mapping') ? keys.parsed('mapping', parseMapping) : parseMapping('$');
    const units = Object.entries(keys.textsByName('units'));
    if (influx && keys.has('mapping')) keys.mistake('mapping', 'is for format json');
    if (!influx && units.length > 0) keys.mistake('units', 'is for format influx; in JSON each reading has its unit');
    return (): Source => ({
      name,
      read: async (signal) => {
        const output = await runProgram(program, signal);
        if (influx) return parseLineProtocol(output).map(toReading(unitByPattern(units)));
        if (output.trim() === '') return [];
        return (await readingsOf(output, mapping as Mapping)).map(withKnownUnit);
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
const toReading =
  (unitOf: (name: string) => string | undefined) =>
  ({ measurement, field, tags, value }: Field): Reading => {
    const metricName = field === 'value' ? measurement : `${measurement}.${field}`;
    const unit = unitOf(metricName) ?? metricDefinition(metricName)?.unit;
    return { metricName, ...inBaseUnit(value, unit), ...(Object.keys(tags).length > 0 && { labels: tags }) };
  };

const withKnownUnit = (reading: Reading): Reading => {
  const unit = reading.unit ?? metricDefinition(reading.metricName)?.unit;
  return { ...reading, ...(unit !== undefined && { unit }) };
};
