import { metricDefinition, quote, unitByPattern, type Reading } from '@device-metrics/domain';
import type { Section } from '../../config/section.js';
import type { Source } from '../../run/source.js';
import { lineReadings, linesOf } from '../line-readings.js';
import { parseMapping, readingsOf, type Mapping } from '../mapping.js';
import type { Protocol } from '../protocol.js';
import { labelled } from '../labelled.js';
import { hasSourceTimes } from '../source-times.js';
import { distinctNames } from '@device-metrics/formats';
import { runProgram, type Program } from './run-program.js';

/** A program that writes JSON or Influx line protocol. */
export const command: Protocol = {
  name: 'command',
  configure(keys, name) {
    const program = programOf(keys);
    const mapping = keys.has('mapping') ? keys.parsed('mapping', parseMapping) : parseMapping('$');
    const units = Object.entries(keys.textsByName('units'));
    const timestamps = hasSourceTimes(keys);
    const lines = linesOf(keys, timestamps);
    if (lines && keys.has('mapping')) keys.mistake('mapping', 'is for format json');
    if (!lines && units.length > 0) keys.mistake('units', 'is for format influx; in JSON each reading has its unit');
    return (): Source => ({
      name,
      read: async (signal, parts) => {
        const output = await runProgram(program, signal);
        const reject = parts.reject.bind(parts);
        if (lines) {
          const readings = lineReadings(output, lines, unitByPattern(units), distinctNames, reject);
          return readings.map(({ labels, ...reading }) => ({ ...reading, ...labelled(labels) }));
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

const withKnownUnit = (reading: Reading): Reading => {
  const unit = reading.unit ?? metricDefinition(reading.metricName)?.unit;
  return { ...reading, ...(unit !== undefined && { unit }) };
};
