import { DAY, MINUTE, toRfc3339 } from '@device-metrics/domain';
import { jsonNumber } from './pieces.js';

/** Bytes that a number or a time takes at most. */
const LONGEST = 32;
/** Numbers with so many digits behind the point, or fewer, are written as two integers. */
const FRACTION_DIGITS = 6;
const FRACTION = 10 ** FRACTION_DIGITS;
/** Numbers below it have at most 15 digits with those behind the point: no shorter text stands for the same double. */
const BILLION = 1e9;
const MOST_INTEGER = 1e15;

const [ZERO, MINUS, POINT, COLON, END_OF_TIME] = [0x30, 0x2d, 0x2e, 0x3a, 0x5a];

/**
 * Makes text out of numbers and times byte by byte: a string for each of them takes longer to put together, and to clear away,
 * than its digits.
 */
export class ByteText {
  private bytes = Buffer.allocUnsafe(1 << 14);
  private length = 0;
  private day = NaN;
  /** Of that day, up to the `T`. */
  private date = Buffer.alloc(0);

  /** Adds ASCII. */
  ascii(text: string): void {
    this.reserve(text.length);
    const { bytes } = this;
    let at = this.length;
    for (let index = 0; index < text.length; index += 1) bytes[at++] = text.charCodeAt(index);
    this.length = at;
  }

  /** Adds a number as `jsonNumber` has it. */
  number(value: number | null | undefined): void {
    if (!this.isDecimal(value)) this.ascii(jsonNumber(value));
  }

  /** Adds a time, Unix ms, as `toRfc3339` has it. */
  time(time: number): void {
    const day = Math.floor(time / DAY);
    if (day !== this.day) {
      this.day = day;
      this.date = Buffer.from(toRfc3339(day * DAY).slice(0, -'00:00:00.000Z'.length));
    }
    this.reserve(LONGEST);
    const { bytes, date } = this;
    let at = this.length;
    for (let index = 0; index < date.length; index += 1) bytes[at++] = date[index] as number;
    const ofDay = (time - day * DAY) | 0;
    const minutes = (ofDay / MINUTE) | 0;
    const hour = (minutes / 60) | 0;
    const ofMinute = ofDay - minutes * MINUTE;
    const second = (ofMinute / 1000) | 0;
    at = putDigits(bytes, at, hour, 2, COLON);
    at = putDigits(bytes, at, minutes - hour * 60, 2, COLON);
    at = putDigits(bytes, at, second, 2, POINT);
    this.length = putDigits(bytes, at, ofMinute - second * 1000, 3, END_OF_TIME);
  }

  /** All that was added; it begins anew. */
  take(): string {
    const text = this.bytes.toString('latin1', 0, this.length);
    this.length = 0;
    return text;
  }

  /** Adds an integer, or a decimal of few digits; false, and nothing, for what is neither. */
  private isDecimal(value: number | null | undefined): value is number {
    if (value === null || value === undefined || Object.is(value, -0)) return false;
    const size = Math.abs(value);
    // NaN is below nothing.
    if (!(size < MOST_INTEGER)) return false;
    const whole = Math.floor(size);
    let fraction = 0;
    if (whole !== size) {
      const scaled = Math.round(size * FRACTION);
      if (size >= BILLION || scaled / FRACTION !== size) return false;
      fraction = scaled - whole * FRACTION;
    }
    this.reserve(LONGEST);
    if (value < 0) this.byte(MINUS);
    this.integer(whole);
    if (fraction > 0) this.fraction(fraction);
    return true;
  }

  private integer(value: number): void {
    const billions = Math.floor(value / BILLION);
    if (billions > 0) this.digits(billions, widthOf(billions));
    const rest = value - billions * BILLION;
    this.digits(rest, billions > 0 ? 9 : widthOf(rest));
  }

  /** Adds a point, and the digits behind it up to the last that is not 0. */
  private fraction(fraction: number): void {
    let [digits, width] = [fraction | 0, FRACTION_DIGITS];
    for (; digits % 10 === 0; width -= 1) digits = (digits / 10) | 0;
    this.byte(POINT);
    this.digits(digits, width);
  }

  private digits(value: number, width: number): void {
    putDigits(this.bytes, this.length, value, width);
    this.length += width;
  }

  private byte(byte: number): void {
    this.bytes[this.length++] = byte;
  }

  private reserve(count: number): void {
    const { bytes, length } = this;
    if (length + count <= bytes.length) return;
    this.bytes = Buffer.allocUnsafe(2 * bytes.length + count);
    bytes.copy(this.bytes, 0, 0, length);
  }
}

/** Puts an integer below a billion, in so many digits, and what stands behind it; gives the place behind that. */
function putDigits(bytes: Buffer, at: number, value: number, width: number, behind = 0): number {
  const end = at + width;
  let rest = value | 0;
  for (let place = end - 1; place >= at; place -= 1) {
    const tenth = (rest / 10) | 0;
    bytes[place] = ZERO + rest - tenth * 10;
    rest = tenth;
  }
  bytes[end] = behind;
  return end + 1;
}

/** Digits of an integer. */
function widthOf(value: number): number {
  let width = 1;
  for (let power = 10; power <= value; power *= 10) width += 1;
  return width;
}
