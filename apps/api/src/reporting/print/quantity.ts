/** How values of a unit are written, by their size: the first size that a value reaches. Beyond all prefixes there is none. */
export type Unit = readonly UnitSize[];

interface UnitSize {
  /** Smallest amount, without its sign, that is written in this size. */
  readonly from: number;
  /** What the value is divided by. */
  readonly divisor: number;
  /** Empty where a bare number says enough. */
  readonly symbol: string;
}

/**
 * @param ucum the unit as it is stored: UCUM, null while nobody has said.
 * @param perSecond whether the values are what grows in a second.
 */
export function unitOf(ucum: string | null, perSecond = false): Unit {
  if (ucum === null || /^\{.*\}$/.test(ucum)) return perSecond ? suffixed(NUMBER, '/s') : NUMBER;
  if (ucum === '1') return perSecond ? suffixed(NUMBER, '/s') : RATIO;
  const bytes = /^(|[kMGT]|[KMGT]i)By(\/s)?$/.exec(ucum);
  if (bytes) return scaled(suffixed(BYTES, (bytes[2] ?? '') + (perSecond ? '/s' : '')), PREFIXES[bytes[1] ?? ''] ?? 1);
  const time = /^(min|h|d|([mun]?)s)$/.exec(ucum);
  if (time) {
    const seconds = SECONDS[time[1] ?? ''] ?? PREFIXES[time[2] ?? ''] ?? 1;
    // Seconds in each second are a share of the time.
    return scaled(perSecond ? RATIO : DURATION, seconds);
  }
  const metric = /^([kMGTmun]?)(Hz|W|V|A|J|Wh|W\.h|VA|V\.A|bit|Pa)(\/s)?$/.exec(ucum);
  if (metric) {
    const symbol = (metric[2] ?? '').replace('.', '') + (metric[3] ?? '') + (perSecond ? '/s' : '');
    return scaled(decimal(symbol === 'J/s' ? 'W' : symbol), PREFIXES[metric[1] ?? ''] ?? 1);
  }
  return [{ from: 0, divisor: 1, symbol: (SYMBOLS[ucum] ?? ucum) + (perSecond ? '/s' : '') }];
}

/** The size in which the largest of some values is readable. */
export function sizeFor(unit: Unit, largest: number): UnitSize {
  const amount = largest === 0 ? 1 : Math.abs(largest);
  return unit.find(({ from }) => amount >= from) ?? (unit.at(-1) as UnitSize);
}

/** A value with three digits at the least where it has them, and its unit; a dash for what overflowed to no number. */
export function quantity(value: number, unit: Unit): string {
  if (!Number.isFinite(value)) return '–';
  const { divisor, symbol } = sizeFor(unit, value);
  const text = shortNumber(value / divisor);
  return /^(\/|$)/.test(symbol) ? text + symbol : `${text}\u00A0${symbol}`;
}

/** Digits in groups of three. */
export const count = (value: number): string => String(value).replace(/\B(?=(\d{3})+$)/g, '\u202F');

/** As `1 metric` and `2 metrics`. */
export const counted = (value: number, noun: string): string => `${count(value)} ${noun}${value === 1 ? '' : 's'}`;

function shortNumber(value: number): string {
  const amount = Math.abs(value);
  if (amount === 0) return '0';
  if (amount >= 1e12) return value.toExponential(2).replace(/\.?0+e/, 'e');
  if (amount >= 1e7 || amount < 1e-4) return String(Number(value.toPrecision(3)));
  return String(Number(value.toFixed(Math.max(0, 2 - Math.floor(Math.log10(amount))))));
}

/**
 * How far the axis of a chart reaches at the least, in the unit as it is stored, so that what is next to nothing looks so: 10 % of a
 * share, 10 kB or one a second of what a counter counts.
 */
export function leastTop(ucum: string | null, perSecond: boolean): number {
  if (ucum === '1' || (ucum === 's' && perSecond)) return 0.1;
  if (!perSecond) return 0;
  return ucum === 'By' ? 10_240 : 1;
}

const PREFIXES: Readonly<Record<string, number>> = {
  ...{ n: 1e-9, u: 1e-6, m: 1e-3, '': 1, k: 1e3, M: 1e6, G: 1e9, T: 1e12 },
  ...{ Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, Ti: 2 ** 40 },
};
const SECONDS: Readonly<Record<string, number>> = { min: 60, h: 3600, d: 86_400 };
const SYMBOLS: Readonly<Record<string, string>> = { Cel: '°C', '[degF]': '°F', deg: '°', Ohm: 'Ω' };

const size = (divisor: number, symbol: string, from = divisor): UnitSize => ({ from, divisor, symbol });

const NUMBER: Unit = [
  size(1, '', 1e21),
  size(1e18, 'E'),
  size(1e15, 'P'),
  size(1e12, 'T'),
  size(1e9, 'G'),
  size(1e6, 'M'),
  size(1e3, 'k', 1e4),
  size(1, '', 0),
];
/** Of a unit of 1, large values are numbers of something rather than shares. */
const RATIO: Unit = [...NUMBER.slice(0, -1), size(1, '', 10), { from: 0, divisor: 0.01, symbol: '%' }];
const BYTES: Unit = [
  size(1, 'B', 2 ** 70),
  ...['EiB', 'PiB', 'TiB', 'GiB', 'MiB', 'KiB'].map((symbol, index) => size(2 ** (60 - 10 * index), symbol)),
  size(1, 'B', 0),
];
const DURATION: Unit = [
  size(1, 's', 1e12),
  ...[size(86_400, 'd', 2 * 86_400), size(3600, 'h', 2 * 3600), size(60, 'min', 120), size(1, 's')],
  ...[size(1e-3, 'ms'), size(1e-6, 'µs'), size(1e-9, 'ns', 0)],
];

const decimal = (symbol: string): Unit => [
  size(1, symbol, 1e21),
  ...['E', 'P', 'T', 'G', 'M', 'k', ''].map((prefix, index) => size(10 ** (18 - 3 * index), prefix + symbol)),
  ...[size(1e-3, `m${symbol}`), size(1e-6, `µ${symbol}`), size(1e-9, `n${symbol}`, 0)],
];

const suffixed = (unit: Unit, suffix: string): Unit => unit.map((one) => ({ ...one, symbol: one.symbol + suffix }));

/** Of values that come in multiples of the unit. */
const scaled = (unit: Unit, multiple: number): Unit =>
  multiple === 1 ? unit : unit.map((one) => ({ ...one, from: one.from / multiple, divisor: one.divisor / multiple }));
