/** What is wrong with bytes that are no message of Protocol Buffers, and where. */
export class ProtobufError extends Error {
  override readonly name = 'ProtobufError';
}

/** How a field is written, the lowest three bits of its tag. Groups, 3 and 4, have not been in use since 2008. */
export const VARINT = 0;
export const FIXED64 = 1;
export const BYTES = 2;
export const FIXED32 = 5;

/** The tag of a field, as `next` gives it. */
export const tag = (field: number, wire: number): number => field * 8 + wire;

const TWO_28 = 2 ** 28;
const TWO_32 = 2 ** 32;

/**
 * Reads the wire format of Protocol Buffers. Nothing is read outside of `at` to `end`: each method throws where a
 * number or a length would reach further, and nothing is allocated by what a length says.
 *
 * @throws ProtobufError from every method.
 */
export class ProtoReader {
  at: number;
  end: number;
  readonly view: DataView;

  constructor(
    readonly bytes: Uint8Array,
    at = 0,
    end = bytes.length,
  ) {
    this.at = at;
    this.end = end;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** The tag of the next field; 0 at the end. */
  next(): number {
    if (this.at >= this.end) return 0;
    const start = this.at;
    const found = this.uint32();
    if (found < 8) throw new ProtobufError(`byte ${start}: a field must have a number from 1 on, got 0`);
    return found;
  }

  /** An unsigned number of at most 32 bits, as lengths and tags are. */
  uint32(): number {
    const { at } = this;
    const byte = this.bytes[at] as number;
    if (at >= this.end || byte >= 0x80) return this.longUint32();
    this.at = at + 1;
    return byte;
  }

  private longUint32(): number {
    const { bytes, end } = this;
    let { at } = this;
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      if (at >= end) throw this.cutOff('a number');
      const byte = bytes[at++] as number;
      if (shift === 28 && byte > 0x0f) throw new ProtobufError(`byte ${this.at}: a number of more than 32 bits`);
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) break;
    }
    this.at = at;
    return value >>> 0;
  }

  /** A signed number of 64 bits; one beyond 2^53 is rounded to the nearest double. */
  int64(): number {
    const { bytes, end } = this;
    let { at } = this;
    // 28 bits and 21 more are integers to the engine; seven bytes of a positive number fit into a double as they come.
    let low = 0;
    let high = 0;
    for (let shift = 0; shift < 49; shift += 7) {
      if (at >= end) throw this.cutOff('a number');
      const byte = bytes[at++] as number;
      if (shift < 28) low |= (byte & 0x7f) << shift;
      else high |= (byte & 0x7f) << (shift - 28);
      if (byte < 0x80) {
        this.at = at;
        return low + high * TWO_28;
      }
    }
    return this.long(low + high * TWO_28, at);
  }

  /** The same to the last digit: a number where it is one exactly, else its digits. */
  exactInt64(): number | string {
    const start = this.at;
    const near = this.int64();
    if (Number.isSafeInteger(near)) return near;
    let value = 0n;
    for (let at = start; at < this.at; at += 1) {
      value |= BigInt((this.bytes[at] as number) & 0x7f) << BigInt(7 * (at - start));
    }
    return BigInt.asIntN(64, value).toString();
  }

  /** The last three bytes of a number of 64 bits, of which `low` is known: 49 bits. */
  private long(low: number, from: number): number {
    const { bytes, end } = this;
    let high = 0;
    let at = from;
    for (let index = 0; index < 3; index += 1) {
      if (at >= end) throw this.cutOff('a number');
      const byte = bytes[at++] as number;
      if (index === 2 && byte > 1) throw new ProtobufError(`byte ${this.at}: a number of more than 64 bits`);
      high += (byte & 0x7f) * 128 ** index;
      if (byte < 0x80) break;
    }
    this.at = at;
    // Bit 63 is the sign; what is above 49 bits is in `high`.
    const signed = high >= 2 ** 14 ? high - 2 ** 15 : high;
    return signed * 2 ** 49 + low;
  }

  /** A signed number of at most 32 bits in zigzag order. */
  sint32(): number {
    const value = this.uint32();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  double(): number {
    const { at } = this;
    if (at + 8 > this.end) throw this.cutOff('8 bytes');
    this.at = at + 8;
    return this.view.getFloat64(at, true);
  }

  /** 8 bytes as an unsigned number; one beyond 2^53 is rounded to the nearest double. */
  fixed64(): number {
    const { at } = this;
    if (at + 8 > this.end) throw this.cutOff('8 bytes');
    this.at = at + 8;
    return this.view.getUint32(at + 4, true) * TWO_32 + this.view.getUint32(at, true);
  }

  /** 8 bytes as a signed number; one beyond 2^53 is rounded to the nearest double. */
  sfixed64(): number {
    const { at } = this;
    if (at + 8 > this.end) throw this.cutOff('8 bytes');
    this.at = at + 8;
    return this.view.getInt32(at + 4, true) * TWO_32 + this.view.getUint32(at, true);
  }

  /** 8 bytes of nanoseconds as whole milliseconds, exactly: rounding to a double first could give the one before. */
  nanosAsMs(): number {
    const { at } = this;
    if (at + 8 > this.end) throw this.cutOff('8 bytes');
    this.at = at + 8;
    const low = this.view.getUint32(at, true);
    const high = this.view.getUint32(at + 4, true);
    // 2^32 ns are 4294 ms and 967296 ns.
    return high * 4294 + Math.floor((high * 967_296 + low) / 1e6);
  }

  /** Where the bytes that follow end: a text, bytes, a message or packed numbers. `at` is where they begin. */
  length(): number {
    const start = this.at;
    const length = this.uint32();
    const last = this.at + length;
    if (last <= this.end) return last;
    throw new ProtobufError(`byte ${start}: a length of ${length}, and ${this.end - this.at} bytes are left`);
  }

  /** Runs `read` within the message that follows, and stands behind it then. */
  within<T>(read: () => T): T {
    const outer = this.end;
    const end = this.length();
    this.end = end;
    const result = read();
    this.at = end;
    this.end = outer;
    return result;
  }

  /** Leaves out a field. */
  skip(found: number): void {
    switch (found & 7) {
      case VARINT:
        this.int64();
        return;
      case FIXED64:
        this.leap(8);
        return;
      case BYTES:
        this.at = this.length();
        return;
      case FIXED32:
        this.leap(4);
        return;
      default:
        throw new ProtobufError(
          `byte ${this.at}: field ${found >>> 3} has the wire type ${found & 7}, which there is not`,
        );
    }
  }

  private leap(bytes: number): void {
    if (this.at + bytes > this.end) throw this.cutOff(`${bytes} bytes`);
    this.at += bytes;
  }

  private cutOff(what: string): ProtobufError {
    return new ProtobufError(`byte ${this.at}: ${what} must follow, and ${this.end - this.at} bytes are left`);
  }
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** A text field; undefined where it is not UTF-8. */
export function textOf(bytes: Uint8Array, start: number, end: number): string | undefined {
  try {
    return UTF8.decode(bytes.subarray(start, end));
  } catch {
    return undefined;
  }
}
