import { inBaseUnit, metricDefinition, quote, type Labels, type Reading } from '@device-metrics/domain';

/** What becomes of a variable. */
export interface VariableMeasure {
  readonly metric: string;
  /** Of the variable; converted to the base unit. */
  readonly unit: string | undefined;
  readonly labels: Labels;
}

const of = (metric: string, unit: string, part: string, others: Labels = {}): VariableMeasure => ({
  metric,
  unit,
  labels: { 'hw.id': part, ...others },
});
/** To the conventions a UPS is a power supply. */
const POWER_SUPPLY = { 'hw.type': 'power_supply' };

/** The variables of NUT's names (docs/nut-names.txt) that are read, unless the configuration says otherwise. */
export const VARIABLES: ReadonlyMap<string, VariableMeasure> = new Map([
  ['battery.charge', of('hw.battery.charge', '%', 'battery')],
  ['battery.runtime', of('hw.battery.time_left', 's', 'battery')],
  ['battery.voltage', of('hw.voltage', 'V', 'battery')],
  ['battery.current', of('hw.current', 'A', 'battery')],
  ['battery.temperature', of('hw.temperature', '°C', 'battery')],
  ...(['input', 'output'] as const).flatMap((part) => [
    [`${part}.voltage`, of('hw.voltage', 'V', part)] as const,
    [`${part}.current`, of('hw.current', 'A', part)] as const,
    [`${part}.frequency`, of('hw.frequency', 'Hz', part)] as const,
  ]),
  ['ups.load', of('hw.ups.utilization', '%', 'output')],
  ['ups.realpower', of('hw.power', 'W', 'output', POWER_SUPPLY)],
  ['ups.temperature', of('hw.temperature', '°C', 'ups')],
  ['ambient.temperature', of('hw.temperature', '°C', 'ambient')],
]);

/** The words of `ups.status` (docs/new-drivers.txt of NUT). */
const STATES: Readonly<Record<string, string>> = {
  OL: 'online',
  OB: 'on_battery',
  LB: 'low_battery',
  RB: 'replace_battery',
  CHRG: 'charging',
  DISCHRG: 'discharging',
  BYPASS: 'bypass',
  OVER: 'overloaded',
  OFF: 'off',
  HB: 'high_battery',
  CAL: 'calibration',
  TEST: 'test',
  TRIM: 'trim',
  BOOST: 'boost',
  ECO: 'eco',
  ALARM: 'alarm',
  FSD: 'forced_shutdown',
};

/** A driver may have words of its own, but not any number of them. */
const MOST_UNKNOWN = 20;

/**
 * The readings of the variables of one UPS; what is not in `measures` is left out. `ups.status` becomes `hw.status`: 1 for
 * each state that the UPS is in, 0 for the others. A word that is not known is a state of its name in small letters, from
 * when it first comes.
 *
 * @param unknown the words that were not known in earlier runs; takes those of this one.
 * @param reject takes the variables that are no numbers.
 * @param ups its name where several UPSs are read as one device, so that the parts of each have ids of their own.
 */
export function upsReadings(
  variables: ReadonlyMap<string, string>,
  measures: ReadonlyMap<string, VariableMeasure>,
  unknown: Set<string>,
  reject: (variable: string, reason: string) => void,
  ups?: string,
): Reading[] {
  const of = (labels: Labels): Labels => (ups === undefined ? labels : partOf(ups, labels));
  const readings: Reading[] = [];
  for (const [name, { metric, unit, labels: own }] of measures) {
    const text = variables.get(name);
    if (text === undefined) continue;
    const value = Number(text);
    if (text.trim() === '' || !Number.isFinite(value)) {
      reject(name, `must be a number, got ${quote(text)}`);
      continue;
    }
    const known = unit ?? metricDefinition(metric)?.unit;
    readings.push({ metricName: metric, labels: of(own), ...inBaseUnit(value, known) });
  }
  const status = variables.get('ups.status')?.split(/\s+/).filter(Boolean);
  if (!status) return readings;
  for (const word of status) if (!Object.hasOwn(STATES, word) && unknown.size < MOST_UNKNOWN) unknown.add(word);
  const words = [...Object.entries(STATES), ...[...unknown].map((word) => [word, word.toLowerCase()] as const)];
  const states = words.map(([word, state]) => {
    const labels = of({ 'hw.id': 'ups', ...POWER_SUPPLY, 'hw.state': state });
    return { metricName: 'hw.status', labels, value: status.includes(word) ? 1 : 0 };
  });
  return [...readings, ...states];
}

function partOf(ups: string, labels: Labels): Labels {
  const id = labels['hw.id'];
  return { ...labels, 'hw.parent': ups, ...(id !== undefined && { 'hw.id': `${ups}.${id}` }) };
}
