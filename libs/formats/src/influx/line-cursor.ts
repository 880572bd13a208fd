import { DecimalReader, EXACT_DIGITS } from '../decimal.js';
import { numberOf, timeOf, type SaidPrecision } from './line-protocol.js';

/**
 * Bytes of measurement and tags of a line, of the name of a field, and of a value that is no text. A wrong line of more is not
 * searched for what is wrong.
 */
export const MAX_LOOKED_AT = 64 * 1024;

/** Bytes of the value of a field that are read as a number: more than any has. */
export const LONGEST_VALUE = 4 * 1024;

/** Digits of a timestamp: more than 64 bits have. */
const LONGEST_TIME = 19;

const code = (letter: string): number => letter.charCodeAt(0);
export const FEED = code('\n');
const RETURN = code('\r');
export const BLANK = code(' ');
const TAB = code('\t');
export const QUOTE = code('"');
export const HASH = code('#');
export const COMMA = code(',');
const MINUS = code('-');
const ZERO = code('0');
const NINE = code('9');
export const EQUALS = code('=');
export const BACKSLASH = code('\\');
const INTEGER = code('i');
const UNSIGNED = code('u');
/** No byte. */
export const NONE = -1;

/** Digits of a timestamp that are less than a millisecond, or what one of it is in milliseconds. */
const TIME_UNITS: Readonly<Record<SaidPrecision, { readonly cut: number; readonly factor: number }>> = {
  ns: { cut: 6, factor: 1 },
  us: { cut: 3, factor: 1 },
  ms: { cut: 0, factor: 1 },
  s: { cut: 0, factor: 1_000 },
  m: { cut: 0, factor: 60_000 },
  h: { cut: 0, factor: 3_600_000 },
  // None is read digit by digit.
  auto: { cut: LONGEST_TIME, factor: 1 },
};

const isEscaped = (byte: number | undefined): boolean => byte === COMMA || byte === EQUALS || byte === BLANK;

/** Walks through lines from their bytes, which end with a line feed: numbers, times, and where a part ends. */
export class LineCursor {
  protected readonly view: DataView;
  protected at = 0;
  /** As `decimalAt` and `numberAt` have left it. */
  protected number = 0;
  private readonly decimal = new DecimalReader();
  private readonly cut: number;
  private readonly factor: number;

  constructor(
    protected readonly bytes: Uint8Array,
    private readonly precision: SaidPrecision,
  ) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    ({ cut: this.cut, factor: this.factor } = TIME_UNITS[precision]);
  }

  /** Reads a value that is a short decimal into `number`, and gives where it ends; -1 where it is another. */
  protected decimalAt(at: number): number {
    const { bytes, decimal } = this;
    const isNegative = bytes[at] === MINUS;
    const start = isNegative ? at + 1 : at;
    let end = decimal.read(bytes, start);
    let byte = bytes[end];
    const { digits } = decimal;
    const isWhole = end === start + digits;
    if (isWhole && (byte === INTEGER || (byte === UNSIGNED && !isNegative))) byte = bytes[++end];
    const isOver = byte === COMMA || byte === BLANK || byte === FEED || (byte === RETURN && bytes[end + 1] === FEED);
    if (!isOver || digits === 0 || digits > EXACT_DIGITS) return -1;
    this.number = isNegative ? -decimal.value : decimal.value;
    return end;
  }

  /** The same of any number; -1 also where none stands. */
  protected numberAt(at: number): number {
    const end = this.decimalAt(at);
    return end < 0 && this.bytes[at] !== QUOTE ? this.otherAt(at) : end;
  }

  private otherAt(start: number): number {
    const end = this.endOfPart(start, COMMA, COMMA);
    if (end === start || end - start > LONGEST_VALUE) return -1;
    try {
      this.number = numberOf(this.textTo(start, end));
      return end;
    } catch {
      return -1;
    }
  }

  /** The time that comes, Unix ms; undefined where none does, and nothing is read. */
  protected readTimestamp(): number | undefined {
    const { bytes, cut } = this;
    const start = this.at;
    let at = start;
    let byte = bytes[at] as number;
    while (byte >= ZERO && byte <= NINE && at - start <= LONGEST_TIME) byte = bytes[++at] as number;
    const kept = at - start - cut;
    if (
      kept <= 0 ||
      kept > EXACT_DIGITS ||
      at - start > LONGEST_TIME ||
      (byte !== FEED && byte !== BLANK && byte !== RETURN)
    ) {
      return this.unusualTimestamp();
    }
    let number = 0;
    for (let digit = start; digit < start + kept; digit += 1) number = number * 10 + ((bytes[digit] as number) - ZERO);
    this.at = at;
    return number * this.factor;
  }

  private unusualTimestamp(): number | undefined {
    const end = this.timeEnd();
    if (end - this.at > LONGEST_VALUE) return undefined;
    try {
      const time = timeOf(this.textTo(this.at, end), this.precision);
      this.at = end;
      return time;
    } catch {
      return undefined;
    }
  }

  private timeEnd(): number {
    const { bytes } = this;
    const most = this.at + LONGEST_VALUE;
    let at = this.at;
    while (at <= most && bytes[at] !== BLANK && bytes[at] !== FEED) at += 1;
    return bytes[at] === FEED && bytes[at - 1] === RETURN ? at - 1 : at;
  }

  /**
   * Where a name or a value ends: at a blank, at one of two others that are not escaped, or where the line does. Of what has more
   * than MAX_LOOKED_AT bytes it is not searched for, and some place behind these is given.
   */
  protected endOfPart(start: number, separator: number, other: number): number {
    const { bytes } = this;
    const most = start + MAX_LOOKED_AT;
    for (let at = start; ; at += 1) {
      if (at > most) return at;
      const byte = bytes[at];
      if (byte === FEED) return at > start && bytes[at - 1] === RETURN ? at - 1 : at;
      if (byte === BLANK || byte === separator || byte === other) return at;
      if (byte === BACKSLASH && isEscaped(bytes[at + 1])) at += 1;
    }
  }

  protected skipBlanks(): void {
    const { bytes } = this;
    while (bytes[this.at] === BLANK || bytes[this.at] === TAB) this.at += 1;
  }

  /** Whether the line is over here, but for a carriage return. */
  protected isAtEnd(): boolean {
    const byte = this.bytes[this.at];
    return byte === FEED || (byte === RETURN && this.bytes[this.at + 1] === FEED);
  }

  /** Where the first line feed stands from there on. */
  protected feedFrom(at: number): number {
    return this.bytes.indexOf(FEED, Math.min(at, this.bytes.length - 1));
  }

  protected textTo(start: number, end: number): string {
    const { buffer, byteOffset } = this.bytes;
    return Buffer.from(buffer, byteOffset + start, end - start).toString('utf8');
  }
}
