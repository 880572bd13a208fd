import { crc32 } from 'node:zlib';

/** Bytes came back from disk other than they were written. */
export class DamagedError extends Error {
  override readonly name = 'DamagedError';
}

/** A frame begins with one byte of format and four of checksum. */
export const FRAME_HEADER = 5;

/**
 * What a frame stands under: the numbers of its row, such as device and hour. The checksum covers them, so that bytes
 * which come back under another key are found to be damaged.
 */
export type FrameKey = readonly number[];

/** The format of frames whose checksum does not cover their key: those of files from before. */
const WITHOUT_KEY = 1;
const WITH_KEY = 2;

/**
 * Seals a frame whose content begins at FRAME_HEADER: writes the format, and the CRC-32 of format, key and content, in
 * front of it, low byte first.
 */
export function sealFrame(frame: Uint8Array, key: FrameKey): Uint8Array {
  frame[0] = WITH_KEY;
  new DataView(frame.buffer, frame.byteOffset).setUint32(
    1,
    checksum(WITH_KEY, frame.subarray(FRAME_HEADER), key),
    true,
  );
  return frame;
}

/**
 * The content of a frame.
 *
 * @throws DamagedError when the checksum or the format is another.
 */
export function openFrame(frame: Uint8Array, key: FrameKey): Uint8Array {
  if (frame.length < FRAME_HEADER) throw new DamagedError(`a frame of ${frame.length} bytes`);
  const format = frame[0];
  if (format !== WITHOUT_KEY && format !== WITH_KEY) throw new DamagedError(`a frame of format ${format}`);
  const expected = (frame[1] | (frame[2] << 8) | (frame[3] << 16) | (frame[4] << 24)) >>> 0;
  const content = frame.subarray(FRAME_HEADER);
  if (checksum(format, content, format === WITH_KEY ? key : []) !== expected) {
    throw new DamagedError(`wrong checksum of a frame of ${frame.length} bytes`);
  }
  return content;
}

/** A frame of the first format with the content of another, as files from before have them. */
export function withoutKey(frame: Uint8Array): Uint8Array {
  const old = frame.slice();
  old[0] = WITHOUT_KEY;
  new DataView(old.buffer).setUint32(1, checksum(WITHOUT_KEY, old.subarray(FRAME_HEADER), []), true);
  return old;
}

/** The format, then the numbers of the key, in the byte order of all machines that Node runs on. */
const prefix = new Uint8Array(1 + 4 * 8);
const keyNumbers = new Float64Array(4);
const keyBytes = new Uint8Array(keyNumbers.buffer);
/** By how many numbers the key has. */
const prefixes = Array.from({ length: 5 }, (_, count) => prefix.subarray(0, 1 + 8 * count));

function checksum(format: number, content: Uint8Array, key: FrameKey): number {
  prefix[0] = format;
  for (let index = 0; index < key.length; index += 1) keyNumbers[index] = key[index];
  prefix.set(keyBytes, 1);
  return crc32(content, crc32(prefixes[key.length]));
}
