import { putVarint, type ByteReader, type ByteWriter } from './bytes.js';

/** What the values of a packed column are. */
const enum Form {
  Integer = 0,
  Hundredths = 1,
  Millionths = 2,
  /** The 8 bytes of the double follow. */
  Double = 3,
}

const NEGATIVE = 4;
const POWERS = [1, 100, 1e6];

/** Scaled integers stay below this, so that eight times one is a safe integer. */
const MAX_SCALED = 2 ** 48;

/**
 * Writes doubles one by one, in a fraction of the time and with some more bytes than `writeValues`, which looks at all of them
 * before. A varint each: the form in its low 2 bits, the sign, and the scaled integer above. Every bit survives.
 */
export function packValues(writer: ByteWriter, values: Float64Array): void {
  writer.reserve(9 * values.length);
  const { bytes } = writer;
  const doubles = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  let at = writer.length;
  for (let index = 0; index < values.length; index += 1) {
    const value = values[index];
    const size = Math.abs(value);
    let form = Form.Integer;
    let scaled = Math.floor(size);
    if (scaled !== size) {
      form = Form.Hundredths;
      scaled = Math.floor(size * 100 + 0.5);
      if (scaled / 100 !== size) {
        form = Form.Millionths;
        scaled = Math.floor(size * 1e6 + 0.5);
        if (scaled / 1e6 !== size) form = Form.Double;
      }
    }
    if (form === Form.Double || scaled >= MAX_SCALED || (value === 0 && 1 / value < 0)) {
      bytes[at++] = Form.Double;
      for (let from = index * 8; from < index * 8 + 8; from += 1) bytes[at++] = doubles[from];
    } else {
      at = putVarint(bytes, at, scaled * 8 + (value < 0 ? NEGATIVE : 0) + form);
    }
  }
  writer.length = at;
}

/** Reads as many values as there is room for. */
export function unpackValues(reader: ByteReader, values: Float64Array): void {
  const { bytes } = reader;
  const doubles = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let { at } = reader;
  for (let index = 0; index < values.length; index += 1) {
    // Mostly they are of one byte or two.
    let packed = bytes[at++];
    if (packed >= 128) {
      const next = bytes[at++];
      packed = (packed & 127) | (next << 7);
      if (!(next < 128)) {
        reader.at = at - 2;
        packed = reader.varint();
        at = reader.at;
      }
    }
    const form = (packed & 3) as Form;
    if (form === Form.Double) {
      values[index] = doubles.getFloat64(at, true);
      at += 8;
      continue;
    }
    const value = (packed < 2 ** 31 ? packed >>> 3 : Math.floor(packed / 8)) / POWERS[form];
    values[index] = (packed & NEGATIVE) === 0 ? value : -value;
  }
  if (at > bytes.length) throw new RangeError('unexpected end of bytes');
  reader.at = at;
}

/** Writes bytes, of zeros one and then how many more follow it, as a varint. */
export function packZeros(writer: ByteWriter, bytes: Uint8Array): void {
  writer.reserve(2 * bytes.length);
  const to = writer.bytes;
  let at = writer.length;
  for (let index = 0; index < bytes.length; index += 1) {
    to[at++] = bytes[index];
    if (bytes[index] !== 0) continue;
    const first = index;
    while (index + 1 < bytes.length && bytes[index + 1] === 0) index += 1;
    at = putVarint(to, at, index - first);
  }
  writer.length = at;
}
