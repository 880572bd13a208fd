import { BYTES, ProtoReader, ProtobufError, tag, textOf } from '../protobuf/reader.js';

/** Field numbers of `prometheus.TimeSeries` and `prometheus.Label`. */
export const LABELS = tag(1, BYTES);
const NAME = tag(1, BYTES);
const VALUE = tag(2, BYTES);

/** Labels of one series: to read very many of them would hold up others, and none may have so many. */
const MOST_LABELS = 1_000;

/**
 * The labels of a series, `__name__` among them. An empty value means that there is no such label, as Prometheus has it.
 *
 * @throws ProtobufError where they cannot be read, have no name, or one comes twice.
 */
export function readLabels(bytes: Uint8Array, start: number, end: number): Map<string, string> {
  const labels = new Map<string, string>();
  const reader = new ProtoReader(bytes, start, end);
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field !== LABELS) reader.skip(field);
    else readLabel(reader, labels);
  }
  return labels;
}

/**
 * Where the first label ends, which is mostly the name of the metric, and the only one in which series of a target differ; `start` where it
 * has 128 bytes or more, or there is none.
 */
export function endOfFirstLabel(bytes: Uint8Array, start: number, end: number): number {
  const length = bytes[start + 1] as number;
  const at = start + 2 + length;
  return bytes[start] === LABELS && length < 0x80 && at <= end ? at : start;
}

function readLabel(reader: ProtoReader, labels: Map<string, string>): void {
  const { end } = reader;
  reader.end = reader.length();
  let [name, value] = ['', ''];
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === NAME) name = readText(reader);
    else if (field === VALUE) value = readText(reader);
    else reader.skip(field);
  }
  reader.end = end;
  if (name === '') throw new ProtobufError(`a label has no name, and the value ${JSON.stringify(value.slice(0, 99))}`);
  if (labels.has(name)) throw new ProtobufError(`the label ${JSON.stringify(name.slice(0, 99))} comes twice`);
  if (value === '') return;
  if (labels.size === MOST_LABELS) throw new ProtobufError(`a series has more than ${MOST_LABELS} labels`);
  labels.set(name, value);
}

/** @throws ProtobufError where it is not UTF-8. */
export function readText(reader: ProtoReader): string {
  const start = reader.at;
  const end = reader.length();
  const from = reader.at;
  reader.at = end;
  const text = textOf(reader.bytes, from, end);
  if (text === undefined) throw new ProtobufError(`byte ${start}: a text that is not UTF-8`);
  return text;
}
