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

/** Bytes are copied four at a time, which takes a third of the time: up to three of what comes next are written before it. */
const WORD = 4;
const SPILL = WORD - 1;

/** Literals from so many bytes on are copied by the engine, which takes some time to begin. */
const LONG = 64;

/**
 * Undoes Snappy's block format. What comes out is as long as the head of the bytes says, which is checked before anything
 * is allocated: against `most`, and against what so many bytes can become at all.
 *
 * @param spare memory that nobody uses any more: what comes out stands there where it has room for it.
 * @throws SnappyError
 */
export function unsnap(bytes: Uint8Array, most: number, spare?: Uint8Array): Uint8Array {
  const { length, start } = headOf(bytes);
  if (length > most) throw new SnappyError(`it would become ${length} bytes, and at most ${most} are taken`, true);
  if (length > (bytes.length - start) * MOST_GROWTH) {
    throw new SnappyError(`its head says ${length} bytes, more than the rest can become`);
  }
  const out = spare && spare.length >= length + SPILL ? spare : Buffer.allocUnsafeSlow(length + SPILL);
  const to = viewOf(out);
  const from = viewOf(bytes);
  const end = bytes.length;
  let at = start;
  let made = 0;
  while (at < end) {
    const tag = bytes[at++] as number;
    const kind = tag & 3;
    let size = (tag >>> 2) + 1;
    if (kind === 0) {
      if (size > 60) {
        const width = size - 60;
        size = littleEndian(bytes, at, width) + 1;
        at += width;
      }
      const next = at + size;
      if (next > end) throw cutOff(at);
      if (made + size > length) throw overflow(at, length);
      const last = made + size;
      if (size >= LONG || next + SPILL > end) out.set(bytes.subarray(at, next), made);
      else for (; made < last; made += WORD, at += WORD) to.setInt32(made, from.getInt32(at, true), true);
      made = last;
      at = next;
      continue;
    }
    let offset;
    if (kind === 1) {
      if (at >= end) throw cutOff(at);
      size = ((tag >>> 2) & 7) + 4;
      offset = ((tag >>> 5) << 8) | (bytes[at++] as number);
    } else {
      const width = kind === 2 ? 2 : 4;
      offset = littleEndian(bytes, at, width);
      at += width;
    }
    const source = made - offset;
    if (offset === 0 || source < 0)
      throw new SnappyError(`byte ${at}: a copy from ${offset} bytes before, and there are ${made}`);
    const last = made + size;
    if (last > length) throw overflow(at, length);
    // A copy may reach into what it makes: then byte by byte.
    if (offset < WORD) for (let byte = source; made < last;) out[made++] = out[byte++] as number;
    else
      for (let word = source; made < last; made += WORD, word += WORD) to.setInt32(made, to.getInt32(word, true), true);
    made = last;
  }
  if (made !== length) throw new SnappyError(`it becomes ${made} bytes, and its head says ${length}`);
  return out.subarray(0, length);
}

const viewOf = ({ buffer, byteOffset, length }: Uint8Array): DataView => new DataView(buffer, byteOffset, length);

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
  if (at + width > bytes.length) throw cutOff(at);
  if (width === 2) return (bytes[at] as number) | ((bytes[at + 1] as number) << 8);
  let value = 0;
  for (let index = width - 1; index >= 0; index -= 1) value = value * 256 + (bytes[at + index] as number);
  return value;
}

const cutOff = (at: number): SnappyError => new SnappyError(`byte ${at}: it is cut off`);
const overflow = (at: number, length: number): SnappyError =>
  new SnappyError(`byte ${at}: it becomes more than the ${length} bytes that its head says`);
