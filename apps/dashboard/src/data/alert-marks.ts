import { convert, fromCatalogueUnit, hasAll, like, matchesAny, parseAggregation } from '@device-metrics/domain';
import type { Schema } from '../api.js';
import { textsAt, valueAt, type Document } from './alert-document.js';
import type { ChartSpec } from './chart-specs.js';
import type { Alert } from './use-alerts.js';

/** A level of a rule, as a line across a chart. */
export interface Level {
  readonly rule: string;
  readonly value: number;
  readonly severity: string;
}

/** A time in which a rule alerted, ms. */
export interface Episode {
  readonly rule: string;
  readonly start: number;
  readonly end: number;
  readonly severity: string;
}

/** What alerts have to say of one chart. */
export interface AlertMarks {
  readonly levels: readonly Level[];
  readonly episodes: readonly Episode[];
}

export const NO_MARKS: AlertMarks = { levels: [], episodes: [] };

interface KnownDevice {
  readonly device_name: string;
  readonly tags: Readonly<Record<string, string>>;
}

/**
 * The levels that rules have for a chart of a device: those of what the chart draws, so not of the rate of a gauge. In a
 * stack only the lowest layer is as high as its value: a level of another would stand at the wrong height.
 *
 * @param lowest the state of that layer.
 */
export function levelsOf(
  rules: readonly Schema<'AlertSetupDto'>[],
  device: KnownDevice,
  spec: ChartSpec,
  lowest?: string,
): Level[] {
  return rules.flatMap(({ name, document }) => {
    if (document['enabled'] === false || !watches(document, device, spec)) return [];
    const condition = (document['condition'] ?? {}) as Document;
    const measure = typeof condition['measure'] === 'string' ? condition['measure'] : 'last';
    if (!isDrawn(measure, spec) || (condition['type'] ?? 'level') !== 'level') return [];
    if (spec.show === 'stack' && !(lowest !== undefined && statesOf(document).includes(lowest))) return [];
    const own = overrideOf(document, device.device_name);
    if (own?.['enabled'] === false) return [];
    const bounds = [own?.['level'] ?? condition['above'] ?? condition['below'], ...band(condition['outside'])];
    const severity = typeof document['severity'] === 'string' ? document['severity'] : 'warning';
    return bounds.flatMap((value) =>
      typeof value === 'number' ? [{ rule: name, value: drawn(value, spec), severity }] : [],
    );
  });
}

/** A level, which is of the metric catalogue's unit, in that of a chart. */
function drawn(level: number, { metrics, sampleUnit, rate, shares }: ChartSpec): number {
  const conversion = shares ? undefined : fromCatalogueUnit(metrics[0] ?? '', sampleUnit ?? null);
  return conversion ? convert(level, { ...conversion, ...(rate && { offset: 0 }) }) : level;
}

function isDrawn(measure: string, { rate, shares }: ChartSpec): boolean {
  if (shares) return measure === 'share';
  if (rate) return measure === 'rate';
  const isOther = ['rate', 'increase', 'count', 'sum'].includes(measure);
  return measure === 'last' || (!isOther && parseAggregation(measure) !== undefined);
}

/** The values of labels that a rule watches, such as the state `used`. */
const statesOf = (document: Document): string[] =>
  textsAt(document, 'select.label').map((pair) => pair.slice(pair.indexOf('=') + 1));

const band = (outside: unknown): unknown[] => (Array.isArray(outside) ? outside : []);

function overrideOf(document: Document, device: string): Document | undefined {
  const overrides = Array.isArray(document['overrides']) ? (document['overrides'] as Document[]) : [];
  return overrides.find((one) => matchesAny(textsAt(one, 'device').map(like))(device));
}

function watches(document: Document, { device_name, tags }: KnownDevice, { metrics }: ChartSpec): boolean {
  const patterns = (key: string) =>
    valueAt(document, `select.${key}`) === undefined ? undefined : textsAt(document, `select.${key}`).map(like);
  const tagPatterns = textsAt(document, 'select.tag').map((pair) => {
    const equals = pair.indexOf('=');
    return [pair.slice(0, equals), like(pair.slice(equals + 1))] as const;
  });
  const named = patterns('metric');
  if (named === undefined || !metrics.some(matchesAny(named))) return false;
  return matchesAny(patterns('device'))(device_name) && hasAll(tagPatterns)(tags);
}

/**
 * The times in which rules alerted on the metrics of a chart.
 *
 * @param changes of the stretch from `start` to `end`, the newest first, as the history has them.
 * @param alerts of the device that are open now, which may have begun before.
 */
export function episodesOf(
  changes: readonly Schema<'AlertChangeDto'>[],
  alerts: readonly Alert[],
  { metrics }: ChartSpec,
  { start, end }: { start: number; end: number },
): Episode[] {
  const isShown = (metric: string | null): boolean => metric !== null && metrics.includes(metric);
  const began = new Map<string, { time: number; severity: string; rule: string }>();
  const seen = new Set<string>();
  const episodes: Episode[] = [];
  for (const change of changes.toReversed()) {
    if (!isShown(change.metric_name)) continue;
    const key = `${change.rule} ${JSON.stringify(change.labels)}`;
    const time = Date.parse(change.time);
    const { rule, severity, from, to } = change;
    const isWrong = to === 'alerting' || to === 'recovering';
    const wasWrong = from === 'alerting' || from === 'recovering';
    if (isWrong && !began.has(key)) began.set(key, { time: wasWrong ? start : time, severity, rule });
    if (!isWrong && wasWrong) {
      episodes.push({ rule, severity, start: began.get(key)?.time ?? start, end: time });
      began.delete(key);
    }
    seen.add(key);
  }
  for (const { rule, severity, time } of began.values()) episodes.push({ rule, severity, start: time, end });
  for (const alert of alerts) {
    const key = `${alert.rule} ${JSON.stringify(alert.labels)}`;
    if (!isShown(alert.metric_name) || seen.has(key) || Date.parse(alert.since) > end) continue;
    const { rule, severity, since } = alert;
    episodes.push({ rule, severity, start: Math.max(start, Date.parse(since)), end });
  }
  return episodes;
}
