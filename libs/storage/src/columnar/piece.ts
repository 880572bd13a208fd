import { promisify } from 'node:util';
import { constants, deflateRaw, deflateRawSync, inflateRawSync, type ZlibOptions } from 'node:zlib';
import { emptySummary, HOUR } from '@device-metrics/domain';
import { ByteReader, ByteWriter } from './codec/bytes.js';
import { DamagedError, FRAME_HEADER, openFrame, type FrameKey } from './codec/frame.js';
import { readTimeline, writeTimeline } from './codec/timeline.js';
import { readValuesInto, writeValues } from './codec/values.js';
import { rises, summarizePart, type Column } from './column.js';
import type { SeriesSource } from './join-series.js';
import { StatsWriter } from './stats.js';

/**
 * The samples of all series of one device and hour. A frame under the key of the row, which holds the length of the body
 * as a uint32 and then the body, deflated; that of a part as it is, in one stored block of the same format. The body is, for each
 * series by id:
 *
 *     id − previous id    varint
 *     timeline            varint: 0 if a new one follows, else which of those before it is, counted back from 1
 *     new timeline        see codec/timeline.ts
 *     length of values    varint, bytes
 *     values              see codec/values.ts
 */
const BODY_LENGTH = 4;

/** A body of so many bytes or more is deflated on another thread; of a smaller one the way there costs more. */
const LARGE_BODY = 1 << 16;

/** What stands before a body that is stored: that it is the last block and is stored, its length, and the complement of that. */
const STORED_HEADER = 5;
const LAST_STORED = 1;

/** How many timelines back an equal one is looked for. */
const TIMELINES = 32;

/** Of a body: a window that is wider than it takes time and memory to make, and finds no more. */
function options(length: number): ZlibOptions {
  const windowBits = Math.min(15, Math.max(9, Math.ceil(Math.log2(length + 1))));
  const chunkSize = Math.min(constants.Z_DEFAULT_CHUNK, length + 64);
  return { level: constants.Z_BEST_SPEED, windowBits, memLevel: Math.min(8, windowBits - 6), chunkSize };
}
const deflate = promisify(deflateRaw);

/** The two blobs of a chunk or a part, as frames that are still to be sealed under their key. */
export interface EncodedPiece {
  readonly stats: Uint8Array;
  /** Null where only the stats are left. */
  readonly data: Uint8Array | null;
  /** Of its oldest sample, Unix milliseconds. */
  readonly firstTime: number;
}

/** Encodes pieces one after the other, each series by series, so that making a large one can be spread over time. */
export class PieceEncoder {
  private readonly body = new ByteWriter(1 << 15);
  private readonly values = new ByteWriter(1 << 12);
  private timelines: Uint32Array[] = [];
  private stats = new StatsWriter(0);
  private readonly summary = emptySummary();
  private start = 0;
  private firstTime = Infinity;
  private lastId = 0;

  /** Begins a piece of an hour; what was not finished is forgotten. */
  begin(hour: number): void {
    this.start = hour * HOUR;
    this.stats = new StatsWriter(this.start);
    this.body.clear();
    this.timelines = [];
    this.firstTime = Infinity;
    this.lastId = 0;
  }

  /**
   * Adds a series, whose id is greater than those before and which has a sample: those from index `from` to before `to` of the column,
   * whose times stay as they are until the piece is finished.
   */
  add(seriesId: number, column: Column, from = 0, to = column.times.length): void {
    this.body.varint(seriesId - this.lastId);
    this.lastId = seriesId;
    this.addTimeline(column.times, from, to);
    this.values.clear();
    const digits = writeValues(this.values, column.values, from, to);
    this.body.varint(this.values.length);
    this.body.appendAll(this.values);
    const summary = summarizePart(column, from, to, this.start, this.summary);
    this.stats.add(seriesId, summary, digits, rises(column, summary, from, to));
    if (summary.firstTime < this.firstTime) this.firstTime = summary.firstTime;
  }

  /**
   * The piece; the next one can begin once it is there.
   *
   * @param kind a part is read once more, within the hour: to deflate it takes longer than to write what that saves.
   */
  async finish(kind: 'chunk' | 'part' = 'chunk'): Promise<EncodedPiece> {
    const body = this.body.written();
    if (body.length >= LARGE_BODY) return this.pieceOf(body, await deflate(body, options(body.length)));
    return kind === 'part' ? this.storedPiece(body) : this.finishNow();
  }

  /** The same at once, deflated. */
  finishNow(): EncodedPiece {
    const body = this.body.written();
    return this.pieceOf(body, deflateRawSync(body, options(body.length)));
  }

  private pieceOf(body: Uint8Array, deflated: Uint8Array): EncodedPiece {
    const data = dataOf(body.length, deflated.length);
    data.set(deflated, FRAME_HEADER + BODY_LENGTH);
    return { stats: this.stats.finish(), data, firstTime: this.firstTime };
  }

  private storedPiece(body: Uint8Array): EncodedPiece {
    const { length } = body;
    const data = dataOf(length, STORED_HEADER + length);
    const at = FRAME_HEADER + BODY_LENGTH;
    data.set([LAST_STORED, length & 255, length >>> 8, ~length & 255, (~length >>> 8) & 255], at);
    data.set(body, at + STORED_HEADER);
    return { stats: this.stats.finish(), data, firstTime: this.firstTime };
  }

  private addTimeline(all: Uint32Array, from: number, to: number): void {
    const { timelines } = this;
    const oldest = Math.max(0, timelines.length - TIMELINES);
    for (let index = timelines.length - 1; index >= oldest; index -= 1) {
      if (isTimeline(timelines[index], all, from, to)) return this.body.varint(timelines.length - index);
    }
    this.body.varint(0);
    const times = from === 0 && to === all.length ? all : all.subarray(from, to);
    this.timelines.push(times);
    writeTimeline(this.body, times);
  }
}

/** Goes through the series of a piece; the values of each are decoded when they are asked for. */
export class PieceCursor implements SeriesSource {
  id = 0;
  times: Uint32Array = new Uint32Array();
  private readonly reader: ByteReader;
  private readonly timelines: Uint32Array[] = [];
  /** Where the next series begins. */
  private end = 0;

  /** @throws DamagedError */
  constructor(data: Uint8Array, key: FrameKey) {
    this.reader = new ByteReader(inflateBody(openFrame(data, key)));
  }

  next(): boolean {
    const { reader, timelines } = this;
    reader.at = this.end;
    if (reader.ended) {
      this.id = Infinity;
      return false;
    }
    this.id += reader.varint();
    const back = reader.varint();
    if (back === 0) timelines.push(readTimeline(reader));
    this.times = timelines[timelines.length - Math.max(back, 1)];
    this.end = reader.varint() + reader.at;
    return true;
  }

  readValuesInto(values: Float64Array, from: number): void {
    readValuesInto(this.reader, values, from, this.times.length);
  }
}

/**
 * The columns of a piece by series id, in the order of the ids; only those that are wanted. Series with the same times
 * share them.
 *
 * @throws DamagedError
 */
export function decodePiece(
  data: Uint8Array,
  key: FrameKey,
  wanted?: { has(seriesId: number): boolean },
): Map<number, Column> {
  const cursor = new PieceCursor(data, key);
  const ids: number[] = [];
  const timesOf: Uint32Array[] = [];
  let length = 0;
  while (cursor.next()) {
    const { id, times } = cursor;
    if (wanted && !wanted.has(id)) continue;
    cursor.readValuesInto(scratchFor(length + times.length), length);
    ids.push(id);
    timesOf.push(times);
    length += times.length;
  }
  // Of all series together: memory of its own for each takes longer than to decode a few values.
  const values = scratch.slice(0, length);
  const columns = new Map<number, Column>();
  let from = 0;
  for (let index = 0; index < ids.length; index += 1) {
    const times = timesOf[index];
    columns.set(ids[index], { times, values: values.subarray(from, (from += times.length)) });
  }
  return columns;
}

/** Of the values of a piece while it is decoded. */
let scratch = new Float64Array(1024);

/** With room for so many values; those that are there stay. */
function scratchFor(count: number): Float64Array {
  if (count <= scratch.length) return scratch;
  const grown = new Float64Array(count * 2);
  grown.set(scratch);
  return (scratch = grown);
}

/** Whether times, from index `from` to before `to`, are those of a timeline. */
function isTimeline(timeline: Uint32Array, times: Uint32Array, from: number, to: number): boolean {
  if (timeline.length !== to - from) return false;
  if (timeline === times) return true;
  for (let index = 0; index < timeline.length; index += 1) if (timeline[index] !== times[from + index]) return false;
  return true;
}

/** Data of a piece without its content, of so many bytes. */
function dataOf(bodyLength: number, contentLength: number): Uint8Array {
  const data = new Uint8Array(FRAME_HEADER + BODY_LENGTH + contentLength);
  new DataView(data.buffer).setUint32(FRAME_HEADER, bodyLength, true);
  return data;
}

function inflateBody(content: Uint8Array): Uint8Array {
  const length = new DataView(content.buffer, content.byteOffset).getUint32(0, true);
  // Deflated content begins so only where it is one block, which is stored.
  const start = BODY_LENGTH + STORED_HEADER;
  if (content[BODY_LENGTH] === LAST_STORED && content.length === start + length) return content.subarray(start);
  const body = inflateRawSync(content.subarray(BODY_LENGTH), { chunkSize: Math.max(length, 64) });
  if (body.length !== length) throw new DamagedError(`a piece of ${body.length} bytes where ${length} were expected`);
  return body;
}
