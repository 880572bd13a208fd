import { parseTime } from '@device-metrics/contract';
import { DecimalReader, EXACT_DIGITS, isAt } from '@device-metrics/formats';

const code = (letter: string): number => letter.charCodeAt(0);
const QUOTE = code('"');
const BACKSLASH = code('\\');
export const COMMA = code(',');
export const COLON = code(':');
export const OPEN_OBJECT = code('{');
export const CLOSE_OBJECT = code('}');
export const OPEN_ARRAY = code('[');
export const CLOSE_ARRAY = code(']');
const MINUS = code('-');
const DOT = code('.');
const ZERO = code('0');
const NINE = code('9');
const BLANK = code(' ');
const [FEED, RETURN, TAB] = [code('\n'), code('\r'), code('\t')];
const [EXPONENT, CAPITAL_EXPONENT] = [code('e'), code('E')];

const isDigit = (byte: number): boolean => byte >= ZERO && byte <= NINE;
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/**
 * Walks through JSON in UTF-8, from its bytes. Methods that read a part answer false where it is not as usual: what they take is
 * JSON, but not all JSON is taken.
 */
export class JsonCursor {
  protected readonly view: DataView;
  protected at = 0;
  /** As `readNumber` and `readTime` have left it. */
  protected number = 0;
  /** As `readString` has left them. */
  protected textStart = 0;
  protected textEnd = 0;
  private readonly decimal = new DecimalReader();
  private lastTime = '';
  private lastTimeMeans: number | undefined;

  constructor(protected readonly bytes: Buffer) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  /** A string without escapes; afterwards `textStart` and `textEnd` say where it is, without its quotes. */
  protected readString(): boolean {
    this.skipBlanks();
    const { bytes } = this;
    let at = this.at;
    if (bytes[at] !== QUOTE) return false;
    at += 1;
    this.textStart = at;
    for (; at < bytes.length; at += 1) {
      const byte = bytes[at] as number;
      if (byte === QUOTE) {
        this.textEnd = at;
        this.at = at + 1;
        return true;
      }
      if (byte === BACKSLASH || byte < BLANK) return false;
    }
    return false;
  }

  protected isText(text: Uint8Array): boolean {
    return isAt(text, this.bytes, this.textStart, this.textEnd);
  }

  /** A time as a number, or as a text that means one. */
  protected readTime(): boolean {
    this.skipBlanks();
    if (this.bytes[this.at] !== QUOTE) return this.readNumber();
    if (!this.readString()) return false;
    const text = this.bytes.toString('latin1', this.textStart, this.textEnd);
    if (text !== this.lastTime) {
      this.lastTime = text;
      this.lastTimeMeans = parseTime(text);
    }
    if (this.lastTimeMeans === undefined) return false;
    this.number = this.lastTimeMeans;
    return true;
  }

  protected readNumber(): boolean {
    const { bytes, decimal } = this;
    if ((bytes[this.at] as number) <= BLANK) this.skipBlanks();
    const isNegative = bytes[this.at] === MINUS;
    const start = isNegative ? this.at + 1 : this.at;
    const first = bytes[start] as number;
    if (!isDigit(first) || (first === ZERO && isDigit(bytes[start + 1] as number))) return false;
    const end = decimal.read(bytes, start);
    if (bytes[end - 1] === DOT) return false;
    const next = bytes[end];
    if (next === EXPONENT || next === CAPITAL_EXPONENT || decimal.digits > EXACT_DIGITS) {
      return this.readUnusual(this.at, end);
    }
    this.at = end;
    this.number = isNegative ? -decimal.value : decimal.value;
    return true;
  }

  /** A number that is no short decimal, whose beginning has been read. */
  private readUnusual(start: number, from: number): boolean {
    const { bytes } = this;
    let end = from;
    for (let byte = bytes[end] as number; end < bytes.length; byte = bytes[++end] as number) {
      if (byte === COMMA || byte === CLOSE_OBJECT || byte === CLOSE_ARRAY || byte <= BLANK) break;
    }
    const text = bytes.toString('latin1', start, end);
    if (!NUMBER.test(text)) return false;
    this.at = end;
    this.number = Number(text);
    return true;
  }

  protected take(wanted: number): boolean {
    if (this.bytes[this.at] !== wanted) {
      this.skipBlanks();
      if (this.bytes[this.at] !== wanted) return false;
    }
    this.at += 1;
    return true;
  }

  protected takeColon(): boolean {
    return this.take(COLON);
  }

  protected isAtEnd(): boolean {
    this.skipBlanks();
    return this.at === this.bytes.length;
  }

  protected skipBlanks(): void {
    const { bytes } = this;
    let byte = bytes[this.at];
    while (byte === BLANK || byte === FEED || byte === RETURN || byte === TAB) byte = bytes[++this.at];
  }
}
