import { BYTES, FIXED64, tag, VARINT } from './reader.js';

/** Writes the wire format of Protocol Buffers. Fields are written in the order of the calls, zero and empty ones too. */
export class ProtoWriter {
  private bytes = Buffer.allocUnsafe(256);
  private length = 0;

  /** What has been written so far. */
  finish(): Uint8Array {
    return Uint8Array.prototype.slice.call(this.bytes, 0, this.length);
  }

  /** An integer of any sign, or an enum. */
  varint(field: number, value: number | bigint): this {
    this.raw(BigInt(tag(field, VARINT)));
    return this.raw(BigInt.asUintN(64, BigInt(value)));
  }

  /** A number of packed ones, which go into `data`. */
  packed(value: number | bigint): this {
    return this.raw(BigInt.asUintN(64, BigInt(value)));
  }

  /** A number in zigzag order. */
  sint(field: number, value: number): this {
    return this.varint(field, value < 0 ? -2 * value - 1 : 2 * value);
  }

  double(field: number, value: number): this {
    this.raw(BigInt(tag(field, FIXED64)));
    this.room(8);
    this.bytes.writeDoubleLE(value, this.length);
    this.length += 8;
    return this;
  }

  /** `fixed64` and `sfixed64`. */
  fixed64(field: number, value: number | bigint): this {
    this.raw(BigInt(tag(field, FIXED64)));
    this.room(8);
    this.bytes.writeBigUInt64LE(BigInt.asUintN(64, BigInt(value)), this.length);
    this.length += 8;
    return this;
  }

  text(field: number, value: string): this {
    return this.data(field, Buffer.from(value));
  }

  /** Bytes, or a message that is written. */
  data(field: number, value: Uint8Array): this {
    this.raw(BigInt(tag(field, BYTES)));
    this.raw(BigInt(value.length));
    this.room(value.length);
    this.bytes.set(value, this.length);
    this.length += value.length;
    return this;
  }

  message(field: number, write: (writer: ProtoWriter) => void): this {
    const inner = new ProtoWriter();
    write(inner);
    return this.data(field, inner.finish());
  }

  private raw(value: bigint): this {
    this.room(10);
    let rest = value;
    for (; rest >= 0x80n; rest >>= 7n) this.bytes[this.length++] = Number(rest & 0x7fn) | 0x80;
    this.bytes[this.length++] = Number(rest);
    return this;
  }

  private room(bytes: number): void {
    if (this.length + bytes <= this.bytes.length) return;
    const grown = Buffer.allocUnsafe(Math.max(this.bytes.length * 2, this.length + bytes));
    grown.set(this.bytes.subarray(0, this.length));
    this.bytes = grown;
  }
}
