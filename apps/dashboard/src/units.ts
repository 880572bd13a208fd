/** Values in the words of people: `1.5 GiB`, `12.3 MB/s`, `42 %`, `3 d 4 h`. Units come in UCUM, as the api has them. */

import { toBaseUnit } from '@device-metrics/domain';

const BINARY = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB'];
const SI = ['', 'k', 'M', 'G', 'T', 'P', 'E'];
const SMALL = ['', 'm', 'µ', 'n', 'p'];
/** From here on numbers are written with a power of ten, and without a prefix. */
const BEYOND_PREFIXES = 1e21;
/** From here on seconds are not told in years, s. */
const BEYOND_YEARS = 1e12;

/** Metrics of unit `1` that are no ratio: they say yes or no. */
const FLAGS =
  /^(collector\.source\.success|collector\.info|device\.online|hw\.status|hw\.network\.up|systemd\.unit\.state|up|probe_success)$/;

/** Units that people write differently, or that take no prefix. */
const PLAIN: Readonly<Record<string, string>> = {
  Cel: '°C',
  '[degF]': '°F',
  '°F': '°F',
  '%': '%',
  deg: '°',
  rpm: 'rpm',
  '{rpm}': 'rpm',
  min: 'min',
  h: 'h',
  d: 'd',
  dB: 'dB',
};
/** Units of which thousands and thousandths have names. */
const PREFIXED: Readonly<Record<string, string>> = {
  Hz: 'Hz',
  W: 'W',
  V: 'V',
  A: 'A',
  J: 'J',
  VA: 'VA',
  'bit/s': 'bit/s',
  'By/s': 'B/s',
  bit: 'bit',
  m: 'm',
  g: 'g',
  Pa: 'Pa',
  lx: 'lx',
};

const PARTS_OF_SECOND: Readonly<Record<string, number>> = { ms: 1e3, us: 1e6, ns: 1e9 };

/** How the values of a metric are shown. @param more so many further digits, where values are told apart by them. */
export type Formatter = (value: number | null | undefined, more?: number) => string;
type NumberFormatter = (value: number, more: number) => string;

/**
 * The formatter of a unit.
 *
 * @param unit UCUM; of a rate with `/s`, where `s/s` is a share of time.
 * @param metric tells yes and no from ratios.
 */
export function formatterOf(unit: string | undefined, metric = ''): Formatter {
  const format = formatOf(unit ?? '', metric);
  return (value, more = 0) => {
    if (value === null || value === undefined || !Number.isFinite(value)) return '–';
    const text = format(value, more);
    // What the unit is multiplied by has come to no number.
    if (text.includes('Infinity')) return `${figures(value, more)} ${unit === '1' ? '' : unit}`.trim();
    // What is rounded to nothing has no sign.
    return text.replace(/^-(?=0(\.0+)?( |$))/, '');
  };
}

function formatOf(unit: string, metric: string): NumberFormatter {
  if (unit === '1' && FLAGS.test(metric)) {
    return (value, more) => (value === 1 ? 'yes' : value === 0 ? 'no' : figures(value, more));
  }
  if (isRatio(unit, metric)) return (value, more) => `${percent(value * 100, more)} %`;
  if (unit === 'By') return binary;
  if (unit === 's') return duration;
  if (Object.hasOwn(PARTS_OF_SECOND, unit)) {
    return (value, more) => duration(value / (PARTS_OF_SECOND[unit] ?? 1), more);
  }
  if (Object.hasOwn(PLAIN, unit)) return (value, more) => `${tenths(value, more)} ${PLAIN[unit]}`;
  if (Object.hasOwn(PREFIXED, unit)) return (value, more) => prefixed(value, PREFIXED[unit] ?? '', more);
  const { unit: base, factor } = toBaseUnit(unit);
  if (base !== unit && /^By/.test(base)) return (value, more) => formatOf(base, metric)(value * factor, more);
  const suffix = suffixOf(unit);
  return (value, more) => {
    const number = prefixed(value, '', more);
    return suffix === '' ? number : `${number} ${suffix}`.replace(/ \//, '/');
  };
}

/** Whether values are shares of a whole, and so shown in percent. */
export const isRatio = (unit: string | undefined, metric = ''): boolean =>
  unit === 's/s' || (unit === '1' && !FLAGS.test(metric));

/** `{operation}/s` → `/s`: the title says what is counted. */
const suffixOf = (unit: string): string => unit.replace(/\{[^}]*\}/g, '');

function binary(value: number, more: number): string {
  const power = Math.abs(value) < BEYOND_PREFIXES ? powerOf(value, 1024, BINARY.length) : 0;
  return `${figures(value / 1024 ** power, more)} ${BINARY[power]}`;
}

function prefixed(value: number, unit: string, more: number): string {
  const magnitude = Math.abs(value);
  if (magnitude !== 0 && magnitude < 0.1 && unit !== '') {
    const power = Math.min(SMALL.length - 1, Math.ceil(-Math.log10(magnitude) / 3));
    return `${figures(value * 1000 ** power, more)} ${SMALL[power]}${unit}`;
  }
  const isPlain = (magnitude < 10_000 && unit === '') || magnitude >= BEYOND_PREFIXES;
  const power = isPlain ? 0 : powerOf(value, 1000, SI.length);
  return `${figures(value / 1000 ** power, more)} ${SI[power]}${unit}`.trim();
}

/** Rounding included, so that 1023.99 KiB is 1 MiB. */
const powerOf = (value: number, base: number, count: number): number => {
  let power = 0;
  for (let left = Math.abs(value); left >= base * 0.9995 && power < count - 1; left /= base) power += 1;
  return power;
};

/** Three figures, and thousands whole. */
function figures(value: number, more = 0): string {
  const magnitude = Math.abs(value);
  if (magnitude >= BEYOND_PREFIXES) return value.toExponential(2 + more);
  if (magnitude >= 99.95 || Number.isInteger(value)) return value.toFixed(more);
  if (magnitude >= 9.995) return value.toFixed(1 + more);
  if (magnitude >= 0.01) return value.toFixed(2 + more);
  return value.toPrecision(2 + more);
}

const tenths = (value: number, more: number): string =>
  Math.abs(value) >= 1000 ? figures(value, more) : value.toFixed(1 + more);
const percent = (value: number, more: number): string =>
  Math.abs(value) >= 99.95 || value === 0
    ? figures(value, more)
    : Math.abs(value) < 0.05
      ? value.toPrecision(1 + more)
      : value.toFixed(1 + more);

/** Seconds as people say them: `120 µs`, `1.5 s`, `3 min 4 s`, `2 d 5 h`. @param more so many further digits, or units. */
export function duration(seconds: number, more = 0): string {
  const magnitude = Math.abs(seconds);
  if (magnitude === 0) return '0 s';
  if (magnitude < 0.000_000_999_5) return `${figures(seconds * 1e9, more)} ns`;
  if (magnitude < 0.000_999_5) return `${figures(seconds * 1e6, more)} µs`;
  if (magnitude < 0.9995) return `${figures(seconds * 1e3, more)} ms`;
  if (magnitude < 59.5 || magnitude >= BEYOND_YEARS) return `${secondsText(seconds, more)} s`;
  const first = magnitude < 3_570 ? 3 : magnitude < 86_400 - 1800 ? 2 : magnitude < 365 * 86_400 ? 1 : 0;
  const shown = LENGTHS.slice(first, first + 2 + more);
  const [smallest] = shown.at(-1) as readonly [number, string];
  const decimals = Math.max(0, first + 2 + more - LENGTHS.length);
  let left = (Math.round((magnitude / smallest) * 10 ** decimals) / 10 ** decimals) * smallest;
  const texts: string[] = [];
  for (const [length, name] of shown) {
    const count = length === smallest ? (left / length).toFixed(decimals) : String(Math.floor(left / length));
    left -= Number(count) * length;
    if (Number(count) > 0) texts.push(`${count} ${name}`);
  }
  const text = texts.join(' ');
  return seconds < 0 ? `-${text}` : text;
}

const secondsText = (seconds: number, more: number): string =>
  Math.abs(seconds) < BEYOND_YEARS ? figures(seconds, more) : seconds.toExponential(2 + more);

const LENGTHS: readonly (readonly [seconds: number, name: string])[] = [
  [365 * 86_400, 'y'],
  [86_400, 'd'],
  [3_600, 'h'],
  [60, 'min'],
  [1, 's'],
];

/** How long ago: `now`, `12 s`, `3 min`, `2 d`. */
export function ago(milliseconds: number): string {
  const seconds = Math.max(0, milliseconds / 1000);
  if (seconds < 1.5) return 'now';
  if (seconds < 59.5) return `${Math.round(seconds)} s`;
  if (seconds < 3_570) return `${Math.round(seconds / 60)} min`;
  if (seconds < 47.5 * 3_600) return `${Math.round(seconds / 3_600)} h`;
  if (seconds < 730 * 86_400) return `${Math.round(seconds / 86_400)} d`;
  return `${Math.round(seconds / 31_536_000)} y`;
}

/** What a metric's unit is once it is a rate. */
export const rateUnit = (unit: string | undefined): string =>
  unit === undefined || unit === '' ? '{event}/s' : `${unit}/s`;
