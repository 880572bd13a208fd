import { crc32 } from 'node:zlib';

/** Bytes came back from disk other than they were written. */
export class DamagedError extends Error {
  override readonly name = 'DamagedError';
}

/** A frame begins with one byte of format and four of checksum. */
export const FRAME_HEADER = 5;

/**
 * Seals a frame whose content begins at FRAME_HEADER: writes `format` and the CRC-32 of format and content in front of
 * it, low byte first.
 */
export function sealFrame(frame: Uint8Array, format: number): Uint8Array {
  frame[0] = format;
  new DataView(frame.buffer, frame.byteOffset).setUint32(1, checksum(frame), true);
  return frame;
}

/**
 * The content of a frame.
 *
 * @throws DamagedError when the checksum or the format is another.
 */
export function openFrame(frame: Uint8Array, format: number): Uint8Array {
  if (frame.length < FRAME_HEADER) throw new DamagedError(`a frame of ${frame.length} bytes`);
  const expected = new DataView(frame.buffer, frame.byteOffset).getUint32(1, true);
  if (checksum(frame) !== expected) throw new DamagedError(`wrong checksum of a frame of ${frame.length} bytes`);
  if (frame[0] !== format) throw new DamagedError(`format ${frame[0]} where ${format} was expected`);
  return frame.subarray(FRAME_HEADER);
}

const checksum = (frame: Uint8Array): number => crc32(frame.subarray(FRAME_HEADER), crc32(frame.subarray(0, 1)));
