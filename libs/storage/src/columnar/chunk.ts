import { promisify } from 'node:util';
import { constants, deflateRaw, inflateRawSync } from 'node:zlib';
import { ByteReader, ByteWriter } from './codec/bytes.js';
import { DamagedError, FRAME_HEADER, openFrame, sealFrame } from './codec/frame.js';
import { readTimeline, writeTimeline } from './codec/timeline.js';
import { readValues, writeValues } from './codec/values.js';
import { sameTimes, summarizeColumn, type Column } from './column.js';
import { HOUR } from './hour.js';
import { StatsWriter } from './stats.js';

/**
 * The samples of all series of one device and hour. A frame that holds the length of the body as a uint32 and then the
 * body, deflated. The body is, for each series by id:
 *
 *     id − previous id    varint
 *     timeline            varint: 0 if a new one follows, else which of those before it is, counted back from 1
 *     new timeline        see codec/timeline.ts
 *     length of values    varint, bytes
 *     values              see codec/values.ts
 */
const DATA_FORMAT = 1;

const BODY_LENGTH = 4;

/** The two blobs of a chunk. */
export interface EncodedChunk {
  readonly stats: Uint8Array;
  readonly data: Uint8Array;
}

/** Takes a chunk series by series, so that making a large one can be spread over time. */
export class ChunkEncoder {
  private readonly body = new ByteWriter(1 << 15);
  private readonly values = new ByteWriter(1 << 12);
  private readonly timelines: Uint32Array[] = [];
  private readonly stats: StatsWriter;
  private lastId = 0;

  constructor(private readonly hour: number) {
    this.stats = new StatsWriter(hour * HOUR);
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
    this.stats.add(seriesId, summarizeColumn(column, this.hour * HOUR), digits);
  }

  /** Deflates off the main thread. */
  async finish(): Promise<EncodedChunk> {
    const deflated = await promisify(deflateRaw)(this.body.written(), { level: constants.Z_BEST_SPEED });
    const data = new Uint8Array(FRAME_HEADER + BODY_LENGTH + deflated.length);
    new DataView(data.buffer).setUint32(FRAME_HEADER, this.body.length, true);
    data.set(deflated, FRAME_HEADER + BODY_LENGTH);
    return { stats: this.stats.finish(), data: sealFrame(data, DATA_FORMAT) };
  }

  private addTimeline(times: Uint32Array): void {
    const known = this.timelines.findLastIndex((timeline) => sameTimes(timeline, times));
    this.body.varint(known < 0 ? 0 : this.timelines.length - known);
    if (known >= 0) return;
    this.timelines.push(times);
    writeTimeline(this.body, times);
  }
}

/**
 * The columns of a chunk by series id, in the order of the ids; only those that `wants`. Series with the same times
 * share them.
 *
 * @throws DamagedError
 */
export function decodeChunk(data: Uint8Array, wants: (seriesId: number) => boolean = () => true): Map<number, Column> {
  const reader = new ByteReader(inflateBody(openFrame(data, DATA_FORMAT)));
  const columns = new Map<number, Column>();
  const timelines: Uint32Array[] = [];
  let id = 0;
  while (!reader.ended) {
    id += reader.varint();
    const back = reader.varint();
    if (back === 0) timelines.push(readTimeline(reader));
    const times = timelines[timelines.length - Math.max(back, 1)];
    const end = reader.varint() + reader.at;
    if (wants(id)) columns.set(id, { times, values: readValues(reader, times.length) });
    reader.at = end;
  }
  return columns;
}

function inflateBody(content: Uint8Array): Uint8Array {
  const length = new DataView(content.buffer, content.byteOffset).getUint32(0, true);
  const body = inflateRawSync(content.subarray(BODY_LENGTH), { chunkSize: Math.max(length, 64) });
  if (body.length !== length) throw new DamagedError(`a chunk of ${body.length} bytes where ${length} were expected`);
  return body;
}
