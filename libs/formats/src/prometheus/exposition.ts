import { parseDecimal, quote } from '@device-metrics/domain';
import { readLine, type RejectLine } from '../lines.js';
import type { Cursor } from './cursor.js';

/** One line of an exposition that has a value. */
export interface ExposedSample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** NaN and the infinities too. */
  readonly value: number;
  /** As `# UNIT` of OpenMetrics says it, as in `seconds`; absent where nothing does. */
  readonly unit?: string;
  /** Unix ms; absent where the exposition says none, or nobody asked. */
  readonly timestamp?: number;
}

const NAME = /[a-zA-Z_:][a-zA-Z0-9_:]*/y;
/** Anything up to a blank. */
export const TOKEN = /[^ \t]+/y;
const LABEL_NAME = /[a-zA-Z_][a-zA-Z0-9_]*/y;
const QUOTED = /"[^"\\]*(?:\\.[^"\\]*)*"/y;

/**
 * Gives each line to `read`.
 *
 * @param mustEnd whether the last line needs a line feed: without it, it may be cut off.
 * @throws LineError at the line where `read` throws, unless `reject` takes it.
 */
export function readLines(text: string, read: (line: string) => void, reject?: RejectLine, mustEnd = false): void {
  let start = 0;
  for (let number = 1; start < text.length; number += 1) {
    const end = text.indexOf('\n', start);
    const line = end < 0 ? text.slice(start) : text.slice(start, end);
    readLine(
      number,
      () => {
        if (end < 0 && mustEnd) throw new Error('the last line must end with a line feed; the answer seems cut off');
        read(line);
      },
      reject,
    );
    if (end < 0) return;
    start = end + 1;
  }
}

/** How the two formats read names, and what stands between the braces. */
export interface LabelRules {
  /** Blanks around names, `=` and `,` are allowed, and so is a comma after the last label. */
  readonly loose: boolean;
  /** What a backslash before any other letter than `\`, `"` and `n` stands for. */
  readonly unknownEscape: (letter: string) => string;
}

/**
 * The name and labels that a sample begins with, as in `up{job="a"}`. Names of other letters stand in quotes, that of the
 * metric in the braces: `{"http.requests","http.route"="/"}` (Prometheus 3).
 */
export function readSeries(cursor: Cursor, rules: LabelRules): { name: string; labels: Record<string, string> } {
  const outside = cursor.match(NAME);
  if (rules.loose) cursor.skip();
  if (outside !== undefined) return { name: outside, labels: cursor.take('{') ? readLabels(cursor, rules) : {} };
  if (!cursor.take('{')) throw new Error(`must begin with the name of a metric, got ${cursor.rest}`);
  if (rules.loose) cursor.skip();
  const name = readQuotedName(cursor, rules);
  if (name === undefined) throw new Error(`the name of the metric must be in quotes, got ${cursor.rest}`);
  if (rules.loose) cursor.skip();
  if (cursor.take('}')) return { name, labels: {} };
  if (!cursor.take(',')) throw new Error(`, or } must follow the name of the metric, got ${cursor.rest}`);
  return { name, labels: readLabels(cursor, rules, rules.loose) };
}

/** The name of a metric in a line of metadata, where it may be in quotes. */
export function readMetricName(cursor: Cursor, rules: LabelRules): string | undefined {
  return cursor.match(NAME) ?? readQuotedName(cursor, rules);
}

/** The labels after a `{`, up to and with the `}`. */
export function readLabels(cursor: Cursor, rules: LabelRules, mayEnd = true): Record<string, string> {
  const labels: Record<string, string> = {};
  const blanks = (): void => (rules.loose ? cursor.skip() : undefined);
  for (let first = mayEnd; ; first = false) {
    blanks();
    if ((first || rules.loose) && cursor.take('}')) return labels;
    const name = cursor.match(LABEL_NAME) ?? readQuotedName(cursor, rules);
    if (name === undefined) throw new Error(`must be the name of a label or }, got ${cursor.rest}`);
    blanks();
    if (!cursor.take('=')) throw new Error(`= must follow the label ${name}, got ${cursor.rest}`);
    blanks();
    const value = readQuoted(cursor, rules);
    if (value === undefined) throw new Error(`the value of the label ${name} must be in quotes, got ${cursor.rest}`);
    if (Object.hasOwn(labels, name)) throw new Error(`the label ${name} comes twice`);
    // Not by assignment: `__proto__` is a label like any other.
    Object.defineProperty(labels, name, { value, enumerable: true });
    blanks();
    if (cursor.take(',')) continue;
    if (!cursor.take('}')) throw new Error(`, or } must follow the label ${name}, got ${cursor.rest}`);
    return labels;
  }
}

function readQuotedName(cursor: Cursor, rules: LabelRules): string | undefined {
  const name = readQuoted(cursor, rules);
  if (name === '') throw new Error('a name is empty');
  return name;
}

/** What stands between two quotes; undefined where there are none. */
function readQuoted(cursor: Cursor, rules: LabelRules): string | undefined {
  const quoted = cursor.match(QUOTED);
  return quoted === undefined ? undefined : unescape(quoted.slice(1, -1), rules.unknownEscape);
}

const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\', '"': '"', n: '\n' };

function unescape(value: string, unknown: (letter: string) => string): string {
  if (!value.includes('\\')) return value;
  return value.replace(/\\(.)/g, (_whole, letter: string) => ESCAPES[letter] ?? unknown(letter));
}

const INFINITY = /^([+-]?)inf(inity)?$/i;

/** The number that a text stands for, NaN and the infinities too; undefined where it is none. */
export function parseNumber(text: string): number | undefined {
  const decimal = parseDecimal(text);
  if (decimal !== undefined) return decimal;
  if (/^nan$/i.test(text)) return NaN;
  const infinity = INFINITY.exec(text);
  if (!infinity) return undefined;
  return infinity[1] === '-' ? -Infinity : Infinity;
}

export function readNumber(cursor: Cursor, what: string): number {
  const text = cursor.match(TOKEN);
  if (text === undefined) throw new Error(`has no ${what}`);
  const number = parseNumber(text);
  if (number === undefined) throw new Error(`the ${what} must be a number, got ${quote(text)}`);
  return number;
}

/** Tells apart the samples of an exposition. */
export function seriesKey(name: string, labels: Readonly<Record<string, string>>): string {
  const entries = Object.entries(labels);
  if (entries.length === 0) return name;
  return `${name}${JSON.stringify(entries.sort(([a], [b]) => (a < b ? -1 : 1)))}`;
}
