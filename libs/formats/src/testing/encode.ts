import { ProtoWriter } from '../protobuf/writer.js';
import { METRIC_TYPES, type MetricMetadata } from '../remote-write/write-request.js';

/** A series of a write request, as a test says it. */
export interface SentSeries {
  readonly labels: readonly (readonly [name: string, value: string])[];
  /** Times in Unix ms. */
  readonly samples?: readonly (readonly [timestamp: number, value: number])[];
  readonly histograms?: readonly number[];
  readonly exemplars?: readonly number[];
  /** Of version 2. */
  readonly metadata?: Omit<MetricMetadata, 'name'>;
}

const sample =
  ([timestamp, value]: readonly [number, number]) =>
  (writer: ProtoWriter): void =>
    void writer.double(1, value).varint(2, timestamp);

/** `prometheus.WriteRequest`. */
export function encodeWriteRequest(
  series: readonly SentSeries[],
  metadata: readonly MetricMetadata[] = [],
): Uint8Array {
  const request = new ProtoWriter();
  for (const { labels, samples = [], exemplars = [], histograms = [] } of series) {
    request.message(1, (one) => {
      for (const [name, value] of labels) one.message(1, (label) => label.text(1, name).text(2, value));
      for (const each of samples) one.message(2, sample(each));
      for (const time of exemplars) one.message(3, (exemplar) => exemplar.double(2, 1).varint(3, time));
      for (const time of histograms)
        one.message(4, (histogram) => histogram.varint(1, 7).double(3, 7).varint(15, time));
    });
  }
  for (const { name, type, help, unit } of metadata) {
    request.message(3, (one) => one.varint(1, METRIC_TYPES.indexOf(type)).text(2, name).text(4, help).text(5, unit));
  }
  return request.finish();
}

/** `io.prometheus.write.v2.Request`. */
export function encodeWriteRequestV2(series: readonly SentSeries[]): Uint8Array {
  const symbols = new Map([['', 0]]);
  const refOf = (text: string): number => {
    const known = symbols.get(text);
    if (known !== undefined) return known;
    symbols.set(text, symbols.size);
    return symbols.size - 1;
  };
  const timeSeries = new ProtoWriter();
  for (const { labels, samples = [], exemplars = [], histograms = [], metadata } of series) {
    const refs = new ProtoWriter();
    for (const text of labels.flat()) refs.packed(refOf(text));
    timeSeries.message(5, (one) => {
      one.data(1, refs.finish());
      for (const each of samples) one.message(2, sample(each));
      for (const time of histograms)
        one.message(3, (histogram) => histogram.varint(1, 7).double(3, 7).varint(15, time));
      for (const time of exemplars) one.message(4, (exemplar) => exemplar.double(2, 1).varint(3, time));
      if (metadata) {
        const { type, help, unit } = metadata;
        one.message(5, (said) =>
          said.varint(1, METRIC_TYPES.indexOf(type)).varint(3, refOf(help)).varint(4, refOf(unit)),
        );
      }
    });
  }
  const request = new ProtoWriter();
  for (const text of symbols.keys()) request.text(4, text);
  return Buffer.concat([request.finish(), timeSeries.finish()]);
}

/** Snappy's block format, as literals only: nothing of it is compressed. */
export function snap(bytes: Uint8Array): Uint8Array {
  const parts: Uint8Array[] = [new ProtoWriter().packed(bytes.length).finish()];
  for (let at = 0; at < bytes.length; at += 256) {
    const part = bytes.subarray(at, at + 256);
    parts.push(Uint8Array.of(60 << 2, part.length - 1), part);
  }
  return Buffer.concat(parts);
}
