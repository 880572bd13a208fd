import { like, matchesAny } from './selector.js';

/** How a value in a unit that devices use becomes one in the base unit: `value * factor + offset`. */
export interface Conversion {
  /** UCUM, as the metric catalogue has it. */
  readonly unit: string;
  readonly factor: number;
  readonly offset: number;
}

const to = (unit: string, factor = 1, offset = 0): Conversion => ({ unit, factor, offset });
const fahrenheit = to('Cel', 5 / 9, (-32 * 5) / 9);
const celsius = to('Cel');

/** Prefixes that any of these base units may have, as in `mA`. */
const PREFIXES: Readonly<Record<string, number>> = {
  G: 1e9,
  M: 1e6,
  k: 1e3,
  m: 1e-3,
  u: 1e-6,
  µ: 1e-6,
  μ: 1e-6,
  n: 1e-9,
};
const PREFIXED = ['V', 'A', 'W', 'VA', 'Hz', 'Pa', 'J', 's', 'g', 'm', 'bit/s'];

const CONVERSIONS: ReadonlyMap<string, Conversion> = new Map([
  ...PREFIXED.flatMap((unit) => [
    [unit, to(unit)] as const,
    ...Object.entries(PREFIXES).map(([prefix, factor]) => [`${prefix}${unit}`, to(unit, factor)] as const),
  ]),
  ...['', 'k', 'M', 'G', 'T', 'P'].flatMap((prefix, power) => [
    ...(['B', 'By'] as const).map((unit) => [`${prefix}${unit}`, to('By', 1000 ** power)] as const),
    ...(['B/s', 'By/s'] as const).map((unit) => [`${prefix}${unit}`, to('By/s', 1000 ** power)] as const),
  ]),
  ...['Ki', 'Mi', 'Gi', 'Ti', 'Pi'].flatMap((prefix, power) => [
    ...(['B', 'By'] as const).map((unit) => [`${prefix}${unit}`, to('By', 1024 ** (power + 1))] as const),
    ...(['B/s', 'By/s'] as const).map((unit) => [`${prefix}${unit}`, to('By/s', 1024 ** (power + 1))] as const),
  ]),
  ['KB', to('By', 1000)],
  ['1', to('1')],
  ['%', to('1', 0.01)],
  ['percent', to('1', 0.01)],
  ['Cel', celsius],
  ['°C', celsius],
  ['C', celsius],
  ['K', to('Cel', 1, -273.15)],
  ['°F', fahrenheit],
  ['F', fahrenheit],
  ['[degF]', fahrenheit],
  ['min', to('s', 60)],
  ['h', to('s', 3600)],
  ['d', to('s', 86_400)],
  ['Wh', to('J', 3600)],
  ['kWh', to('J', 3.6e6)],
  ['MWh', to('J', 3.6e9)],
  ['bit', to('bit')],
  ['hPa', to('Pa', 100)],
  ['mbar', to('Pa', 100)],
  ['bar', to('Pa', 1e5)],
  ['RPM', to('rpm')],
  ['rpm', to('rpm')],
]);

/** The units that have a base unit; every other is sent as it is. */
export const convertibleUnits: readonly string[] = [...CONVERSIONS.keys()];

/**
 * What makes base units of a unit, such as `By` of `KiB`, `1` of `%` and `Cel` of `°F`. A unit that is not known stays as it is.
 * Upper and lower case differ: `mW` is not `MW`.
 */
export function toBaseUnit(unit: string): Conversion {
  return CONVERSIONS.get(unit) ?? to(unit);
}

/** What makes values of one unit values of another; undefined where nobody knows how: they measure different things. */
export function conversionBetween(from: string, to: string): Conversion | undefined {
  if (from === to) return { unit: to, factor: 1, offset: 0 };
  const [source, target] = [CONVERSIONS.get(from), CONVERSIONS.get(to)];
  if (!source || !target || source.unit !== target.unit) return undefined;
  return {
    unit: to,
    factor: source.factor / target.factor,
    offset: (source.offset - target.offset) / target.factor,
  };
}

/** The value in the base unit, without the digits that binary fractions add: 21.3 % is 0.213, not 0.21300000000000002. */
export function convert(value: number, { factor, offset }: Pick<Conversion, 'factor' | 'offset'>): number {
  return factor === 1 && offset === 0 ? value : tidy(value * factor + offset);
}

/** A number of a device times what one of its steps is, plus an offset: 23 times 0.1 is 2.3, not 2.3000000000000003. */
export function scaled(value: number, scale: number, offset = 0): number {
  return scale === 1 && offset === 0 ? value : tidy(value * scale + offset);
}

const tidy = (value: number): number => (Number.isFinite(value) ? Number(value.toPrecision(15)) : value);

/** Units by patterns of names, in which `*` is any text; of several that match, the first counts. */
export type UnitPatterns = ReadonlyArray<readonly [pattern: string, unit: string]>;

/** The unit that patterns give a name; undefined where none matches. */
export function unitByPattern(patterns: UnitPatterns): (name: string) => string | undefined {
  const units = patterns.map(([pattern, unit]) => ({ unit, matches: matchesAny([like(pattern)]) }));
  return (name) => units.find(({ matches }) => matches(name))?.unit;
}

/** The value and unit of a reading, for a value in the unit of the device; without a unit both stay as they are. */
export function inBaseUnit(value: number, unit: string | undefined): { value: number; unit?: string } {
  if (unit === undefined) return { value };
  const conversion = toBaseUnit(unit);
  return { value: convert(value, conversion), unit: conversion.unit };
}
