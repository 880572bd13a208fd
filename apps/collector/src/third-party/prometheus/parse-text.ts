import { quote } from '@device-metrics/contract/rules';

export interface ExposedSample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** NaN and the infinities too. */
  readonly value: number;
}

/** A line that the format does not allow; the message begins with its number. */
export class ExpositionError extends Error {
  override readonly name = 'ExpositionError';
}

const NAME = /[a-zA-Z_:][a-zA-Z0-9_:]*/y;
const LABEL_NAME = /[a-zA-Z_][a-zA-Z0-9_]*/y;
const BLANK = /[ \t]*/y;
/** Anything up to a blank. */
const TOKEN = /[^ \t]+/y;
const LABEL_VALUE = /"((?:[^"\\]|\\.)*)"/y;
const TYPES = ['counter', 'gauge', 'histogram', 'summary', 'untyped'];

/**
 * The samples of an exposition in the Prometheus text format 0.0.4, in their order.
 *
 * @throws ExpositionError at the first line that is wrong, with its number.
 */
export function parseText(text: string): ExposedSample[] {
  const exposition = new Exposition();
  text.split('\n').forEach((line, index) => {
    try {
      exposition.line(line.endsWith('\r') ? line.slice(0, -1) : line);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new ExpositionError(`line ${index + 1}: ${reason}`);
    }
  });
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
    if (line[cursor.position] === '#') this.comment(cursor);
    else this.sample(cursor);
  }

  private comment(cursor: Cursor): void {
    cursor.position += 1;
    cursor.skip();
    const keyword = cursor.match(TOKEN);
    if (keyword !== 'HELP' && keyword !== 'TYPE') return;
    cursor.skip();
    const name = cursor.match(NAME);
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
    const name = cursor.match(NAME);
    if (name === undefined) throw new Error(`must begin with the name of a metric, got ${cursor.rest}`);
    cursor.skip();
    const labels = cursor.take('{') ? readLabels(cursor) : {};
    cursor.skip();
    const value = readValue(cursor);
    cursor.skip();
    const timestamp = cursor.match(TOKEN);
    if (timestamp !== undefined && !/^[+-]?\d+$/.test(timestamp)) {
      throw new Error(`the timestamp must be whole milliseconds, got ${quote(timestamp)}`);
    }
    cursor.skip();
    if (!cursor.atEnd) throw new Error(`nothing may follow the timestamp, got ${cursor.rest}`);
    const key = `${name}${JSON.stringify(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)))}`;
    if (this.series.has(key)) throw new Error(`${name} comes twice with the same labels`);
    this.series.add(key);
    this.sampled.add(name);
    this.samples.push({ name, labels, value });
  }
}

function readLabels(cursor: Cursor): Record<string, string> {
  const labels: Record<string, string> = {};
  for (;;) {
    cursor.skip();
    if (cursor.take('}')) return labels;
    const name = cursor.match(LABEL_NAME);
    if (name === undefined) throw new Error(`must be the name of a label or }, got ${cursor.rest}`);
    cursor.skip();
    if (!cursor.take('=')) throw new Error(`= must follow the label ${name}, got ${cursor.rest}`);
    cursor.skip();
    const value = cursor.match(LABEL_VALUE);
    if (value === undefined) throw new Error(`the value of the label ${name} must be in quotes, got ${cursor.rest}`);
    if (Object.hasOwn(labels, name)) throw new Error(`the label ${name} comes twice`);
    Object.defineProperty(labels, name, { value: unescape(value.slice(1, -1)), enumerable: true });
    cursor.skip();
    if (!cursor.take(',') && !cursor.ahead('}'))
      throw new Error(`, or } must follow the label ${name}, got ${cursor.rest}`);
  }
}

const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\', '"': '"', n: '\n' };

function unescape(value: string): string {
  return value.replace(/\\(.)/g, (_whole, letter: string) => {
    const character = ESCAPES[letter];
    if (character === undefined) throw new Error(`\\${letter} is no escape; allowed are \\\\, \\" and \\n`);
    return character;
  });
}

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
const INFINITY = /^([+-]?)inf(inity)?$/i;

function readValue(cursor: Cursor): number {
  const text = cursor.match(TOKEN);
  if (text === undefined) throw new Error('has no value');
  if (NUMBER.test(text)) return Number(text);
  if (/^nan$/i.test(text)) return NaN;
  const infinity = INFINITY.exec(text);
  if (!infinity) throw new Error(`the value must be a number, got ${quote(text)}`);
  return infinity[1] === '-' ? -Infinity : Infinity;
}

/** Reads a line from left to right. */
class Cursor {
  position = 0;

  constructor(private readonly line: string) {}

  get atEnd(): boolean {
    return this.position >= this.line.length;
  }

  get remaining(): string {
    return this.line.slice(this.position);
  }

  /** What is left, for a message. */
  get rest(): string {
    return this.atEnd ? 'the end of the line' : quote(this.remaining);
  }

  skip(): void {
    this.match(BLANK);
  }

  ahead(character: string): boolean {
    return this.line[this.position] === character;
  }

  take(character: string): boolean {
    const taken = this.ahead(character);
    if (taken) this.position += 1;
    return taken;
  }

  /** The text that a sticky expression matches here, or undefined where it does not. */
  match(expression: RegExp): string | undefined {
    expression.lastIndex = this.position;
    const text = expression.exec(this.line)?.[0];
    this.position += text?.length ?? 0;
    return text;
  }
}
