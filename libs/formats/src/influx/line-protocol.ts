import { parseDecimal, quote, type Labels } from '@device-metrics/domain';
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
  readonly precision?: Precision | undefined;
}

/** What a timestamp counts. */
export const PRECISIONS = ['ns', 'us', 'ms', 's'] as const;
export type Precision = (typeof PRECISIONS)[number];
const PER_MILLISECOND: Readonly<Record<Precision, bigint>> = { ns: 1_000_000n, us: 1_000n, ms: 1n, s: 0n };

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

  /** What is left of the line. */
  get rest(): string {
    const end = this.text.indexOf('\n', this.at);
    return this.text.slice(this.at, end < 0 ? undefined : end).replace(/\r$/, '');
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
      if (letter === '\\') {
        this.at += 1;
        if (this.isAtEnd) break;
      }
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
    QUOTED.lastIndex = this.at;
    if (!QUOTED.test(this.text)) return false;
    this.at = QUOTED.lastIndex;
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

const QUOTED = /"(?:[^"\\]|\\[^])*"/y;

function parseLine(scanner: Scanner, options: LineProtocolOptions, number: number): Field[] {
  scanner.blanks();
  if (scanner.isAtEnd || scanner.ahead('#')) return [];
  const line = scanner.rest;
  const measurement = plain(scanner.part(', '));
  if (measurement === '') throw new Error(`must begin with a measurement, got ${quote(line)}`);
  const tags: [string, string][] = [];
  while (scanner.take(',')) tags.push(readTag(scanner));
  scanner.blanks();
  if (scanner.isAtEnd) {
    throw new Error(`must be a measurement and fields, as in cpu,host=a usage=0.5, got ${quote(line)}`);
  }
  const texts: { field: string; text: string }[] = [];
  do for (const text of readField(scanner)) texts.push(text);
  while (scanner.take(','));
  scanner.blanks();
  const timestamp = readTimestamp(scanner, options.precision ?? 'ns');
  const labels = Object.fromEntries(tags);
  const time = options.timestamps && timestamp !== undefined ? { timestamp } : {};
  const fields: Field[] = [];
  for (const { field, text } of texts) {
    const add = (): unknown => fields.push({ measurement, field, tags: labels, value: numberOf(text), ...time });
    // Of a bad field the others of the line are read all the same.
    if (options.reject) readLine(number, add, options.reject);
    else add();
  }
  return fields;
}

function readTag(scanner: Scanner): [name: string, value: string] {
  const before = scanner.rest;
  const name = scanner.part('=, ');
  const value = scanner.take('=') ? scanner.part(', ') : '';
  if (name === '' || value === '') throw mustBePair('tag', before);
  return [plain(name), plain(value)];
}

/** None for a field that is a text. */
function readField(scanner: Scanner): { field: string; text: string }[] {
  const before = scanner.rest;
  const field = scanner.part('=, ');
  if (field === '' || !scanner.take('=')) throw mustBePair('field', before);
  if (scanner.ahead('"')) {
    if (!scanner.skipQuoted()) throw new Error('a quote is not closed');
    if (!scanner.isAtEnd && !scanner.ahead(',') && !scanner.ahead(' ')) throw mustBePair('field', before);
    return [];
  }
  const text = scanner.part(', ');
  if (text === '') throw mustBePair('field', before);
  return [{ field: plain(field), text }];
}

const mustBePair = (what: string, got: string): Error =>
  new Error(`a ${what} must be a name and a value, as in a=1, got ${quote(got)}`);

function readTimestamp(scanner: Scanner, precision: Precision): number | undefined {
  if (scanner.isAtEnd) return undefined;
  const text = scanner.part(' ');
  if (!/^-?\d{1,19}$/.test(text)) throw new Error(`the timestamp must be a whole number, got ${quote(text)}`);
  scanner.blanks();
  if (!scanner.isAtEnd) throw new Error(`nothing may follow the timestamp, got ${quote(scanner.rest)}`);
  return precision === 's' ? Number(text) * 1000 : Number(BigInt(text) / PER_MILLISECOND[precision]);
}

const plain = (text: string): string => text.replace(/\\([,= \\])/g, '$1');

function numberOf(text: string): number {
  if (/^(t|true)$/i.test(text)) return 1;
  if (/^(f|false)$/i.test(text)) return 0;
  const value = /^[+-]?\d+[iu]$/.test(text) ? Number(text.slice(0, -1)) : parseDecimal(text);
  if (value === undefined) throw new Error(`the value of a field must be a number, got ${quote(text)}`);
  return value;
}
