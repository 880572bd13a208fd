import { parseDecimal, quote, reasonOf, type Labels } from '@device-metrics/domain';
import { LineError, readLine, type ParseOptions } from '../lines.js';

/** One field of a line that is a number. */
export interface Field {
  readonly measurement: string;
  readonly field: string;
  readonly tags: Labels;
  readonly value: number;
  /** Unix ms; absent where the line says none, or nobody asked. */
  readonly timestamp?: number;
}

export interface LineProtocolOptions extends ParseOptions {
  /** What a timestamp counts; nanoseconds where nobody says. */
  readonly precision?: SaidPrecision | undefined;
}

/** What a timestamp counts. */
export const PRECISIONS = ['ns', 'us', 'ms', 's', 'm', 'h'] as const;
export type Precision = (typeof PRECISIONS)[number];
/** What each timestamp counts, which its size may have to tell. */
export type SaidPrecision = Precision | 'auto';

/** How many of it are a millisecond, or how many milliseconds it is. */
const PRECISION_SIZES: Readonly<
  Record<Precision, { readonly perMillisecond?: bigint; readonly milliseconds?: number }>
> = {
  ns: { perMillisecond: 1_000_000n },
  us: { perMillisecond: 1_000n },
  ms: { perMillisecond: 1n },
  s: { milliseconds: 1_000 },
  m: { milliseconds: 60_000 },
  h: { milliseconds: 3_600_000 },
};

/**
 * The numbers of a text in Influx line protocol: `cpu,host=a usage=0.5,ok=true 1700000000000000000`. Truth values are 1 and 0;
 * texts are left out.
 *
 * A backslash stands before a comma, a blank or an equals sign that is part of a name or a tag, and before itself; anywhere
 * else it is just a backslash. Quotes are special around the text of a field only, which may have line feeds.
 *
 * @throws LineError at the first line that is wrong, with its number, unless `options.reject` takes it.
 */
export function parseLineProtocol(text: string, options: LineProtocolOptions = {}): Field[] {
  const fields: Field[] = [];
  const scanner = new Scanner(text);
  for (let number = 1; !scanner.isDone;) {
    const start = scanner.at;
    readLine(
      number,
      () => {
        for (const field of parseLine(scanner, options, number)) fields.push(field);
      },
      (part, reason) => {
        // The text of a field may have taken lines with it that are good by themselves.
        scanner.at = start;
        if (!options.reject) throw new LineError(`${part}: ${reason}`);
        options.reject(part, reason);
      },
    );
    number += scanner.endLine(start);
  }
  return fields;
}

/** What is wrong with the first line of a text; undefined where nothing is. */
export function faultOfLine(text: string): string | undefined {
  try {
    parseLine(new Scanner(text), {}, 1);
    return undefined;
  } catch (error) {
    return reasonOf(error);
  }
}

/**
 * The names that a line begins with, as in `cpu,host=a`.
 *
 * @throws Error where it says something else.
 */
export function readPrefix(text: string): { readonly measurement: string; readonly tags: Labels } {
  return prefixOf(new Scanner(`${text} `));
}

/** Goes through the text from left to right; at the end of a line there is nothing. */
class Scanner {
  at = 0;

  constructor(private readonly text: string) {}

  get isDone(): boolean {
    return this.at >= this.text.length;
  }

  /** Whether the line is over here, but for a carriage return. */
  get isAtEnd(): boolean {
    const letter = this.text[this.at];
    if (letter === '\r') return this.at + 1 >= this.text.length || this.text[this.at + 1] === '\n';
    return letter === undefined || letter === '\n';
  }

  /** What is left of the line; from an earlier place in it where that is given. */
  rest(start = this.at): string {
    const end = this.text.indexOf('\n', start);
    return this.text.slice(start, end < 0 ? undefined : end).replace(/\r$/, '');
  }

  blanks(): void {
    while (this.text[this.at] === ' ' || this.text[this.at] === '\t') this.at += 1;
  }

  /** Up to one of the separators that is not escaped, which is left standing. */
  part(separators: string): string {
    const start = this.at;
    for (; !this.isAtEnd; this.at += 1) {
      const letter = this.text[this.at] ?? '';
      if (separators.includes(letter)) break;
      if (letter === '\\' && ESCAPED.includes(this.text[this.at + 1] ?? '\n')) this.at += 1;
    }
    return this.text.slice(start, this.at);
  }

  ahead(letter: string): boolean {
    return this.text[this.at] === letter;
  }

  take(letter: string): boolean {
    const taken = this.ahead(letter);
    if (taken) this.at += 1;
    return taken;
  }

  /** Past the text between two quotes; false where the second one is missing. */
  skipQuoted(): boolean {
    let end = this.at + 1;
    while (end < this.text.length && this.text[end] !== '"') end += this.text[end] === '\\' ? 2 : 1;
    if (end >= this.text.length) return false;
    this.at = end + 1;
    return true;
  }

  /** Goes to the next line, and gives how many lines that are from `start`. */
  endLine(start: number): number {
    const end = this.text.indexOf('\n', this.at);
    this.at = end < 0 ? this.text.length : end + 1;
    let lines = 0;
    for (let feed = this.text.indexOf('\n', start); feed >= 0 && feed < this.at; lines += 1) {
      feed = this.text.indexOf('\n', feed + 1);
    }
    return Math.max(1, lines);
  }
}

function parseLine(scanner: Scanner, options: LineProtocolOptions, number: number): Field[] {
  scanner.blanks();
  if (scanner.isAtEnd || scanner.ahead('#')) return [];
  const start = scanner.at;
  const { measurement, tags } = prefixOf(scanner);
  scanner.blanks();
  if (scanner.isAtEnd) {
    const line = scanner.rest(start);
    throw new Error(`must be a measurement and fields, as in cpu,host=a usage=0.5, got ${quote(line)}`);
  }
  const texts: { field: string; text: string }[] = [];
  do for (const text of readField(scanner)) texts.push(text);
  while (scanner.take(','));
  scanner.blanks();
  const timestamp = readTimestamp(scanner, options.precision ?? 'ns');
  const time = options.timestamps && timestamp !== undefined ? { timestamp } : {};
  const fields: Field[] = [];
  for (const { field, text } of texts) {
    const add = (): unknown => fields.push({ measurement, field, tags, value: valueOf(field, text), ...time });
    // Of a bad field the others of the line are read all the same.
    if (options.reject) readLine(number, add, options.reject);
    else add();
  }
  return fields;
}

function prefixOf(scanner: Scanner): { readonly measurement: string; readonly tags: Labels } {
  const start = scanner.at;
  const measurement = asPlain(scanner.part(', '));
  if (measurement === '') throw new Error(`must begin with a measurement, got ${quote(scanner.rest(start))}`);
  const tags: [string, string][] = [];
  while (scanner.take(',')) tags.push(readTag(scanner));
  const byName = Object.fromEntries(tags);
  if (Object.keys(byName).length < tags.length) throw new Error(`a tag comes twice, got ${quote(scanner.rest(start))}`);
  return { measurement, tags: byName };
}

function readTag(scanner: Scanner): [name: string, value: string] {
  const start = scanner.at;
  const name = scanner.part('=, ');
  const value = scanner.take('=') ? scanner.part(', ') : '';
  if (name === '' || value === '') throw mustBePair('tag', scanner.rest(start));
  return [asPlain(name), asPlain(value)];
}

/** None for a field that is a text. */
function readField(scanner: Scanner): { field: string; text: string }[] {
  const start = scanner.at;
  const mustBeField = (): Error => mustBePair('field', scanner.rest(start));
  const field = scanner.part('=, ');
  if (field === '' || !scanner.take('=')) throw mustBeField();
  if (scanner.ahead('"')) {
    if (!scanner.skipQuoted()) throw new Error('a quote is not closed');
    if (!scanner.isAtEnd && !scanner.ahead(',') && !scanner.ahead(' ')) throw mustBeField();
    return [];
  }
  const text = scanner.part(', ');
  if (text === '') throw mustBeField();
  return [{ field: asPlain(field), text }];
}

const mustBePair = (what: string, got: string): Error =>
  new Error(`a ${what} must be a name and a value, as in a=1, got ${quote(got)}`);

function readTimestamp(scanner: Scanner, precision: SaidPrecision): number | undefined {
  if (scanner.isAtEnd) return undefined;
  const text = scanner.part(' ');
  const time = timeOf(text, precision);
  scanner.blanks();
  if (!scanner.isAtEnd) throw new Error(`nothing may follow the timestamp, got ${quote(scanner.rest())}`);
  return time;
}

/**
 * Unix ms of a timestamp; what is less is cut off.
 *
 * @throws Error where it is none.
 */
export function timeOf(text: string, precision: SaidPrecision): number {
  if (!/^-?\d{1,19}$/.test(text)) throw new Error(`the timestamp must be a whole number, got ${quote(text)}`);
  const { perMillisecond, milliseconds = 1 } = PRECISION_SIZES[precision === 'auto' ? precisionOf(text) : precision];
  return perMillisecond === undefined ? Number(text) * milliseconds : Number(BigInt(text) / perMillisecond);
}

/** What a timestamp counts, by its size: seconds up to the year 2128, as InfluxDB 3 guesses it. */
function precisionOf(text: string): Precision {
  const size = Math.abs(Number(text));
  if (size < 5e9) return 's';
  if (size < 5e12) return 'ms';
  return size < 5e15 ? 'us' : 'ns';
}

/** Letters that a backslash escapes; before any other, and before another backslash, it is a letter itself. */
const ESCAPED = ',= ';

/** A name without what escapes its letters. */
export const asPlain = (text: string): string => text.replace(/\\([,= ])/g, '$1');

/**
 * The number that the value of a field means.
 *
 * @throws Error where it is none, which names the field.
 */
export function valueOf(field: string, text: string): number {
  try {
    return numberOf(text);
  } catch (error) {
    throw new Error(`the field ${quote(field)} ${reasonOf(error)}`, { cause: error });
  }
}

/**
 * The number that a text means.
 *
 * @throws Error where it is none.
 */
export function numberOf(text: string): number {
  if (/^(t|true)$/i.test(text)) return 1;
  if (/^(f|false)$/i.test(text)) return 0;
  const mustBeNumber = (): Error => new Error(`must be a number, got ${quote(text)}`);
  if (text.length > LONG) throw mustBeNumber();
  const integer = /^([+-]?\d+)i$|^\+?(\d+)u$/.exec(text);
  const value = integer ? integerOf(text, integer[1], integer[2]) : parseDecimal(text);
  if (value === undefined) throw mustBeNumber();
  return value;
}

/** Digits that are always 64 bits. */
const SHORT = 18;

/** More letters than any number needs. */
const LONG = 1_000;

/** The double that is nearest. */
function integerOf(text: string, signed: string | undefined, unsigned = ''): number {
  if (text.length > SHORT) {
    const found = BigInt(signed?.replace(/^\+/, '') ?? unsigned);
    const size = signed === undefined ? BigInt.asUintN(64, found) : BigInt.asIntN(64, found);
    if (size !== found) throw new Error(`must be an integer of at most 64 bits, got ${quote(text)}`);
  }
  return Number(text.slice(0, -1));
}
