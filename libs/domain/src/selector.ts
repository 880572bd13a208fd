import type { Labels } from './sample.js';

/** A text, which only the same text matches; or what `like` makes of a text with wildcards. */
export type Pattern = string | { readonly like: string };

/** A pattern in which each `*` stands for any characters, or none. Upper and lower case differ. */
export const like = (text: string): Pattern => (text.includes('*') ? { like: text } : text);

/** A name that string pairs must have, and what its value must match; with the value '' they must not have it, as in Prometheus. */
export type PairPattern = readonly [name: string, value: Pattern];

/** Which devices; what is left out does not restrict. */
export interface DeviceSelector {
  /** Its name matches one of these. */
  readonly devices?: readonly Pattern[] | undefined;
  /** It has all these tags. */
  readonly tags?: readonly PairPattern[] | undefined;
}

/** Which series; what is left out does not restrict. */
export interface SeriesSelector {
  /** The name of its device matches one of these. */
  readonly devices?: readonly Pattern[] | undefined;
  /** Its metric matches one of these. */
  readonly metrics?: readonly Pattern[] | undefined;
  /** It has all these labels. */
  readonly labels?: readonly PairPattern[] | undefined;
}

/** Which series of which devices. */
export type Selector = DeviceSelector & SeriesSelector;

/** Whether a device is one that the selector means. */
export function selectsDevice(
  selector: DeviceSelector,
): (device: { readonly name: string; readonly tags: Labels }) => boolean {
  const named = matchesAny(selector.devices);
  const tagged = hasAll(selector.tags);
  return ({ name, tags }) => named(name) && tagged(tags);
}

/** Whether a series, or a sample of it, is one that the selector means. */
export function selectsSeries(
  selector: SeriesSelector,
): (series: { readonly deviceName: string; readonly metricName: string; readonly labels: Labels }) => boolean {
  const device = matchesAny(selector.devices);
  const metric = matchesAny(selector.metrics);
  const labels = hasAll(selector.labels);
  return (series) => device(series.deviceName) && metric(series.metricName) && labels(series.labels);
}

/** Whether a text matches one of the patterns; without a list every text does, with an empty one none. */
export function matchesAny(patterns: readonly Pattern[] | undefined): (text: string) => boolean {
  if (!patterns) return () => true;
  const exact = new Set(patterns.filter((pattern) => typeof pattern === 'string'));
  const wildcards = patterns.filter((pattern) => typeof pattern !== 'string').map((pattern) => wildcard(pattern.like));
  return (text) => exact.has(text) || wildcards.some((matches) => matches(text));
}

/** Whether string pairs have all that is asked for; without a list all have. */
export function hasAll(patterns: readonly PairPattern[] = []): (pairs: Labels) => boolean {
  const wanted = patterns.map(([name, pattern]) => ({
    name,
    matches: matchesAny([pattern]),
    isAbsent: pattern === '',
  }));
  return (pairs) =>
    wanted.every(({ name, matches, isAbsent }) => {
      const value = Object.hasOwn(pairs, name) ? pairs[name] : undefined;
      return value === undefined ? isAbsent : matches(value);
    });
}

/** Looks once for each part of the pattern, from where the one before ended: it never goes back in the text. */
function wildcard(pattern: string): (text: string) => boolean {
  const [first = '', ...rest] = pattern.split('*');
  const last = rest.pop();
  if (last === undefined) return (text) => text === pattern;
  return (text) => {
    if (!text.startsWith(first)) return false;
    let from = first.length;
    for (const part of rest) {
      const found = text.indexOf(part, from);
      if (found < 0) return false;
      from = found + part.length;
    }
    return text.length - last.length >= from && text.endsWith(last);
  };
}
