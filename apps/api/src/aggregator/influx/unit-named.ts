import { convertibleUnits, toBaseUnit } from '@device-metrics/domain';

/** Units by the words that Icinga has for them, as UCUM. */
const WORDS: ReadonlyMap<string, string> = new Map([
  ['bytes', 'By'],
  ['bits', 'bit'],
  ['seconds', 's'],
  ['percent', '%'],
  ['amperes', 'A'],
  ['ampere-seconds', 'A.s'],
  ['volts', 'V'],
  ['watts', 'W'],
  ['watt-hours', 'Wh'],
  ['ohms', 'Ohm'],
  ['degrees-celsius', 'Cel'],
  ['degrees-fahrenheit', '[degF]'],
  ['degrees-kelvin', 'K'],
  ['grams', 'g'],
  ['liters', 'L'],
  ['lumens', 'lm'],
  ['packets', '{packet}'],
]);

const KNOWN: ReadonlySet<string> = new Set(convertibleUnits);

/** The unit that a text means; undefined where it may mean something else. Values in it stay as they are. */
export function unitNamed(text: string): string | undefined {
  const word = WORDS.get(text);
  if (word !== undefined || !KNOWN.has(text)) return word;
  const { unit, factor, offset } = toBaseUnit(text);
  return factor === 1 && offset === 0 ? unit : text;
}
