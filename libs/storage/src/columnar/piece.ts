import { promisify } from 'node:util';
import { constants, deflateRaw, deflateRawSync, inflateRawSync, type ZlibOptions } from 'node:zlib';
import { HOUR } from '@device-metrics/domain';
import { ByteReader, ByteWriter } from './codec/bytes.js';
import { DamagedError, FRAME_HEADER, openFrame, type FrameKey } from './codec/frame.js';
import { readTimeline, writeTimeline } from './codec/timeline.js';
import { readValues, writeValues } from './codec/values.js';
import { rises, sameTimes, summarizeColumn, type Column } from './column.js';
import { StatsWriter } from './stats.js';

/**
 * The samples of all series of one device and hour. A frame under the key of the row, which holds the length of the body
 * as a uint32 and then the body, deflated. The body is, for each series by id:
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

  /** Adds a series, whose id is greater than those before and which has a sample. */
  add(seriesId: number, column: Column): void {
    this.body.varint(seriesId - this.lastId);
    this.lastId = seriesId;
    this.addTimeline(column.times);
    this.values.clear();
    const digits = writeValues(this.values, column.values);
    this.body.varint(this.values.length);
    this.body.append(this.values.written());
    const summary = summarizeColumn(column, this.start);
    this.stats.add(seriesId, summary, digits, rises(column, summary));
    if (summary.firstTime < this.firstTime) this.firstTime = summary.firstTime;
  }

  /** The piece; the next one can begin once it is there. */
  async finish(): Promise<EncodedPiece> {
    const body = this.body.written();
    return body.length < LARGE_BODY ? this.finishNow() : this.pieceOf(body, await deflate(body, options(body.length)));
  }

  /** The same at once. */
  finishNow(): EncodedPiece {
    const body = this.body.written();
    return this.pieceOf(body, deflateRawSync(body, options(body.length)));
  }

  private pieceOf(body: Uint8Array, deflated: Uint8Array): EncodedPiece {
    const data = new Uint8Array(FRAME_HEADER + BODY_LENGTH + deflated.length);
    new DataView(data.buffer).setUint32(FRAME_HEADER, body.length, true);
    data.set(deflated, FRAME_HEADER + BODY_LENGTH);
    return { stats: this.stats.finish(), data, firstTime: this.firstTime };
  }

  private addTimeline(times: Uint32Array): void {
    const { timelines } = this;
    const oldest = Math.max(0, timelines.length - TIMELINES);
    for (let index = timelines.length - 1; index >= oldest; index -= 1) {
      if (sameTimes(timelines[index], times)) return this.body.varint(timelines.length - index);
    }
    this.body.varint(0);
    this.timelines.push(times);
    writeTimeline(this.body, times);
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
  const reader = new ByteReader(inflateBody(openFrame(data, key)));
  const columns = new Map<number, Column>();
  const timelines: Uint32Array[] = [];
  let id = 0;
  while (!reader.ended) {
    id += reader.varint();
    const back = reader.varint();
    if (back === 0) timelines.push(readTimeline(reader));
    const times = timelines[timelines.length - Math.max(back, 1)];
    const end = reader.varint() + reader.at;
    if (!wanted || wanted.has(id)) columns.set(id, { times, values: readValues(reader, times.length) });
    reader.at = end;
  }
  return columns;
}

function inflateBody(content: Uint8Array): Uint8Array {
  const length = new DataView(content.buffer, content.byteOffset).getUint32(0, true);
  const body = inflateRawSync(content.subarray(BODY_LENGTH), { chunkSize: Math.max(length, 64) });
  if (body.length !== length) throw new DamagedError(`a piece of ${body.length} bytes where ${length} were expected`);
  return body;
}
