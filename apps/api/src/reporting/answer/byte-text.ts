import { DAY, MINUTE, toRfc3339 } from '@device-metrics/domain';
import { jsonNumber } from './pieces.js';
import { ShortestFraction } from './shortest-fraction.js';

/** Bytes for which there is room at first. */
const ROOM = 1 << 16;
/** Bytes that a number or a time takes at most. */
const LONGEST = 32;
/** Numbers with so many digits behind the point, or fewer, are written as two integers. */
const FRACTION_DIGITS = 6;
const FRACTION = 10 ** FRACTION_DIGITS;
/** Numbers below it have at most 15 digits with those behind the point: no shorter text stands for the same double. */
const BILLION = 1e9;
const MOST_INTEGER = 1e15;
/** Bytes of a double. */
const DOUBLE = 8;

const [ZERO, MINUS, POINT, COLON, END_OF_TIME] = [0x30, 0x2d, 0x2e, 0x3a, 0x5a];

/**
 * Makes text out of numbers and times byte by byte: a string for each of them takes longer to put together, and to clear away,
 * than its digits.
 */
export class ByteText {
  /** Bytes since the last were taken. */
  length = 0;
  private bytes = Buffer.alloc(0);
  private view = viewOf(this.bytes);
  private readonly shortest = new ShortestFraction();
  private day = NaN;
  /** Of that day, up to the `T`. */
  private date = Buffer.alloc(0);

  /** Adds a text. */
  text(text: string): void {
    this.reserve(3 * text.length);
    this.length += this.bytes.write(text, this.length);
  }

  /** Adds a character of ASCII. */
  byte(byte: number): void {
    this.reserve(1);
    this.bytes[this.length++] = byte;
  }

  /** Adds some bytes of a text of ASCII: as doubles, of which none is NaN, they go eight at a time. */
  copy({ view: source }: ByteText, from: number, to: number): void {
    this.reserve(to - from + DOUBLE);
    const { view, length } = this;
    const last = source.byteLength - DOUBLE;
    let at = from;
    for (; at < to && at <= last; at += DOUBLE) view.setFloat64(length + at - from, source.getFloat64(at));
    for (; at < to; at += 1) view.setUint8(length + at - from, source.getUint8(at));
    this.length = length + to - from;
  }

  /** Adds a number as `jsonNumber` has it. */
  number(value: number | null | undefined): void {
    if (!this.isDecimal(value)) this.text(jsonNumber(value));
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

  /** All that was added; it begins anew, in other memory. */
  take(): Buffer {
    const taken = this.bytes.subarray(0, this.length);
    this.bytes = Buffer.alloc(0);
    this.view = viewOf(this.bytes);
    this.length = 0;
    return taken;
  }

  /** Adds an integer or a decimal that is found without `String`; false, and nothing, for others. */
  private isDecimal(value: number | null | undefined): value is number {
    if (value === null || value === undefined || Object.is(value, -0)) return false;
    const size = Math.abs(value);
    // NaN is below nothing.
    if (!(size < MOST_INTEGER)) return false;
    const whole = Math.floor(size);
    if (whole === size) {
      this.begin(value, whole);
      return true;
    }
    const scaled = Math.round(size * FRACTION);
    if (size < BILLION && scaled / FRACTION === size) {
      this.begin(value, whole);
      this.fraction(scaled - whole * FRACTION);
      return true;
    }
    const { shortest } = this;
    if (!shortest.find(size, whole, whole > 0 ? widthOf(whole) : 0)) return false;
    this.begin(value, whole);
    this.bytes[this.length++] = POINT;
    this.digits(shortest.first, shortest.firstWidth);
    this.digits(shortest.rest, shortest.restWidth);
    return true;
  }

  /** Adds what stands in front of the point. */
  private begin(value: number, whole: number): void {
    this.reserve(LONGEST);
    if (value < 0) this.bytes[this.length++] = MINUS;
    this.integer(whole);
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
    this.bytes[this.length++] = POINT;
    this.digits(digits, width);
  }

  private digits(value: number, width: number): void {
    putDigits(this.bytes, this.length, value, width);
    this.length += width;
  }

  private reserve(count: number): void {
    const { bytes, length } = this;
    if (length + count <= bytes.length) return;
    this.bytes = Buffer.allocUnsafe(Math.max(ROOM, 2 * (length + count)));
    this.view = viewOf(this.bytes);
    bytes.copy(this.bytes, 0, 0, length);
  }
}

const viewOf = ({ buffer, byteOffset, length }: Buffer): DataView => new DataView(buffer, byteOffset, length);

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
