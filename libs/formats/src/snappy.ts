/** What is wrong with bytes that are not Snappy's block format, or with how much they would become. */
export class SnappyError extends Error {
  override readonly name = 'SnappyError';

  constructor(
    message: string,
    /** Whether what they become is more than was asked for. */
    readonly isTooLong = false,
  ) {
    super(message);
  }
}

/** The most that bytes of the format can become: a copy of 64 bytes takes three of them, or two for 11. */
const MOST_GROWTH = 22;

/**
 * Undoes Snappy's block format. What comes out is as long as the head of the bytes says, which is checked before anything
 * is allocated: against `most`, and against what so many bytes can become at all.
 *
 * @throws SnappyError
 */
export function unsnap(bytes: Uint8Array, most: number): Uint8Array {
  const { length, start } = headOf(bytes);
  if (length > most) throw new SnappyError(`it would become ${length} bytes, and at most ${most} are taken`, true);
  if (length > (bytes.length - start) * MOST_GROWTH) {
    throw new SnappyError(`its head says ${length} bytes, more than the rest can become`);
  }
  const out = Buffer.allocUnsafe(length);
  let at = start;
  let to = 0;
  while (at < bytes.length) {
    const tag = bytes[at++] as number;
    if ((tag & 3) === 0) {
      let size = (tag >>> 2) + 1;
      if (size > 60) {
        const extra = size - 60;
        if (at + extra > bytes.length) throw cutOff(at);
        size = littleEndian(bytes, at, extra) + 1;
        at += extra;
      }
      if (at + size > bytes.length) throw cutOff(at);
      if (to + size > length) throw overflow(at, length);
      if (size > 24) {
        out.set(bytes.subarray(at, at + size), to);
        at += size;
        to += size;
      } else {
        for (const end = at + size; at < end;) out[to++] = bytes[at++] as number;
      }
      continue;
    }
    let size = (tag >>> 2) + 1;
    let offset;
    if ((tag & 3) === 1) {
      if (at + 1 > bytes.length) throw cutOff(at);
      size = ((tag >>> 2) & 7) + 4;
      offset = ((tag >>> 5) << 8) | (bytes[at++] as number);
    } else {
      const width = (tag & 3) === 2 ? 2 : 4;
      if (at + width > bytes.length) throw cutOff(at);
      offset = littleEndian(bytes, at, width);
      at += width;
    }
    if (offset === 0 || offset > to)
      throw new SnappyError(`byte ${at}: a copy from ${offset} bytes before, and there are ${to}`);
    if (to + size > length) throw overflow(at, length);
    // Byte by byte: a copy may reach into what it makes.
    for (let from = to - offset, end = to + size; to < end;) out[to++] = out[from++] as number;
  }
  if (to !== length) throw new SnappyError(`it becomes ${to} bytes, and its head says ${length}`);
  return out;
}

/** The length that the head says, and where the head ends. */
function headOf(bytes: Uint8Array): { length: number; start: number } {
  let length = 0;
  for (let at = 0; at < 5; at += 1) {
    const byte = bytes[at];
    if (byte === undefined) throw cutOff(at);
    length += (byte & 0x7f) * 128 ** at;
    if (byte >= 0x80) continue;
    if (length >= 2 ** 32) break;
    return { length, start: at + 1 };
  }
  throw new SnappyError('its head must say a length of at most 32 bits');
}

function littleEndian(bytes: Uint8Array, at: number, width: number): number {
  let value = 0;
  for (let index = width - 1; index >= 0; index -= 1) value = value * 256 + (bytes[at + index] as number);
  return value;
}

const cutOff = (at: number): SnappyError => new SnappyError(`byte ${at}: it is cut off`);
const overflow = (at: number, length: number): SnappyError =>
  new SnappyError(`byte ${at}: it becomes more than the ${length} bytes that its head says`);
