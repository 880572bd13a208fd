import pg from 'pg';
import type { ByteWriter } from '../columnar/codec/bytes.js';

/** The signature, flags, and the length of what an extension may add. */
const HEADER = 19;

/**
 * `COPY (…) TO STDOUT (FORMAT binary)`, whose rows come as bytes: the driver has all other results as text, in which `bytea` takes
 * twice the room, and more work at both ends than all else that is done with it.
 */
export class CopyOut extends pg.Query {
  constructor(
    select: string,
    private readonly into: ByteWriter,
  ) {
    super(`COPY (${select}) TO STDOUT (FORMAT binary)`);
  }

  /** The driver calls it with memory that it uses again. */
  handleCopyData({ chunk }: { readonly chunk: Uint8Array }): void {
    this.into.append(chunk);
  }
}

/** The fields of the rows that a CopyOut has given, one row after the other, in the same memory; none of them may be null. */
export function* fieldsOf(bytes: Uint8Array): Generator<Uint8Array[]> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = HEADER + view.getUint32(HEADER - 4);
  for (;;) {
    const count = view.getInt16(at);
    at += 2;
    if (count < 0) return;
    const fields: Uint8Array[] = [];
    for (let field = 0; field < count; field += 1) {
      const length = view.getUint32(at);
      fields.push(bytes.subarray(at + 4, at + 4 + length));
      at += 4 + length;
    }
    yield fields;
  }
}

/** A field of the type bigint, which is within 2^53. */
export function int8Of(field: Uint8Array): number {
  const view = new DataView(field.buffer, field.byteOffset, 8);
  return view.getInt32(0) * 2 ** 32 + view.getUint32(4);
}
