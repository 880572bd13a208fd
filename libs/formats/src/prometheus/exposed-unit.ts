import type { ExposedSample } from './exposition.js';

/** UCUM of the base units that names of Prometheus metrics end with, and that `# UNIT` of OpenMetrics says. */
const UNITS: Readonly<Record<string, string>> = {
  seconds: 's',
  bytes: 'By',
  ratio: '1',
  celsius: 'Cel',
  meters: 'm',
  volts: 'V',
  amperes: 'A',
  watts: 'W',
  joules: 'J',
  grams: 'g',
  hertz: 'Hz',
  pascals: 'Pa',
};

/**
 * The unit of a sample in UCUM: what `# UNIT` says, or else what its name ends with, as in `process_cpu_seconds_total`;
 * undefined where neither does. Buckets and counts have none, as they count.
 */
export function exposedUnit({ name, unit }: ExposedSample): string | undefined {
  if (/[_.](bucket|count|gcount|info)$/.test(name)) return undefined;
  if (name.endsWith('_created')) return 's';
  const said = unit ?? /[_.]([a-z]+)([_.](total|sum|gsum))?$/.exec(name)?.[1] ?? '';
  return Object.hasOwn(UNITS, said) ? UNITS[said] : undefined;
}
