import { BYTES, FIXED64, ProtobufError, ProtoReader, tag, VARINT } from '../protobuf/reader.js';
import { LABELS, readText } from './read-labels.js';
import { METRIC_TYPES, PIECE, wholeOf, WriteColumns, type WriteReader, type WriteRequest } from './write-request.js';

const TIMESERIES = tag(1, BYTES);
const METADATA = tag(3, BYTES);
/** Symbols of version 2, which keeps clear of the fields of this one. */
const OTHER_SYMBOLS = tag(4, BYTES);
/** Of `TimeSeries`. */
const SAMPLES = tag(2, BYTES);
const EXEMPLARS = tag(3, BYTES);
const HISTOGRAMS = tag(4, BYTES);
/** Of `Sample`. */
const VALUE = tag(1, FIXED64);
const TIMESTAMP = tag(2, VARINT);
/** Of `MetricMetadata`. */
const TYPE = tag(1, VARINT);
const FAMILY = tag(2, BYTES);
const HELP = tag(4, BYTES);
const UNIT = tag(5, BYTES);

/**
 * Reads `prometheus.WriteRequest`, the message of remote write 1.0.
 *
 * @throws ProtobufError where the bytes are no such message; a text that is not UTF-8 counts once its series is asked for.
 */
export const decodeWriteRequest = <T extends object>(body: Uint8Array, into: WriteReader<T>): WriteRequest<T> =>
  wholeOf(writeRequestPieces(body, into));

/** The same piece by piece. */
export function* writeRequestPieces<T extends object>(
  body: Uint8Array,
  into: WriteReader<T>,
): Generator<void, WriteRequest<T>> {
  // First what is said of metrics, wherever it stands: it has the units of the series.
  let count = 0;
  let left = PIECE;
  const first = new ProtoReader(body);
  for (let field = first.next(); field !== 0; field = first.next()) {
    if (field === TIMESERIES) {
      count += 1;
      first.at = first.length();
    } else if (field === METADATA) {
      readMetadata(first, into);
    } else if (field === OTHER_SYMBOLS) {
      throw new ProtobufError('it is io.prometheus.write.v2.Request, which proto= must say');
    } else {
      first.skip(field);
    }
    if ((left -= 1) > 0) continue;
    left = PIECE;
    yield;
  }
  const columns = new WriteColumns<T>(count, into.spare);
  const reader = new ProtoReader(body);
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === TIMESERIES) readSeries(reader, columns, into);
    else reader.skip(field);
    if ((left -= 1) > 0) continue;
    left = PIECE;
    yield;
  }
  return columns.finish();
}

function readSeries<T extends object>(reader: ProtoReader, columns: WriteColumns<T>, into: WriteReader<T>): void {
  const outer = reader.end;
  reader.end = reader.length();
  const { end } = reader;
  // Every sender writes the labels first, and then mostly one sample.
  let last = afterLabels(reader);
  let start = last > reader.at ? reader.at : -1;
  reader.at = last;
  if (start >= 0 && readOnlySample(reader, columns)) {
    columns.close(into.series(reader.bytes, start, last), 0);
    reader.end = outer;
    return;
  }
  let isTogether = true;
  let histograms = 0;
  for (let at = reader.at, field = reader.next(); field !== 0; at = reader.at, field = reader.next()) {
    if (field === SAMPLES) {
      readSample(reader, columns);
    } else if (field === LABELS) {
      reader.at = reader.length();
      if (start < 0) start = at;
      else if (last !== at) isTogether = false;
      last = reader.at;
    } else {
      if (field === EXEMPLARS) columns.exemplars += 1;
      else if (field === HISTOGRAMS) histograms += 1;
      reader.skip(field);
    }
  }
  const labels = isTogether ? undefined : gathered(reader.bytes, start, end);
  columns.close(
    labels
      ? into.series(labels, 0, labels.length)
      : into.series(reader.bytes, start < 0 ? 0 : start, start < 0 ? 0 : last),
    histograms,
  );
  reader.at = end;
  reader.end = outer;
}

/** Where the labels end that come first; those with 128 bytes and more are left to others. */
function afterLabels({ bytes, at: start, end }: ProtoReader): number {
  let at = start;
  while (at + 1 < end && bytes[at] === LABELS) {
    const next = at + 2 + (bytes[at + 1] as number);
    if (next > end || (bytes[at + 1] as number) >= 0x80) break;
    at = next;
  }
  return at;
}

/** Reads the one sample that a series has, as senders write it; false where there is anything else, of which nothing is read. */
function readOnlySample<T extends object>(reader: ProtoReader, columns: WriteColumns<T>): boolean {
  const { bytes, at, end } = reader;
  if (bytes[at] !== SAMPLES || bytes[at + 2] !== VALUE || bytes[at + 11] !== TIMESTAMP) return false;
  if (at + 2 + (bytes[at + 1] as number) !== end || at + 12 >= end) return false;
  reader.at = at + 3;
  const value = reader.double();
  reader.at += 1;
  const timestamp = reader.int64();
  if (reader.at !== end) {
    reader.at = at;
    return false;
  }
  columns.push(timestamp, value);
  return true;
}

/** @param reader stands before the length of a `Sample`. */
export function readSample<T extends object>(reader: ProtoReader, columns: WriteColumns<T>): void {
  const outer = reader.end;
  const end = reader.length();
  reader.end = end;
  let value = 0;
  let timestamp = 0;
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === VALUE) value = reader.double();
    else if (field === TIMESTAMP) timestamp = reader.int64();
    else reader.skip(field);
  }
  columns.push(timestamp, value);
  reader.end = outer;
}

/** The labels of a series, one after the other, where other fields stand between them. */
function gathered(bytes: Uint8Array, start: number, end: number): Uint8Array {
  const reader = new ProtoReader(bytes, start, end);
  const parts: Uint8Array[] = [];
  for (let at = start, field = reader.next(); field !== 0; at = reader.at, field = reader.next()) {
    reader.skip(field);
    if (field === LABELS) parts.push(bytes.subarray(at, reader.at));
  }
  return Buffer.concat(parts);
}

function readMetadata<T extends object>(reader: ProtoReader, into: WriteReader<T>): void {
  const outer = reader.end;
  const end = reader.length();
  reader.end = end;
  let type = 0;
  let [name, help, unit] = ['', '', ''];
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === TYPE) type = reader.int64();
    else if (field === FAMILY) name = readText(reader);
    else if (field === HELP) help = readText(reader);
    else if (field === UNIT) unit = readText(reader);
    else reader.skip(field);
  }
  reader.end = outer;
  into.metadata({ name, type: METRIC_TYPES[type] ?? 'unknown', help, unit });
}
