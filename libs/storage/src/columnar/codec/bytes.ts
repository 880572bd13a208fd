/** Room that the longest varint takes: 53 bits in groups of 7. */
export const MAX_VARINT = 8;

/** Below this, shifts do the work; above it, an integer no longer fits the 32 bits that they know. */
const SHIFTABLE = 2 ** 28;

/**
 * Writes a non-negative safe integer, 7 bits a byte, low ones first, and gives where the next byte goes. There must be
 * room for MAX_VARINT bytes.
 */
export function putVarint(bytes: Uint8Array, at: number, value: number): number {
  let rest = value;
  while (rest >= SHIFTABLE) {
    bytes[at++] = (rest % 128) | 128;
    rest = Math.floor(rest / 128);
  }
  // V8 would go on with it as a double.
  let bits = rest | 0;
  while (bits >= 128) {
    bytes[at++] = (bits & 127) | 128;
    bits >>= 7;
  }
  bytes[at++] = bits;
  return at;
}

/** Small integers of either sign as small non-negative ones: 0, -1, 1, -2, 2 … become 0, 1, 2, 3, 4 … */
export function zigzag(value: number): number {
  return value >= 0 ? 2 * value : -2 * value - 1;
}

export function unzigzag(value: number): number {
  if (value < 2 ** 31) return (value >>> 1) ^ -(value & 1);
  return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
}

/** Copying so few bytes one by one takes less than to ask for a piece of memory. */
const FEW = 64;

/** Bytes that grow at their end. Hot loops call `reserve` and then write to `bytes` themselves. */
export class ByteWriter {
  bytes: Uint8Array;
  length = 0;
  private view: DataView;

  constructor(capacity = 1024) {
    this.bytes = new Uint8Array(capacity);
    this.view = new DataView(this.bytes.buffer);
  }

  /** Makes room for `count` more bytes. */
  reserve(count: number): void {
    if (this.length + count <= this.bytes.length) return;
    const grown = new Uint8Array(Math.max(this.length + count, this.bytes.length * 2));
    grown.set(this.bytes.subarray(0, this.length));
    this.bytes = grown;
    this.view = new DataView(grown.buffer);
  }

  byte(value: number): void {
    this.reserve(1);
    this.bytes[this.length++] = value;
  }

  varint(value: number): void {
    this.reserve(MAX_VARINT);
    this.length = putVarint(this.bytes, this.length, value);
  }

  signed(value: number): void {
    this.varint(zigzag(value));
  }

  float64(value: number): void {
    this.reserve(8);
    this.view.setFloat64(this.length, value, true);
    this.length += 8;
  }

  append(bytes: Uint8Array): void {
    this.reserve(bytes.length);
    this.bytes.set(bytes, this.length);
    this.length += bytes.length;
  }

  /** Appends what another one has. */
  appendAll({ bytes, length }: ByteWriter): void {
    this.reserve(length);
    if (length > FEW) this.bytes.set(bytes.subarray(0, length), this.length);
    else for (let at = 0; at < length; at += 1) this.bytes[this.length + at] = bytes[at];
    this.length += length;
  }

  /** What has been written; it shares its memory with the writer. */
  written(): Uint8Array {
    return this.bytes.subarray(0, this.length);
  }

  /** Starts again, in the same memory. */
  clear(): void {
    this.length = 0;
  }
}

/** Reads what a ByteWriter wrote. Reading past the end throws a RangeError. */
export class ByteReader {
  at = 0;

  constructor(readonly bytes: Uint8Array) {}

  byte(): number {
    if (this.at >= this.bytes.length) throw new RangeError('unexpected end of bytes');
    return this.bytes[this.at++];
  }

  varint(): number {
    const { bytes } = this;
    let byte = bytes[this.at++];
    if (byte < 128) return byte;
    let value = byte & 127;
    for (let shift = 7; shift < 28; shift += 7) {
      byte = bytes[this.at++];
      value |= (byte & 127) << shift;
      if (byte < 128) return value;
    }
    return this.restOfVarint(value);
  }

  signed(): number {
    return unzigzag(this.varint());
  }

  float64(): number {
    const at = this.skip(8);
    return new DataView(this.bytes.buffer, this.bytes.byteOffset).getFloat64(at, true);
  }

  /** Steps over `count` bytes and gives where they began. */
  skip(count: number): number {
    const at = this.at;
    if (at + count > this.bytes.length) throw new RangeError('unexpected end of bytes');
    this.at += count;
    return at;
  }

  skipVarints(count: number): void {
    const { bytes } = this;
    let { at } = this;
    for (let left = count; left > 0; at += 1) if (!(bytes[at] >= 128)) left -= 1;
    this.at = at;
  }

  /** What is beyond 28 bits, where shifts no longer do. */
  private restOfVarint(low: number): number {
    let value = low;
    for (let factor = 2 ** 28; ; factor *= 128) {
      const byte = this.byte();
      value += (byte & 127) * factor;
      if (byte < 128) return value;
    }
  }

  get ended(): boolean {
    return this.at >= this.bytes.length;
  }
}
