import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { BodyKeys, PartedMap } from '../byte-map.js';
import { ProtobufError } from '../protobuf/reader.js';
import { ProtoWriter } from '../protobuf/writer.js';
import { encodeWriteRequest, encodeWriteRequestV2, type SentSeries } from '../testing/encode.js';
import { decodeWriteRequest } from './decode-v1.js';
import { decodeWriteRequestV2 } from './decode-v2.js';
import { endOfFirstLabel, readLabels } from './read-labels.js';
import { METRIC_TYPES, type MetricMetadata, type WriteReader, type WriteRequest } from './write-request.js';

/** A series, as the JSON of its labels. */
interface Named {
  readonly name: string;
}
interface Read extends WriteRequest<Named> {
  readonly metadata: MetricMetadata[];
}

function read(decode: (body: Uint8Array, into: WriteReader<Named>) => WriteRequest<Named>, body: Uint8Array): Read {
  const metadata: MetricMetadata[] = [];
  const request = decode(body, {
    series: (bytes, start, end) => ({ name: JSON.stringify([...readLabels(bytes, start, end)]) }),
    metadata: (one) => metadata.push(one),
  });
  return { ...request, metadata };
}
const v1 = (body: Uint8Array): Read => read(decodeWriteRequest, body);
const v2 = (body: Uint8Array): Read => read(decodeWriteRequestV2, body);

const samplesOf = ({ series, timestamps, values }: WriteRequest<Named>): unknown[] =>
  series.map(({ name }, at) => [name, timestamps[at], values[at]]);
const sentSamples = (sent: readonly SentSeries[]): unknown[] =>
  sent.flatMap(({ labels, samples = [] }) =>
    samples.filter(([, value]) => !Number.isNaN(value)).map(([time, value]) => [JSON.stringify(labels), time, value]),
  );

const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 200 });
const time = fc.oneof(fc.integer({ min: 0, max: 2 ** 42 }), fc.maxSafeInteger());
const sent: fc.Arbitrary<SentSeries[]> = fc.array(
  fc.record({
    labels: fc.uniqueArray(fc.tuple(text, text), { selector: ([name]) => name, maxLength: 8 }),
    samples: fc.array(fc.tuple(time, fc.double()), { minLength: 1, maxLength: 4 }),
    exemplars: fc.array(time, { maxLength: 2 }),
    metadata: fc.record({ type: fc.constantFrom(...METRIC_TYPES), help: text, unit: fc.constantFrom('', 'seconds') }),
  }),
  { maxLength: 6 },
);
const metadata: fc.Arbitrary<MetricMetadata[]> = fc.array(
  fc.record({ name: text, type: fc.constantFrom(...METRIC_TYPES), help: text, unit: text }),
  { maxLength: 3 },
);

describe('a write request', () => {
  it('of any series comes out bit for bit, in both versions', () => {
    fc.assert(
      fc.property(sent, metadata, (series, said) => {
        const first = v1(encodeWriteRequest(series, said));
        const second = v2(encodeWriteRequestV2(series));
        const nan = series.flatMap(({ samples = [] }) => samples.filter(([, value]) => Number.isNaN(value)));
        for (const one of [first, second]) {
          expect(samplesOf(one)).toEqual(sentSamples(series));
          expect(one.withoutValue).toHaveLength(nan.length);
          expect(one.exemplars).toBe(series.flatMap(({ exemplars = [] }) => exemplars).length);
          expect(one.unreadable).toEqual([]);
        }
        expect(first.metadata).toEqual(said);
      }),
    );
  });

  it('with a stale marker ends its series there', () => {
    const body = encodeWriteRequest([
      {
        labels: [['__name__', 'up']],
        samples: [
          [1_000, 1],
          [2_000, NaN],
          [3_000, 0],
        ],
      },
    ]);
    // The marker is a signalling NaN of its own bits.
    const marker = Buffer.from('020000000000f07f', 'hex');
    const at = Buffer.from(body).indexOf(Buffer.from('000000000000f87f', 'hex'));
    marker.copy(body, at);
    const { withoutValue, ...request } = v1(body);
    expect(withoutValue).toEqual([{ series: { name: '[["__name__","up"]]' }, timestamp: 2_000 }]);
    expect(samplesOf({ withoutValue, ...request })).toEqual([
      ['[["__name__","up"]]', 1_000, 1],
      ['[["__name__","up"]]', 3_000, 0],
    ]);
  });

  it('may have its fields in any order, some of which nobody knows', () => {
    const label = (name: string, value: string) => (one: ProtoWriter) => void one.text(2, value).text(1, name);
    const sample = (one: ProtoWriter): void => void one.varint(2, 5).text(9, 'new').double(1, 0.5);
    const body = new ProtoWriter()
      .varint(99, 2n ** 63n)
      .message(1, (one) =>
        one
          .message(2, sample)
          .message(1, label('a', '1'))
          .fixed64(77, 1)
          .message(1, label('b', '2'))
          .message(2, sample),
      )
      .finish();
    expect(samplesOf(v1(body))).toEqual([
      ['[["a","1"],["b","2"]]', 5, 0.5],
      ['[["a","1"],["b","2"]]', 5, 0.5],
    ]);
    const second = new ProtoWriter()
      .message(5, (one) => one.message(2, sample).varint(1, 1).varint(1, 2))
      .text(4, '')
      .text(4, 'a')
      .text(4, '1')
      .finish();
    expect(samplesOf(v2(second))).toEqual([['[["a","1"]]', 5, 0.5]]);
  });

  it('counts native histograms of each series', () => {
    const series = [{ labels: [['__name__', 'rpc'] as const], histograms: [1, 2] }];
    for (const { histograms } of [v1(encodeWriteRequest(series)), v2(encodeWriteRequestV2(series))]) {
      expect(histograms).toEqual([{ series: { name: '[["__name__","rpc"]]' }, count: 2 }]);
    }
  });

  it('of version 2 says which series refer to nothing, and takes the others', () => {
    const good = { labels: [['__name__', 'up'] as const], samples: [[1, 2] as const] };
    const bad = new ProtoWriter()
      .message(5, (one) => one.data(1, Uint8Array.of(1, 99)).message(2, (sample) => sample.double(1, 1)))
      .message(5, (one) => one.data(1, Uint8Array.of(1)).message(2, (sample) => sample.double(1, 1)))
      .message(5, (one) => one.data(1, Uint8Array.of(1, 2)))
      .finish();
    const request = v2(Buffer.concat([bad, encodeWriteRequestV2([good])]));
    expect(samplesOf(request)).toEqual([['[["__name__","up"]]', 1, 2]]);
    expect(request.unreadable).toEqual([
      { reason: 'it refers to symbol 99, and there are 3', samples: 1 },
      { reason: 'its labels must be pairs, got 1 references', samples: 1 },
      { reason: 'it has neither samples nor histograms', samples: 0 },
    ]);
  });

  it('of one version read as the other is refused: it would be empty', () => {
    const series = [{ labels: [['__name__', 'up'] as const], samples: [[1, 2] as const] }];
    expect(() => v2(encodeWriteRequest(series))).toThrow('it is prometheus.WriteRequest');
    expect(() => v1(encodeWriteRequestV2(series))).toThrow('it is io.prometheus.write.v2.Request');
  });

  it('whose symbols would become more than anybody can hold is refused', () => {
    const refs = new ProtoWriter();
    for (let pair = 0; pair < 2_000; pair += 1) refs.packed(1).packed(1);
    const body = new ProtoWriter()
      .text(4, '')
      .text(4, 'x'.repeat(100_000))
      .message(5, (one) => one.data(1, refs.finish()).message(2, (sample) => sample.double(1, 1)))
      .finish();
    expect(() => v2(body)).toThrow('the labels of its series have more than');
  });

  it('that is changed anywhere is refused as no such message, or read as what it is now', () => {
    const changed = fc.tuple(sent, fc.nat(), fc.integer({ min: 1, max: 255 }), fc.nat());
    fc.assert(
      fc.property(changed, ([series, place, flip, cut]) => {
        for (const [encode, decode] of [
          [encodeWriteRequest, v1],
          [encodeWriteRequestV2, v2],
        ] as const) {
          const body = Buffer.from(encode(series));
          if (body.length === 0) continue;
          const at = place % body.length;
          body[at] = (body[at] ?? 0) ^ flip;
          const shorter = cut % 2 === 0 ? body : body.subarray(0, cut % body.length);
          try {
            const { timestamps, values, series: found } = decode(shorter);
            expect(timestamps.length).toBeGreaterThanOrEqual(found.length);
            expect(values.length).toBeGreaterThanOrEqual(found.length);
          } catch (error) {
            expect(error).toBeInstanceOf(ProtobufError);
          }
        }
      }),
      { numRuns: process.env['DEVICE_METRICS_LONG'] ? 5_000 : 50 },
    );
  });

  it('whose lengths lie, or that has endless numbers, is refused', () => {
    const cases: [hex: string, reason: string][] = [
      ['0aff', 'a number must follow'],
      ['0a05', 'a length of 5, and 0 bytes are left'],
      ['0affffffff0f', 'a length of 4294967295'],
      ['0affffffffffffffffff01', 'a number of more than 32 bits'],
      ['0a0c12ff', 'a length of 12'],
      ['0a0412ff0100', 'a length of 255, and 1 bytes are left'],
      ['0a0412020900', '8 bytes must follow'],
      ['0a0d120b10ffffffffffffffffff7f', 'a number of more than 64 bits'],
      ['0b', 'wire type 3'],
      ['02', 'a number from 1 on'],
      ['ff'.repeat(40), 'more than 32 bits'],
    ];
    for (const [hex, reason] of cases) expect(() => v1(Buffer.from(hex, 'hex'))).toThrow(reason);
  });
});

describe('labels', () => {
  const label = (name: string, value: string): Uint8Array =>
    new ProtoWriter().message(1, (one) => one.text(1, name).text(2, value)).finish();
  const labels = (...parts: Uint8Array[]): Map<string, string> => {
    const bytes = Buffer.concat(parts);
    return readLabels(bytes, 0, bytes.length);
  };

  it('that are empty are not there', () => {
    expect([...labels(label('a', ''), label('b', '1'))]).toEqual([['b', '1']]);
  });

  it('without a name, twice, or not in UTF-8 are refused', () => {
    expect(() => labels(label('', '1'))).toThrow('a label has no name, and the value "1"');
    expect(() => labels(label('a', '1'), label('a', '2'))).toThrow('the label "a" comes twice');
    expect(() => labels(label('a', ''), label('a', '2'), label('a', '2'))).toThrow('twice');
    const broken = label('a', 'xx').with(7, 0xff);
    expect(() => labels(broken)).toThrow('not UTF-8');
  });
});

describe('series that are known by the parts of their bytes', () => {
  type Reader = WriteReader<Named>['series'];
  const readSeries: Reader = (bytes, start, end) => {
    try {
      return { name: JSON.stringify([...readLabels(bytes, start, end)]) };
    } catch (error) {
      return String(error);
    }
  };
  /** What a request says of its series. */
  const seriesOf = (decode: typeof decodeWriteRequest, body: Uint8Array, series: Reader): unknown => {
    try {
      const request = decode(body, { series, metadata: () => {} });
      return [samplesOf(request), request.unreadable, request.withoutValue, request.histograms];
    } catch (error) {
      return String(error);
    }
  };
  // Few and short, so that parts and ends of them meet; some have no name, and some labels come twice.
  const name = fc.constantFrom('__name__', 'A', 'a', 'b', '');
  const value = fc.oneof(fc.constantFrom('', 'a', 'b', 'ab'), fc.string({ minLength: 120, maxLength: 130 }));
  const some = fc.array(
    fc.record({
      labels: fc.array(fc.tuple(name, value), { maxLength: 4 }),
      samples: fc.array(fc.tuple(time, fc.double()), { maxLength: 2 }),
      histograms: fc.array(time, { maxLength: 1 }),
    }),
    { maxLength: 8 },
  );
  const change = fc.option(fc.record({ place: fc.nat(), flip: fc.integer({ min: 1, max: 255 }) }));

  it('are those that each reading finds, in any order, of changed bodies too', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(some, change), { maxLength: 4 }), async (bodies) => {
        const known = new PartedMap<Named>(endOfFirstLabel, 20);
        for (const [sent, changed] of [...bodies, ...bodies]) {
          for (const [encode, decode] of [
            [encodeWriteRequest, decodeWriteRequest],
            [encodeWriteRequestV2, decodeWriteRequestV2],
          ] as const) {
            const body = Buffer.from(encode(sent));
            const at = changed ? changed.place % Math.max(1, body.length) : 0;
            if (changed && body.length > 0) body[at] = (body[at] as number) ^ changed.flip;
            const ofBody = new BodyKeys(known);
            const found = seriesOf(decode, body, (bytes, start, end) => {
              const series = ofBody.get(bytes, start, end) ?? readSeries(bytes, start, end);
              if (typeof series !== 'string' && !ofBody.get(bytes, start, end)) ofBody.set(bytes, start, end, series);
              return series;
            });
            expect(found).toEqual(seriesOf(decode, body, readSeries));
            await ofBody.keep(() => true);
          }
        }
      }),
      { numRuns: process.env['DEVICE_METRICS_LONG'] ? 5_000 : 50 },
    );
  });

  it('have their first label as the first part, where it is whole and short', () => {
    const label = (value: string): Uint8Array =>
      new ProtoWriter().message(1, (one) => one.text(1, 'a').text(2, value)).finish();
    const endIn = (bytes: Uint8Array, end = bytes.length): number =>
      endOfFirstLabel(Buffer.concat([Buffer.from([9]), bytes]), 1, 1 + end) - 1;
    const short = label('up');
    expect(endIn(Buffer.concat([short, label('x')]))).toBe(short.length);
    expect(endIn(short)).toBe(short.length);
    expect(endIn(short, short.length - 1)).toBe(0);
    expect(endIn(short, 1)).toBe(0);
    expect(endIn(short, 0)).toBe(0);
    expect(endIn(label('x'.repeat(200)))).toBe(0);
    expect(endIn(Uint8Array.of(0x12, 1, 0))).toBe(0);
  });
});

describe('numbers of 64 bits', () => {
  it('are read to the nearest double', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (value) => {
        const one = new ProtoWriter()
          .message(1, (series) => series.message(2, (sample) => sample.double(1, 1).varint(2, value)))
          .finish();
        expect(v1(one).timestamps[0]).toBe(Number(value));
      }),
    );
  });
});
