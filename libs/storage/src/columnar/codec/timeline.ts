import { MAX_VARINT, putVarint, unzigzag, zigzag, type ByteReader, type ByteWriter } from './bytes.js';

/**
 * Writes ascending integers as the differences of their differences: of readings at a steady interval all but the first
 * two become 0. Layout: count, then one zigzag varint each.
 */
export function writeTimeline(writer: ByteWriter, times: Uint32Array): void {
  const count = times.length;
  writer.varint(count);
  writer.reserve(count * MAX_VARINT);
  const { bytes } = writer;
  let at = writer.length;
  let time = 0;
  let delta = 0;
  for (let index = 0; index < count; index += 1) {
    const nextDelta = times[index] - time;
    at = putVarint(bytes, at, zigzag(nextDelta - delta));
    time = times[index];
    delta = nextDelta;
  }
  writer.length = at;
}

export function readTimeline(reader: ByteReader): Uint32Array {
  const times = new Uint32Array(reader.varint());
  let time = 0;
  let delta = 0;
  for (let index = 0; index < times.length; index += 1) {
    delta += unzigzag(reader.varint());
    time += delta;
    times[index] = time;
  }
  return times;
}
