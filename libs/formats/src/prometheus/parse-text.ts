import { quote } from '@device-metrics/domain';
import { Cursor } from './cursor.js';
import {
  parseNumber,
  readLines,
  readMetricName,
  readNumber,
  readSeries,
  seriesKey,
  TOKEN,
  type ExposedSample,
  type LabelRules,
} from './exposition.js';

const TYPES = ['counter', 'gauge', 'histogram', 'summary', 'untyped'];

/** The label of a bucket or of a quantile, which must be a number. */
const NUMBERED: Readonly<Record<string, string>> = { histogram: 'le', summary: 'quantile' };

const LABELS: LabelRules = {
  loose: true,
  unknownEscape: (letter) => {
    throw new Error(`\\${letter} is no escape; allowed are \\\\, \\" and \\n`);
  },
};

/**
 * The samples of an exposition in the Prometheus text format 0.0.4 or 1.0.0, in their order.
 *
 * @throws ExpositionError at the first line that is wrong, with its number.
 */
export function parseText(text: string): ExposedSample[] {
  const exposition = new Exposition();
  readLines(text, (line) => exposition.line(line.endsWith('\r') ? line.slice(0, -1) : line));
  return exposition.samples;
}

class Exposition {
  readonly samples: ExposedSample[] = [];
  private readonly series = new Set<string>();
  private readonly types = new Map<string, string>();
  private readonly helped = new Set<string>();
  private readonly sampled = new Set<string>();

  line(line: string): void {
    const cursor = new Cursor(line);
    cursor.skip();
    if (cursor.atEnd) return;
    if (cursor.take('#')) this.comment(cursor);
    else this.sample(cursor);
  }

  private comment(cursor: Cursor): void {
    cursor.skip();
    const keyword = cursor.match(TOKEN);
    if (keyword !== 'HELP' && keyword !== 'TYPE') return;
    cursor.skip();
    const name = readMetricName(cursor, LABELS);
    if (name === undefined) throw new Error(`${keyword} needs the name of a metric, got ${cursor.rest}`);
    cursor.skip();
    if (keyword === 'HELP') this.help(name);
    else this.type(name, cursor.remaining.trim());
  }

  private help(name: string): void {
    if (this.helped.has(name)) throw new Error(`a second HELP of ${name}`);
    this.helped.add(name);
  }

  private type(name: string, type: string): void {
    if (!TYPES.includes(type))
      throw new Error(`the type of ${name} must be one of ${TYPES.join(', ')}, got ${quote(type)}`);
    if (this.types.has(name)) throw new Error(`a second TYPE of ${name}`);
    const parts = type === 'histogram' || type === 'summary' ? ['', '_bucket', '_sum', '_count'] : [''];
    if (parts.some((part) => this.sampled.has(name + part))) {
      throw new Error(`the TYPE of ${name} must come before its samples`);
    }
    this.types.set(name, type);
  }

  private sample(cursor: Cursor): void {
    const { name, labels } = readSeries(cursor, LABELS);
    this.checkNumbered(name, labels);
    cursor.skip();
    const value = readNumber(cursor, 'value');
    cursor.skip();
    const timestamp = cursor.match(TOKEN);
    if (timestamp !== undefined && !/^[+-]?\d+$/.test(timestamp)) {
      throw new Error(`the timestamp must be whole milliseconds, got ${quote(timestamp)}`);
    }
    cursor.skip();
    if (!cursor.atEnd) throw new Error(`nothing may follow the timestamp, got ${cursor.rest}`);
    const key = seriesKey(name, labels);
    if (this.series.has(key)) throw new Error(`${name} comes twice with the same labels`);
    this.series.add(key);
    this.sampled.add(name);
    this.samples.push({ name, labels, value });
  }

  /** A bucket of a histogram needs `le`; the value of `le` and of `quantile` is a number. */
  private checkNumbered(name: string, labels: Readonly<Record<string, string>>): void {
    const family = name.endsWith('_bucket') ? name.slice(0, -'_bucket'.length) : name;
    const label = NUMBERED[this.types.get(family) ?? ''];
    if (label === undefined || (label === 'le' && family === name)) return;
    const text = Object.hasOwn(labels, label) ? labels[label] : undefined;
    if (text === undefined && label === 'quantile') return;
    if (text === undefined || parseNumber(text) === undefined) {
      throw new Error(`the label ${label} of ${name} must be a number, got ${quote(text)}`);
    }
  }
}
