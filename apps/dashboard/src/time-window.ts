import { autoStep, parseDuration } from '@device-metrics/domain';

/** What part of time a page shows: up to now and moving with it, or fixed. */
export type TimeWindow =
  | { readonly kind: 'live'; readonly length: string }
  | { readonly kind: 'fixed'; readonly start: number; readonly end: number };

/** Lengths to choose from, and their words. */
export const LENGTHS: readonly (readonly [length: string, words: string])[] = [
  ['15m', '15 minutes'],
  ['1h', '1 hour'],
  ['3h', '3 hours'],
  ['6h', '6 hours'],
  ['24h', '24 hours'],
  ['2d', '2 days'],
  ['7d', '7 days'],
  ['30d', '30 days'],
  ['90d', '90 days'],
  ['1y', '1 year'],
  ['5y', '5 years'],
];

export const DEFAULT_LENGTH = '1h';

/** Reads `range` or `start` and `end` of an address; what cannot be read is as if it were not there. */
export function windowOf(address: URLSearchParams, fallback = DEFAULT_LENGTH): TimeWindow {
  const start = within(Date.parse(address.get('start') ?? ''));
  const end = within(Date.parse(address.get('end') ?? ''));
  if (start < end) return { kind: 'fixed', start, end };
  const length = address.get('range') ?? '';
  return { kind: 'live', length: parseDuration(length) === undefined ? fallback : length };
}

/** What reports take: years of four digits. Who widens a window again and again comes to its end. */
const within = (time: number): number => Math.min(Math.max(time, Date.UTC(1000, 0)), Date.UTC(9999, 0) - 1);

/** The parameters of an address that say a window. */
export function windowParameters(window: TimeWindow): Record<string, string | undefined> {
  return window.kind === 'live'
    ? { range: window.length, start: undefined, end: undefined }
    : { range: undefined, start: isoText(window.start), end: isoText(window.end) };
}

const isoText = (time: number): string => new Date(within(time)).toISOString();

export const lengthOf = (window: TimeWindow): number =>
  window.kind === 'live' ? (parseDuration(window.length) ?? 3_600_000) : window.end - window.start;

/** Start and end at a time, ms. */
export function boundsOf(window: TimeWindow, now: number): { start: number; end: number } {
  return window.kind === 'live'
    ? { start: now - lengthOf(window), end: now }
    : { start: window.start, end: window.end };
}

/**
 * The length of a step, ms, so that a chart has about as many points as it can show and no step is shorter than the
 * readings are apart.
 *
 * @param interval usual time between readings, ms.
 */
export function stepFor(length: number, points: number, interval = 1000): number {
  const fromWidth = autoStep({ start: 0, end: length }, points);
  const fromRhythm = autoStep({ start: 0, end: interval * 0.9 }, 1);
  return Math.max(fromWidth, fromRhythm);
}

/** A step as the api takes it. */
export const stepText = (step: number): string =>
  step % 86_400_000 === 0 ? `${step / 86_400_000}d` : step % 1000 === 0 ? `${step / 1000}s` : `${step}ms`;

/** `local` is the time zone of this browser. */
export type Zone = 'local' | 'UTC';

/** The IANA name of a zone. */
export const zoneName = (zone: Zone): string =>
  zone === 'UTC' ? 'UTC' : new Intl.DateTimeFormat().resolvedOptions().timeZone;

const formats = new Map<string, Intl.DateTimeFormat>();

/** Formats times, once made for each zone and form. */
function formatOf(zone: Zone, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${zone} ${JSON.stringify(options)}`;
  let format = formats.get(key);
  if (!format) {
    format = new Intl.DateTimeFormat('en-GB', {
      ...options,
      hourCycle: 'h23',
      ...(zone === 'UTC' && { timeZone: 'UTC' }),
    });
    formats.set(key, format);
  }
  return format;
}

const DATE = { day: 'numeric', month: 'short', year: 'numeric' } as const;
const CLOCK = { hour: '2-digit', minute: '2-digit' } as const;

/** `26 Nov 2026, 14:05:10`. */
export const timeText = (time: number, zone: Zone, seconds = true): string =>
  formatOf(zone, { ...DATE, ...CLOCK, ...(seconds && { second: '2-digit' }) }).format(time);
/** `26 Nov 2026`. */
export const dateText = (time: number, zone: Zone): string => formatOf(zone, DATE).format(time);
/** `14:05`, and with seconds `14:05:10`. */
export const clockText = (time: number, zone: Zone, seconds = false): string =>
  formatOf(zone, { ...CLOCK, ...(seconds && { second: '2-digit' }) }).format(time);
/** `26 Nov`. */
export const dayText = (time: number, zone: Zone): string =>
  formatOf(zone, { day: 'numeric', month: 'short' }).format(time);
/** `Nov 2026`. */
export const monthText = (time: number, zone: Zone): string =>
  formatOf(zone, { month: 'short', year: 'numeric' }).format(time);
