import { MAX_VARINT, putVarint, unzigzag, zigzag, type ByteReader, type ByteWriter } from './bytes.js';

/**
 * Columns of doubles, every bit of which survives. Most readings are decimals of a few digits (21.5 °C, 0.37 of a CPU) or
 * counters; as scaled integers they are small or change little. The first byte says how the others are to be read: the
 * form in its low 3 bits, the decimal digits above them.
 */
const enum Form {
  /** All values have the same bits: one double. */
  Constant = 0,
  /** Scaled integers: the smallest, then each one's distance from it. */
  Plain = 1,
  /** Scaled integers: the first, then the differences. */
  Delta = 2,
  /** Scaled integers: the first, the first difference, then the differences of the differences. */
  DeltaOfDelta = 3,
  /** Doubles: each XOR its predecessor, all highest bytes first, then all second ones … */
  Xor = 4,
}

/** The number of digits when values are not decimals of at most 6. */
export const NOT_DECIMAL = -1;

const MAX_DIGITS = 6;
const POWERS = [1, 10, 100, 1e3, 1e4, 1e5, 1e6];

/** Scaled integers stay below this, so that twice the difference of two differences is a safe integer. */
const MAX_SCALED = 2 ** 50;

/** Writes a column of at least one value, from one index to before another, and gives its decimal digits, or NOT_DECIMAL. */
export function writeValues(writer: ByteWriter, values: Float64Array, from = 0, to = values.length): number {
  if (isConstant(values, from, to)) {
    writer.byte(Form.Constant);
    writer.float64(values[from]);
    return digitsOf(values[from], 0);
  }
  const digits = scale(values, from, to);
  if (digits === NOT_DECIMAL) {
    writer.byte(Form.Xor);
    writeXor(writer, values.subarray(from, to));
    return NOT_DECIMAL;
  }
  const count = to - from;
  const form = cheapestForm(integers, count);
  writer.byte(form | (digits << 3));
  writer.reserve((count + 1) * MAX_VARINT);
  if (form === Form.Plain) writePlain(writer, integers, count);
  else if (form === Form.Delta) writeDelta(writer, integers, count);
  else writeDeltaOfDelta(writer, integers, count);
  return digits;
}

/** Reads a column of `count` values. */
export function readValues(reader: ByteReader, count: number): Float64Array {
  const values = new Float64Array(count);
  readValuesInto(reader, values, 0, count);
  return values;
}

/** The same into memory that has room for them from index `from` on. */
export function readValuesInto(reader: ByteReader, values: Float64Array, from: number, count: number): void {
  const head = reader.byte();
  const form = (head & 7) as Form;
  const end = from + count;
  if (form === Form.Constant) values.fill(reader.float64(), from, end);
  else if (form === Form.Xor) readXor(reader, values, from, count);
  else if (form === Form.Plain) readPlain(reader, values, from, end);
  else if (form === Form.Delta) readDelta(reader, values, from, end);
  else if (form === Form.DeltaOfDelta) readDeltaOfDelta(reader, values, from, end);
  else throw new RangeError(`unknown form of values: ${head & 7}`);
  const power = form === Form.Constant || form === Form.Xor ? 1 : powerOf(head >> 3);
  if (power !== 1) for (let index = from; index < end; index += 1) values[index] /= power;
}

/** 10 to the power of `digits`. */
export function powerOf(digits: number): number {
  const power = POWERS[digits];
  if (power === undefined) throw new RangeError(`decimals of ${digits} digits`);
  return power;
}

/**
 * `value` times 10 to the power of `digits` if that is an integer from which the exact bits of `value` come back, else
 * undefined.
 */
export function scaledOf(value: number, digits: number): number | undefined {
  const power = powerOf(digits);
  const scaled = Math.round(value * power);
  const exact = scaled / power === value && Math.abs(scaled) < MAX_SCALED && !isNegativeZero(value);
  return exact ? scaled : undefined;
}

const isNegativeZero = (value: number): boolean => value === 0 && 1 / value < 0;

/** How many decimal digits tell a value, at least so many; NOT_DECIMAL where MAX_DIGITS do not. */
function digitsOf(value: number, least: number): number {
  for (let digits = least; digits <= MAX_DIGITS; digits += 1) {
    const power = POWERS[digits];
    if (Math.round(value * power) / power === value) return digits;
  }
  return NOT_DECIMAL;
}

/** The values of the column that is being written as scaled integers. */
let integers = new Float64Array(1024);

/**
 * Makes the values integers, scaled by at least so many decimal digits and as few as tell all of them, which it gives; NOT_DECIMAL if
 * one of them would not be exact.
 */
function scale(values: Float64Array, from: number, to: number, digits = 0): number {
  if (integers.length < to - from) integers = new Float64Array(to - from);
  const power = POWERS[digits];
  for (let index = from; index < to; index += 1) {
    const value = values[index];
    const integer = Math.round(value * power);
    if (integer / power !== value) {
      const more = digitsOf(value, digits + 1);
      return more === NOT_DECIMAL ? NOT_DECIMAL : scale(values, from, to, more);
    }
    if (integer >= MAX_SCALED || integer <= -MAX_SCALED || (integer === 0 && isNegativeZero(value))) return NOT_DECIMAL;
    integers[index - from] = integer;
  }
  return digits;
}

function isConstant(values: Float64Array, from: number, to: number): boolean {
  const first = values[from];
  for (let index = from + 1; index < to; index += 1) if (values[index] !== first) return false;
  // Of equal doubles only the zeros differ in their bits.
  return first !== 0 || values.subarray(from, to).every((value) => Object.is(value, first));
}

/** The form whose integers have the fewest bits, which is what deflate makes of them in the end. */
function cheapestForm(scaled: Float64Array, count: number): Form {
  let min = scaled[0];
  for (let index = 1; index < count; index += 1) if (scaled[index] < min) min = scaled[index];
  let plain = bitsOf(scaled[0] - min);
  let delta = 0;
  let deltaOfDelta = 0;
  let lastDelta = 0;
  for (let index = 1; index < count; index += 1) {
    const difference = scaled[index] - scaled[index - 1];
    plain += bitsOf(scaled[index] - min);
    delta += bitsOf(zigzag(difference));
    deltaOfDelta += bitsOf(zigzag(difference - lastDelta));
    lastDelta = difference;
  }
  if (plain < delta && plain < deltaOfDelta) return Form.Plain;
  return delta <= deltaOfDelta ? Form.Delta : Form.DeltaOfDelta;
}

function bitsOf(value: number): number {
  return value < 2 ** 32 ? 32 - Math.clz32(value) : 64 - Math.clz32(value / 2 ** 32);
}

function writePlain(writer: ByteWriter, scaled: Float64Array, count: number): void {
  let min = scaled[0];
  for (let index = 1; index < count; index += 1) if (scaled[index] < min) min = scaled[index];
  const { bytes } = writer;
  let at = putVarint(bytes, writer.length, zigzag(min));
  for (let index = 0; index < count; index += 1) at = putVarint(bytes, at, scaled[index] - min);
  writer.length = at;
}

function readPlain(reader: ByteReader, values: Float64Array, from: number, end: number): void {
  const min = reader.signed();
  for (let index = from; index < end; index += 1) values[index] = min + reader.varint();
}

function writeDelta(writer: ByteWriter, scaled: Float64Array, count: number): void {
  const { bytes } = writer;
  let at = writer.length;
  let before = 0;
  for (let index = 0; index < count; index += 1) {
    at = putVarint(bytes, at, zigzag(scaled[index] - before));
    before = scaled[index];
  }
  writer.length = at;
}

function readDelta(reader: ByteReader, values: Float64Array, from: number, end: number): void {
  let value = 0;
  for (let index = from; index < end; index += 1) {
    value += unzigzag(reader.varint());
    values[index] = value;
  }
}

function writeDeltaOfDelta(writer: ByteWriter, scaled: Float64Array, count: number): void {
  const { bytes } = writer;
  let at = putVarint(bytes, writer.length, zigzag(scaled[0]));
  let before = scaled[0];
  let lastDelta = 0;
  for (let index = 1; index < count; index += 1) {
    const delta = scaled[index] - before;
    at = putVarint(bytes, at, zigzag(delta - lastDelta));
    before = scaled[index];
    lastDelta = delta;
  }
  writer.length = at;
}

function readDeltaOfDelta(reader: ByteReader, values: Float64Array, from: number, end: number): void {
  let value = reader.signed();
  let delta = 0;
  values[from] = value;
  for (let index = from + 1; index < end; index += 1) {
    delta += unzigzag(reader.varint());
    value += delta;
    values[index] = value;
  }
}

function writeXor(writer: ByteWriter, values: Float64Array): void {
  const count = values.length;
  const halves = new Uint32Array(values.buffer, values.byteOffset, 2 * count);
  writer.reserve(8 * count);
  const { bytes, length: start } = writer;
  let low = 0;
  let high = 0;
  for (let index = 0; index < count; index += 1) {
    const lowXor = halves[2 * index] ^ low;
    const highXor = halves[2 * index + 1] ^ high;
    low = halves[2 * index];
    high = halves[2 * index + 1];
    let at = start + index;
    for (let shift = 24; shift >= 0; shift -= 8, at += count) bytes[at] = highXor >>> shift;
    for (let shift = 24; shift >= 0; shift -= 8, at += count) bytes[at] = lowXor >>> shift;
  }
  writer.length = start + 8 * count;
}

function readXor(reader: ByteReader, values: Float64Array, from: number, count: number): void {
  const halves = new Uint32Array(values.buffer, values.byteOffset + 8 * from, 2 * count);
  const start = reader.skip(8 * count);
  const { bytes } = reader;
  let low = 0;
  let high = 0;
  for (let index = 0; index < count; index += 1) {
    let at = start + index;
    let highXor = 0;
    let lowXor = 0;
    for (let byte = 0; byte < 4; byte += 1, at += count) highXor = (highXor << 8) | bytes[at];
    for (let byte = 0; byte < 4; byte += 1, at += count) lowXor = (lowXor << 8) | bytes[at];
    low ^= lowXor;
    high ^= highXor;
    halves[2 * index] = low;
    halves[2 * index + 1] = high;
  }
}
