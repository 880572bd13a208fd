import { quote } from '@device-metrics/contract/rules';
import { metricDefinition, type Reading } from '@device-metrics/domain';
import type { Section } from '../../section.js';
import type { Source } from '../../source.js';
import { parseMapping, readingsOf, type Mapping } from '../mapping.js';
import { isLike } from '../pattern.js';
import type { Protocol } from '../protocol.js';
import { inBaseUnit } from '../units.js';
import { parseLineProtocol, type Field } from './line-protocol.js';
import { runProgram, type Program } from './run-program.js';

type Units = ReadonlyArray<readonly [pattern: string, unit: string]>;

/** A program that writes JSON or Influx line protocol. */
export const command: Protocol = {
  name: 'command',
  configure(keys, name) {
    const program = programOf(keys);
    const influx = keys.choice('format', ['json', 'influx'], 'json') === 'influx';
    const mapping = keys.has('mapping') ? keys.parsed('mapping', parseMapping) : parseMapping('$');
    const units: Units = Object.entries(keys.textsByName('units'));
    if (influx && keys.has('mapping')) keys.mistake('mapping', 'is for format json');
    if (!influx && units.length > 0) keys.mistake('units', 'is for format influx; in JSON each reading has its unit');
    return (): Source => ({
      name,
      read: async (signal) => {
        const output = await runProgram(program, signal);
        if (influx) return parseLineProtocol(output).map(toReading(units));
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
  (units: Units) =>
  ({ measurement, field, tags, value }: Field): Reading => {
    const metricName = field === 'value' ? measurement : `${measurement}.${field}`;
    const said = units.find(([pattern]) => isLike(metricName, pattern))?.[1];
    const unit = said ?? metricDefinition(metricName)?.unit;
    return { metricName, ...inBaseUnit(value, unit), ...(Object.keys(tags).length > 0 && { labels: tags }) };
  };

const withKnownUnit = (reading: Reading): Reading => {
  const unit = reading.unit ?? metricDefinition(reading.metricName)?.unit;
  return { ...reading, ...(unit !== undefined && { unit }) };
};
