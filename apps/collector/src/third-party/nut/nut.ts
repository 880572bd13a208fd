import type { Reading } from '@device-metrics/domain';
import type { Section } from '../../config/section.js';
import type { Parts, Source } from '../../run/source.js';
import type { Protocol } from '../protocol.js';
import { tlsTrust } from '../tls-trust.js';
import { readUpsd, type Upsd } from './upsd.js';
import { upsReadings, VARIABLES, type VariableMeasure } from './variables.js';

/** Network UPS Tools: the UPSs of an upsd. */
export const nut: Protocol = {
  name: 'nut',
  configure(keys, name) {
    const upsd = upsdOf(keys);
    const measures = new Map([...VARIABLES, ...keys.sections('variables').map(variableOf)]);
    return () => new NutSource(name, upsd, measures);
  },
};

class NutSource implements Source {
  /** Of `ups.status`, by UPS. */
  private readonly unknownWords = new Map<string, Set<string>>();

  constructor(
    readonly name: string,
    private readonly upsd: Upsd,
    private readonly measures: ReadonlyMap<string, VariableMeasure>,
  ) {}

  async read(signal: AbortSignal, parts: Parts): Promise<Reading[]> {
    const several = this.upsd.ups === undefined;
    let rejected = false;
    const reject = (part: string, reason: string): void => {
      rejected = true;
      parts.reject(part, reason);
    };
    const all: Reading[] = [];
    const found = await readUpsd(this.upsd, signal, reject);
    for (const [ups, variables] of found) {
      const unknown = this.unknownWords.get(ups) ?? new Set();
      this.unknownWords.set(ups, unknown);
      const rejectVariable = (variable: string, reason: string): void =>
        reject(found.size > 1 ? `${ups} ${variable}` : variable, reason);
      all.push(...upsReadings(variables, this.measures, unknown, rejectVariable, several ? ups : undefined));
    }
    if (all.length === 0 && !rejected) throw new Error('upsd has no UPS with variables that are read');
    return all;
  }
}

function upsdOf(keys: Section): Upsd {
  const word = (key: string): string | undefined => {
    const text = key === 'password' ? keys.secret(key) : keys.optionalText(key);
    // A line feed would be another request.
    if (text !== undefined && /[\s"\\]/.test(text))
      keys.mistake(key, 'must have no blanks and quotes, which upsd cannot take');
    return text;
  };
  const trust = tlsTrust(keys);
  const tls = keys.flag('tls', trust.ca !== undefined || trust.insecure);
  if (!tls && (trust.ca !== undefined || trust.insecure)) {
    keys.mistake('tls', 'must be true, or ca and insecure have no use');
  }
  return {
    host: keys.optionalText('host') ?? '127.0.0.1',
    port: keys.count('port', 3493, 1, 65_535),
    username: word('username'),
    password: word('password'),
    ups: word('ups'),
    tls: tls ? trust : undefined,
  };
}

function variableOf(keys: Section): readonly [string, VariableMeasure] {
  const variable = [
    keys.text('variable'),
    { metric: keys.metricName('metric'), unit: keys.optionalText('unit'), labels: keys.textsByName('labels') },
  ] as const;
  keys.end();
  return variable;
}
