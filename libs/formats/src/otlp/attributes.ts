import { BYTES, FIXED64, ProtoReader, ProtobufError, tag, textOf, VARINT } from '../protobuf/reader.js';

/** Of `KeyValue`. */
const KEY = tag(1, BYTES);
const VALUE = tag(2, BYTES);
/** Of `AnyValue`. */
const STRING = tag(1, BYTES);
const BOOL = tag(2, VARINT);
const INT = tag(3, VARINT);
const DOUBLE = tag(4, FIXED64);
const ARRAY = tag(5, BYTES);
const LIST = tag(6, BYTES);
const DATA = tag(7, BYTES);
/** Of `ArrayValue` and `KeyValueList`. */
const VALUES = tag(1, BYTES);

/** Attributes of one thing: to read very many of them would hold up others, and no series has so many labels. */
const MOST_ATTRIBUTES = 1_000;

/** How deep values may stand in each other. */
const MOST_DEPTH = 16;

type Value = string | number | boolean | null | Value[] | { [key: string]: Value };

/**
 * Attributes as texts: a number or a boolean as JSON writes it (an integer with all its digits: two of them are two series),
 * bytes as base64, and lists as JSON.
 *
 * @param field the tag of the `KeyValue` fields that stand from `start` to before `end`; others are left out.
 * @throws ProtobufError where they cannot be read, or a key comes twice.
 */
export function readAttributes(bytes: Uint8Array, start: number, end: number, field: number): Map<string, string> {
  const attributes = new Map<string, string>();
  const reader = new ProtoReader(bytes, start, end);
  for (let found = reader.next(); found !== 0; found = reader.next()) {
    if (found !== field) {
      reader.skip(found);
      continue;
    }
    const [key, value] = readPair(reader, 0);
    if (attributes.has(key)) throw new ProtobufError(`the attribute ${JSON.stringify(key.slice(0, 99))} comes twice`);
    if (attributes.size === MOST_ATTRIBUTES)
      throw new ProtobufError(`there are more than ${MOST_ATTRIBUTES} attributes`);
    attributes.set(key, typeof value === 'string' ? value : JSON.stringify(value));
  }
  return attributes;
}

function readPair(reader: ProtoReader, depth: number): [key: string, value: Value] {
  return reader.within(() => {
    let key = '';
    let value: Value = '';
    for (let found = reader.next(); found !== 0; found = reader.next()) {
      if (found === KEY) key = readText(reader);
      else if (found === VALUE) value = readValue(reader, depth) ?? '';
      else reader.skip(found);
    }
    if (key === '') throw new ProtobufError('an attribute has no key');
    return [key, value];
  });
}

function readValue(reader: ProtoReader, depth: number): Value {
  if (depth >= MOST_DEPTH) throw new ProtobufError(`an attribute has more than ${MOST_DEPTH} lists in each other`);
  return reader.within(() => {
    let value: Value = null;
    for (let found = reader.next(); found !== 0; found = reader.next()) {
      if (found === STRING) value = readText(reader);
      else if (found === BOOL) value = reader.int64() !== 0;
      else if (found === INT) value = reader.exactInt64();
      else if (found === DOUBLE) value = reader.double();
      else if (found === ARRAY) value = readList(reader, (each) => readValue(each, depth + 1));
      else if (found === LIST) value = Object.fromEntries(readList(reader, (each) => readPair(each, depth + 1)));
      else if (found === DATA) value = readData(reader);
      else reader.skip(found);
    }
    return value;
  });
}

function readList<T>(reader: ProtoReader, read: (reader: ProtoReader) => T): T[] {
  return reader.within(() => {
    const values: T[] = [];
    for (let found = reader.next(); found !== 0; found = reader.next()) {
      if (found === VALUES) values.push(read(reader));
      else reader.skip(found);
    }
    return values;
  });
}

function readData(reader: ProtoReader): string {
  const end = reader.length();
  const data = Buffer.from(reader.bytes.subarray(reader.at, end)).toString('base64');
  reader.at = end;
  return data;
}

/** @throws ProtobufError where it is not UTF-8. */
export function readText(reader: ProtoReader): string {
  const end = reader.length();
  const text = textOf(reader.bytes, reader.at, end);
  if (text === undefined) throw new ProtobufError(`byte ${reader.at}: a text that is not UTF-8`);
  reader.at = end;
  return text;
}
