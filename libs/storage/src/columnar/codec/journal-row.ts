import { ByteReader, ByteWriter, MAX_VARINT, putVarint, unzigzag, zigzag } from './bytes.js';
import { packValues, packZeros, unpackValues } from './packed.js';
import { DamagedError, FRAME_HEADER, openFrame, sealFrame } from './frame.js';

/**
 * The samples of one commit, as they came. A frame under its id, which holds three columns one after the other: the series ids and the
 * timestamps as zigzag varints of the differences (of ids less 1, since series mostly come in turn), and the doubles as
 * they are, in the byte order of all machines that Node runs on.
 *
 *     count, length of ids, length of times   uint32 each
 *     ids · times · values
 *
 * In a packed row, which the highest bit of `count` tells, the columns are as packed.ts makes them; the lengths are those before.
 */
const COLUMNS = FRAME_HEADER + 12;
const PACKED = 2 ** 31;

/** What of its memory a writer keeps for the next row: enough for a few batches of the largest common size. */
const KEPT_SAMPLES = 1 << 16;

/** Bytes of a row that a writer keeps the memory of. */
const MOST_LENT = 1 << 21;

export class JournalRowWriter {
  private readonly ids = new ByteWriter();
  private readonly times = new ByteWriter();
  private values = new Float64Array(1024);
  /** Of series that come without a list of theirs. */
  private seriesIds = new Float64Array(1024);
  private readonly lent = new ByteWriter();
  private count = 0;
  private lastId = 0;
  private lastTime = 0;

  /** Makes room for `count` more samples; must come before they are added. */
  reserve(count: number): void {
    this.ids.reserve(count * MAX_VARINT);
    this.times.reserve(count * MAX_VARINT);
    if (this.count + count <= this.values.length) return;
    const grown = new Float64Array(Math.max(this.count + count, this.values.length * 2));
    grown.set(this.values.subarray(0, this.count));
    this.values = grown;
  }

  add(seriesId: number, timestamp: number, value: number): void {
    const { ids, times } = this;
    ids.length = putVarint(ids.bytes, ids.length, zigzag(seriesId - this.lastId - 1));
    times.length = putVarint(times.bytes, times.length, zigzag(timestamp - this.lastTime));
    this.values[this.count] = value;
    this.count += 1;
    this.lastId = seriesId;
    this.lastTime = timestamp;
  }

  /**
   * Adds many samples at once, position by position; there must be room for them.
   *
   * @param series of the samples, from `offset` on.
   */
  addColumns(
    series: readonly { readonly id: number }[],
    offset: number,
    timestamps: Float64Array,
    values: Float64Array,
  ): void {
    const count = timestamps.length;
    if (this.seriesIds.length < count) this.seriesIds = new Float64Array(count);
    const { seriesIds } = this;
    for (let index = 0; index < count; index += 1) seriesIds[index] = series[offset + index].id;
    this.addIds(seriesIds.subarray(0, count), 0, timestamps, values);
  }

  /** The same of series by their ids: their samples, from `offset` on. */
  addIds(seriesIds: Float64Array, offset: number, timestamps: Float64Array, values: Float64Array): void {
    const { ids, times, values: into, count } = this;
    const [idBytes, timeBytes] = [ids.bytes, times.bytes];
    let { lastId, lastTime } = this;
    let [idsEnd, timesEnd] = [ids.length, times.length];
    for (let index = 0; index < seriesIds.length; index += 1) {
      const id = seriesIds[index];
      const timestamp = timestamps[offset + index];
      into[count + index] = values[offset + index];
      if (id === lastId + 1) idBytes[idsEnd++] = 0;
      else idsEnd = putVarint(idBytes, idsEnd, zigzag(id - lastId - 1));
      if (timestamp === lastTime) timeBytes[timesEnd++] = 0;
      else timesEnd = putVarint(timeBytes, timesEnd, zigzag(timestamp - lastTime));
      lastId = id;
      lastTime = timestamp;
    }
    this.count += seriesIds.length;
    ids.length = idsEnd;
    times.length = timesEnd;
    this.lastId = lastId;
    this.lastTime = lastTime;
  }

  /**
   * The finished row of this id, in memory of the writer that holds until it is asked again; the writer starts again. What is not
   * allocated for each commit need not be collected: memory outside of the heap makes V8 go through all of the heap.
   */
  lend(id: number, form: 'plain' | 'packed' = 'packed'): Uint8Array {
    const { ids, times, count, lent } = this;
    if (lent.bytes.length > MOST_LENT) lent.bytes = new Uint8Array(1024);
    lent.clear();
    lent.reserve(COLUMNS);
    this.writeHeader(lent.bytes, form === 'packed' ? count + PACKED : count);
    lent.length = COLUMNS;
    if (form === 'packed') {
      packZeros(lent, ids.written());
      packZeros(lent, times.written());
      packValues(lent, this.values.subarray(0, count));
    } else {
      lent.append(ids.written());
      lent.append(times.written());
      lent.append(new Uint8Array(this.values.buffer, 0, count * 8));
    }
    this.clear();
    return sealFrame(lent.written(), [id]);
  }

  private writeHeader(row: Uint8Array, count: number): void {
    const header = new DataView(row.buffer, FRAME_HEADER);
    header.setUint32(0, count, true);
    header.setUint32(4, this.ids.length, true);
    header.setUint32(8, this.times.length, true);
  }

  /** Forgets what was added. */
  clear(): void {
    this.count = 0;
    this.lastId = 0;
    this.lastTime = 0;
    this.ids.clear();
    this.times.clear();
    if (this.values.length <= KEPT_SAMPLES) return;
    this.values = new Float64Array(1024);
    this.seriesIds = new Float64Array(1024);
    this.ids.bytes = new Uint8Array(1024);
    this.times.bytes = new Uint8Array(1024);
  }
}

/** Samples of a row, position by position. */
export interface RowColumns {
  readonly timestamps: Float64Array;
  readonly values: Float64Array;
}

/** The samples of a journal row with their series. */
export interface JournalRow extends RowColumns {
  readonly seriesIds: Float64Array;
}

/** The series of a row, as it has them and read: senders repeat their order. */
export interface RowSeries {
  readonly bytes: Uint8Array;
  readonly ids: Float64Array;
  /** Whether the bytes are those of a packed row. */
  readonly isPacked: boolean;
}

/** Memory for the samples of one row, which those of the next one take. */
export class RowMemory {
  private all = new Float64Array(0);

  /** Room for so many samples; what was there before is gone. */
  of(count: number): RowColumns & { readonly ids: Float64Array } {
    if (this.all.length < 3 * count || this.all.length > 3 * KEPT_SAMPLES) this.all = new Float64Array(3 * count);
    const part = (from: number): Float64Array => this.all.subarray(from * count, (from + 1) * count);
    return { timestamps: part(0), values: part(1), ids: part(2) };
  }
}

/** A row that is whole. */
export class OpenRow {
  /** @param rest its times, and from `valuesAt` on its values; where it is packed, that is known once the times are read. */
  constructor(
    readonly series: RowSeries,
    private readonly rest: Uint8Array,
    private valuesAt: number,
    private readonly isPacked: boolean,
  ) {}

  /** Its samples, in memory that is given. */
  columns(memory = new RowMemory()): RowColumns {
    const { timestamps, values } = memory.of(this.series.ids.length);
    this.readTimes(timestamps);
    this.readValues(values);
    return { timestamps, values };
  }

  /** Its times, for which there is room. */
  readTimes(into: Float64Array): void {
    if (!this.isPacked) return void readDifferences(this.rest, into, 0);
    const reader = new ByteReader(this.rest);
    unpackDifferences(reader, into, 0);
    this.valuesAt = reader.at;
  }

  /** Its values, for which there is room, once the times are read. */
  readValues(into: Float64Array): void {
    const bytes = this.rest.subarray(this.valuesAt);
    if (this.isPacked) unpackValues(new ByteReader(bytes), into);
    else new Uint8Array(into.buffer, into.byteOffset, into.byteLength).set(bytes);
  }
}

/**
 * @param beforeOf the series of a row of so many samples that may have the same ones; then those are given.
 * @param idsOf memory for so many ids.
 * @throws DamagedError
 */
export function openJournalRow(
  row: Uint8Array,
  id: number,
  beforeOf?: (count: number) => RowSeries | undefined,
  idsOf = (count: number): Float64Array => new Float64Array(count),
): OpenRow {
  const content = openFrame(row, [id]);
  const header = new DataView(content.buffer, content.byteOffset);
  const isPacked = header.getUint32(0, true) >= PACKED;
  const count = header.getUint32(0, true) - (isPacked ? PACKED : 0);
  const [idsLength, timesLength] = [header.getUint32(4, true), header.getUint32(8, true)];
  const before = beforeOf?.(count);
  const isAsBefore = (bytes: Uint8Array): boolean =>
    before?.ids.length === count && before.isPacked === isPacked && Buffer.compare(before.bytes, bytes) === 0;
  if (isPacked) {
    // How many bytes the ids have is known once they are read; the same bytes are the same ids.
    const end = 12 + (before?.bytes.length ?? 0);
    if (before && isAsBefore(content.subarray(12, end))) return new OpenRow(before, content.subarray(end), 0, true);
    const reader = new ByteReader(content);
    reader.skip(12);
    const ids = unpackDifferences(reader, idsOf(count), 1);
    return new OpenRow({ bytes: content.slice(12, reader.at), ids, isPacked }, content.subarray(reader.at), 0, true);
  }
  const bytes = content.subarray(12, 12 + idsLength);
  const rest = content.subarray(12 + idsLength);
  if (rest.length !== timesLength + count * 8) throw new DamagedError(`a journal row of ${row.length} bytes`);
  const series =
    before && isAsBefore(bytes)
      ? before
      : { bytes: bytes.slice(), ids: readDifferences(bytes, idsOf(count), 1), isPacked };
  return new OpenRow(series, rest, timesLength, false);
}

/**
 * The samples of a row.
 *
 * @throws DamagedError
 */
export function readJournalRow(row: Uint8Array, id: number): JournalRow {
  const open = openJournalRow(row, id);
  return { seriesIds: open.series.ids, ...open.columns() };
}

/** As `readDifferences` of what `packZeros` has written. */
function unpackDifferences(reader: ByteReader, into: Float64Array, usual: number): Float64Array {
  let [last, at] = [0, 0];
  while (at < into.length) {
    const difference = reader.varint();
    last += unzigzag(difference) + usual;
    into[at++] = last;
    if (difference !== 0) continue;
    const end = Math.min(into.length, at + reader.varint());
    for (; at < end; at += 1) into[at] = last += usual;
  }
  return into;
}

function readDifferences(bytes: Uint8Array, into: Float64Array, usual: number): Float64Array {
  const reader = new ByteReader(bytes);
  let [last, at] = [0, 0];
  for (let index = 0; index < into.length; index += 1) {
    const byte = bytes[at];
    // Nearly all differences are of one byte.
    if (byte < 128) {
      at += 1;
      last += ((byte >>> 1) ^ -(byte & 1)) + usual;
    } else {
      reader.at = at;
      last += unzigzag(reader.varint()) + usual;
      at = reader.at;
    }
    into[index] = last;
  }
  return into;
}
