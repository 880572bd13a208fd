import { BYTES, ProtoReader, ProtobufError, tag, textOf, VARINT } from '../protobuf/reader.js';
import { readSample } from './decode-v1.js';
import { METRIC_TYPES, PIECE, wholeOf, WriteColumns, type WriteReader, type WriteRequest } from './write-request.js';

const SYMBOLS = tag(4, BYTES);
const TIMESERIES = tag(5, BYTES);
/** Series and metadata of version 1, of which this one keeps clear. */
const OTHERS = new Set([tag(1, BYTES), tag(3, BYTES)]);
/** Of `TimeSeries`. */
const LABELS_REFS = tag(1, BYTES);
const LABELS_REF = tag(1, VARINT);
const SAMPLES = tag(2, BYTES);
const HISTOGRAMS = tag(3, BYTES);
const EXEMPLARS = tag(4, BYTES);
const METADATA = tag(5, BYTES);
/** Of `Metadata`. */
const TYPE = tag(1, VARINT);
const HELP_REF = tag(3, VARINT);
const UNIT_REF = tag(4, VARINT);

/** What the labels of a request may have in all, as version 1 writes them out. */
const MOST_LABEL_BYTES = 80 * 2 ** 20;

const NAME = Buffer.from('__name__');

/**
 * Reads `io.prometheus.write.v2.Request`, the message of remote write 2.0.
 *
 * @throws ProtobufError where the bytes are no such message.
 */
export const decodeWriteRequestV2 = <T extends object>(body: Uint8Array, into: WriteReader<T>): WriteRequest<T> =>
  wholeOf(writeRequestV2Pieces(body, into));

/** The same piece by piece. */
export const writeRequestV2Pieces = <T extends object>(
  body: Uint8Array,
  into: WriteReader<T>,
): Generator<void, WriteRequest<T>> => new RequestReader(body, into).read();

class RequestReader<T extends object> {
  private readonly reader: ProtoReader;
  private columns = new WriteColumns<T>(0, undefined);
  /** Where each symbol begins and ends in the body. */
  private readonly starts: number[] = [];
  private readonly ends: number[] = [];
  /** Of the series that is read. */
  private readonly refs: number[] = [];
  /** The labels of a series as version 1 writes them. */
  private labels = Buffer.allocUnsafe(1024);
  /** How many bytes the labels of all series may still have. */
  private left = MOST_LABEL_BYTES;
  /** Metadata that `into` has been told, by the symbol of the name. */
  private readonly told = new Map<number, string>();

  constructor(
    private readonly body: Uint8Array,
    private readonly into: WriteReader<T>,
  ) {
    this.reader = new ProtoReader(body);
  }

  *read(): Generator<void, WriteRequest<T>> {
    // All symbols first: a message may have its fields in any order.
    let series = 0;
    yield* this.eachField((field) => {
      if (field === TIMESERIES) series += 1;
      if (field !== SYMBOLS) return false;
      const end = this.reader.length();
      this.starts.push(this.reader.at);
      this.ends.push(end);
      this.reader.at = end;
      return true;
    });
    if (this.starts.length > 0 && this.starts[0] !== this.ends[0]) {
      throw new ProtobufError('the first of the symbols must be empty');
    }
    this.columns = new WriteColumns<T>(series, this.into.spare);
    yield* this.eachField((field) => {
      if (field === TIMESERIES) this.readSeries();
      return field === TIMESERIES;
    });
    return this.columns.finish();
  }

  /** @param read reads a field, or answers false. */
  private *eachField(read: (field: number) => boolean): Generator<void, void> {
    const { reader } = this;
    reader.at = 0;
    let left = PIECE;
    for (let field = reader.next(); field !== 0; field = reader.next()) {
      if (!read(field)) {
        if (OTHERS.has(field)) throw new ProtobufError('it is prometheus.WriteRequest, which proto= must say');
        reader.skip(field);
      }
      if ((left -= 1) > 0) continue;
      left = PIECE;
      yield;
    }
  }

  private readSeries(): void {
    const { reader, columns, refs } = this;
    const outer = reader.end;
    const end = reader.length();
    reader.end = end;
    refs.length = 0;
    let histograms = 0;
    let [type, help, unit] = [0, 0, 0];
    for (let field = reader.next(); field !== 0; field = reader.next()) {
      if (field === SAMPLES) {
        readSample(reader, columns);
      } else if (field === LABELS_REFS) {
        for (const last = reader.length(); reader.at < last;) refs.push(reader.uint32());
      } else if (field === LABELS_REF) {
        refs.push(reader.uint32());
      } else if (field === METADATA) {
        reader.end = reader.length();
        for (let inner = reader.next(); inner !== 0; inner = reader.next()) {
          if (inner === TYPE) type = reader.int64();
          else if (inner === HELP_REF) help = reader.uint32();
          else if (inner === UNIT_REF) unit = reader.uint32();
          else reader.skip(inner);
        }
        reader.end = end;
      } else {
        if (field === EXEMPLARS) columns.exemplars += 1;
        else if (field === HISTOGRAMS) histograms += 1;
        reader.skip(field);
      }
    }
    reader.end = outer;
    this.close(histograms, type, help, unit);
  }

  private close(histograms: number, type: number, help: number, unit: number): void {
    const { columns } = this;
    const isEmpty = columns.isWithoutSamples && histograms === 0;
    const reason = this.faultOf(help, unit) ?? (isEmpty ? 'it has neither samples nor histograms' : undefined);
    if (reason === undefined && (type !== 0 || help !== 0 || unit !== 0)) this.tell(type, help, unit);
    columns.close(reason ?? this.seriesOfRefs(), histograms);
  }

  private faultOf(help: number, unit: number): string | undefined {
    const { refs } = this;
    if (refs.length % 2 !== 0) return `its labels must be pairs, got ${refs.length} references`;
    const wrong =
      refs.find((ref) => ref >= this.starts.length) ??
      [help, unit].find((ref) => ref !== 0 && ref >= this.starts.length);
    return wrong === undefined ? undefined : `it refers to symbol ${wrong}, and there are ${this.starts.length}`;
  }

  private tell(type: number, help: number, unit: number): void {
    const at = this.refs.findIndex((ref, index) => index % 2 === 0 && this.isName(ref));
    const name = this.refs[at + 1];
    if (at < 0 || name === undefined) return;
    const metadata = `${type} ${help} ${unit}`;
    if (this.told.get(name) === metadata) return;
    this.told.set(name, metadata);
    this.into.metadata({
      name: this.symbol(name),
      type: METRIC_TYPES[type] ?? 'unknown',
      help: this.symbol(help),
      unit: this.symbol(unit),
    });
  }

  private isName(ref: number): boolean {
    const start = this.starts[ref] as number;
    return (
      (this.ends[ref] as number) - start === NAME.length && NAME.equals(this.body.subarray(start, start + NAME.length))
    );
  }

  /** Empty where it is not UTF-8. */
  private symbol(ref: number): string {
    return textOf(this.body, this.starts[ref] ?? 0, this.ends[ref] ?? 0) ?? '';
  }

  private seriesOfRefs(): T | string {
    // It may grow while they are written.
    const end = this.writeLabels();
    return this.into.series(this.labels, 0, end);
  }

  /** Writes the labels as version 1 would, and gives where they end. */
  private writeLabels(): number {
    const { refs, starts, ends, body } = this;
    let at = 0;
    for (let index = 0; index < refs.length; index += 2) {
      const [name, value] = [refs[index] as number, refs[index + 1] as number];
      const nameLength = (ends[name] as number) - (starts[name] as number);
      const valueLength = (ends[value] as number) - (starts[value] as number);
      const length = 2 + sizeOf(nameLength) + nameLength + sizeOf(valueLength) + valueLength;
      this.spend(length);
      if (at + length + 16 > this.labels.length) this.grow(at + length + 16);
      const { labels } = this;
      labels[at++] = 0x0a;
      at = writeLength(labels, at, length);
      labels[at++] = 0x0a;
      at = writeLength(labels, at, nameLength);
      labels.set(body.subarray(starts[name], ends[name]), at);
      at += nameLength;
      labels[at++] = 0x12;
      at = writeLength(labels, at, valueLength);
      labels.set(body.subarray(starts[value], ends[value]), at);
      at += valueLength;
    }
    return at;
  }

  /** A symbol of a megabyte that each of a million series refers to would keep everybody waiting. */
  private spend(bytes: number): void {
    this.left -= bytes;
    if (this.left < 0)
      throw new ProtobufError(`the labels of its series have more than ${MOST_LABEL_BYTES} bytes in all`);
  }

  private grow(length: number): void {
    const grown = Buffer.allocUnsafe(Math.max(length, this.labels.length * 2));
    grown.set(this.labels);
    this.labels = grown;
  }
}

function sizeOf(length: number): number {
  let size = 1;
  for (let rest = length; rest >= 0x80; rest >>>= 7) size += 1;
  return size;
}

function writeLength(bytes: Uint8Array, start: number, length: number): number {
  let at = start;
  let rest = length;
  for (; rest >= 0x80; rest >>>= 7) bytes[at++] = (rest & 0x7f) | 0x80;
  bytes[at++] = rest;
  return at;
}
