import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ProtobufError } from '../protobuf/reader.js';
import { ProtoWriter } from '../protobuf/writer.js';
import { MetricsDecoder } from './decode-metrics.js';
import type { OtlpMetric, PointGroup, PointSink } from './metric-points.js';
import { metricsFromJson } from './metrics-json.js';

interface Series {
  readonly resource: Record<string, string>;
  readonly attributes: Record<string, string>;
}

/** What a body says, point by point. */
function pointsOf(body: Uint8Array, decoder = decoderOfTests()): Record<string, unknown>[] {
  const points: Record<string, unknown>[] = [];
  decoder.decode(body, sinkOf(points));
  return points;
}

function sinkOf(points: Record<string, unknown>[]): PointSink<Series, PointGroup<Series>> {
  const note = (series: Series, { name, unit, isDelta }: OtlpMetric, more: object): void =>
    void points.push({ ...series, name, unit, ...(isDelta && { isDelta }), ...more });
  return {
    number: (series, metric, time, value, start) => note(series, metric, { time, value, start }),
    histogram: (series, metric, time, { count, sum, bounds, atMost }, start) =>
      note(series, metric, { time, count, sum, bounds, atMost, start }),
    summary: (series, metric, time, { count, sum, quantiles, values }) =>
      note(series, metric, { time, count, sum, quantiles, values }),
    missing: (series, metric, time) => note(series, metric, { time, missing: true }),
    refuse: (reason) => points.push({ refused: reason }),
    exemplar: () => points.push({ exemplar: true }),
  };
}
const decoderOfTests = (): MetricsDecoder<Series, PointGroup<Series>> =>
  new MetricsDecoder(
    (resource, _metric, attributes) => ({
      resource: Object.fromEntries(resource),
      attributes: Object.fromEntries(attributes),
    }),
    (series) => ({ series }),
    1_000,
  );
const read = (json: unknown): Record<string, unknown>[] => pointsOf(metricsFromJson(json));

const attribute = (key: string, value: object): object => ({ key, value });
const request = (metrics: object[], attributes: object[] = []): { resourceMetrics: object[] } => ({
  resourceMetrics: [{ resource: { attributes }, scopeMetrics: [{ scope: { name: 'test' }, metrics }] }],
});
const host = { resource: { 'host.name': 'a' }, attributes: {} };
const ofHost = [attribute('host.name', { stringValue: 'a' })];
const time = { timeUnixNano: '1764000000123999999', startTimeUnixNano: '1764000000000000000' };
const at = { time: 1_764_000_000_123, start: 1_764_000_000_000 };

describe('metrics of OpenTelemetry', () => {
  it('of several requests that are decoded piece by piece in turns are those of each', () => {
    const bodies = [0, 1, 2].map((number) =>
      metricsFromJson(
        request(
          Array.from({ length: 300 }, (_, index) => ({
            name: `m${index}`,
            gauge: {
              dataPoints: [0, 1].map((cpu) => ({
                ...time,
                asDouble: number * 1_000 + index,
                attributes: [attribute('cpu', { intValue: String(cpu + number) })],
              })),
            },
          })),
          [attribute('host.name', { stringValue: `host-${number}` })],
        ),
      ),
    );
    const decoder = decoderOfTests();
    const found = bodies.map((body) => {
      const points: Record<string, unknown>[] = [];
      return { points, pieces: decoder.pieces(body, sinkOf(points)) };
    });
    let turns = 0;
    for (let left = found; left.length > 0; turns += 1) left = left.filter(({ pieces }) => !pieces.next().done);
    expect(turns).toBeGreaterThan(2);
    expect(found.map(({ points }) => points)).toEqual(bodies.map((body) => pointsOf(body)));
    expect(found[2]?.points).toHaveLength(600);
  });

  it('are what they say also where they come as before, or nearly so', async () => {
    interface Named {
      readonly name: string;
    }
    /** Names its series once more each time. */
    class Group {
      constructor(
        private readonly named: readonly Named[],
        private readonly again: () => readonly Named[],
      ) {}

      get series(): readonly Named[] {
        const series = this.again();
        expect(series).toEqual(this.named);
        return series;
      }
    }
    const decoderOfNames = (): MetricsDecoder<Named, Group> =>
      new MetricsDecoder(
        (resource, { name, unit }, attributes) => ({ name: JSON.stringify([...resource, name, unit, ...attributes]) }),
        (series, again) => new Group(series, again),
        200,
      );
    let groups = 0;
    const said = async (
      body: Uint8Array,
      decoder: MetricsDecoder<Named, Group>,
      hasGroups: boolean,
    ): Promise<unknown> => {
      const points: unknown[] = [];
      const known = decoder.seriesOfBody();
      const group = ({ series }: Group, times: Float64Array, values: Float64Array, count: number): void => {
        expect(series).toHaveLength(count);
        series.forEach((one, index) => points.push([one.name, times[index], values[index]]));
        groups += 1;
      };
      const sink: PointSink<Named, Group> = {
        number: ({ name }, _metric, time, value) => points.push([name, time, value]),
        histogram: ({ name }, _metric, time, { count }) => points.push([name, time, 'histogram', count]),
        summary: ({ name }, _metric, time, { count }) => points.push([name, time, 'summary', count]),
        missing: ({ name }, _metric, time) => points.push([name, time, 'missing']),
        refuse: (reason) => points.push(reason),
        exemplar: () => points.push('exemplar'),
        ...(hasGroups && { group }),
      };
      for (const pieces = decoder.pieces(body, sink, known); !pieces.next().done;);
      await known.keep(() => true);
      return points;
    };
    const usual = [0, 1, 2, 3, 4].map((index) => ({
      name: `m${index >> 1}`,
      cpu: index === 4 ? undefined : index,
      value: { asDouble: index },
    }));
    const point = fc.record({
      name: fc.constantFrom('m0', 'm1', 'other'),
      cpu: fc.option(fc.nat(2), { nil: undefined }),
      value: fc.constantFrom(
        { asInt: '7' },
        { asDouble: -0 },
        { asDouble: 'NaN' },
        { flags: 1 },
        {},
        { asDouble: 1, exemplars: [{ asDouble: 1 }] },
      ),
    });
    const resource = fc.record({
      host: fc.constantFrom('a', 'b'),
      kind: fc.constantFrom('gauge', 'gauge', 'gauge', 'sum', 'delta', 'histogram'),
      points: fc.oneof(
        { weight: 4, arbitrary: fc.constant(usual) },
        { weight: 1, arbitrary: fc.subarray(usual) },
        { weight: 1, arbitrary: fc.shuffledSubarray(usual) },
        {
          weight: 1,
          arbitrary: fc.tuple(fc.nat(4), point).map(([at, one]) => usual.with(at, one as (typeof usual)[0])),
        },
        { weight: 1, arbitrary: fc.array(point as fc.Arbitrary<(typeof usual)[0]>, { maxLength: 6 }) },
      ),
      time: fc.integer({ min: 1, max: 2 ** 41 }),
    });
    const bodyOf = (resources: readonly (typeof resource extends fc.Arbitrary<infer T> ? T : never)[]): Uint8Array =>
      metricsFromJson({
        resourceMetrics: resources.map(({ host, kind, points, time: ms }) => {
          const metrics: { name: string; dataPoints: object[] }[] = [];
          for (const { name, cpu, value } of points) {
            if (metrics.at(-1)?.name !== name) metrics.push({ name, dataPoints: [] });
            metrics.at(-1)?.dataPoints.push({
              timeUnixNano: `${ms}000000`,
              attributes: cpu === undefined ? [] : [attribute('cpu', { intValue: String(cpu) })],
              ...(kind === 'histogram' ? { count: 1, sum: 1 } : value),
            });
          }
          const aggregationTemporality = kind === 'delta' ? 1 : 2;
          return {
            resource: { attributes: [attribute('host.name', { stringValue: host })] },
            scopeMetrics: [
              {
                metrics: metrics.map(({ name, dataPoints }) => ({
                  name,
                  [kind === 'delta' ? 'sum' : kind]: { dataPoints, aggregationTemporality },
                })),
              },
            ],
          };
        }),
      });
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(resource, { minLength: 1, maxLength: 3 }), { maxLength: 8 }),
        async (requests) => {
          const decoder = decoderOfNames();
          for (const [turn, body] of requests.map(bodyOf).entries()) {
            expect(await said(body, decoder, turn % 4 !== 3)).toEqual(await said(body, decoderOfNames(), false));
          }
        },
      ),
      { numRuns: process.env['DEVICE_METRICS_LONG'] ? 10_000 : 70 },
    );
    expect(groups).toBeGreaterThan(0);
  });

  it('of a resource that is wrong cost no other resource', () => {
    const refused: [string, number][] = [];
    const gauge = (value: number): object => ({ name: 'g', gauge: { dataPoints: [{ ...time, asDouble: value }] } });
    const good = request([gauge(1)], ofHost).resourceMetrics;
    const wrong = request([gauge(2), gauge(3)], [attribute('host.name', 'plain' as unknown as object)]).resourceMetrics;
    const scopes = {
      resource: { attributes: ofHost },
      scope_metrics: [{ metrics: [gauge(4)] }, { metrics: [gauge(5), 'odd'] }],
    };
    const body = metricsFromJson({ resourceMetrics: [...wrong, ...good, scopes] }, (...one) => refused.push(one));
    expect(pointsOf(body).map(({ value }) => value)).toEqual([1, 4, 5]);
    expect(refused).toEqual([
      ['resourceMetrics[0].resource.attributes[0].value must be an object, got "plain"', 2],
      ['resourceMetrics[2].scopeMetrics[1].metrics[1] must be an object, got "odd"', 1],
    ]);
  });

  it('of a sender from before OTLP 0.15 are read as well', () => {
    const gauge = (value: unknown): object => ({ name: 'g', gauge: { dataPoints: [{ ...time, asDouble: value }] } });
    const [scopes] = request([gauge(1)], ofHost).resourceMetrics as { scopeMetrics: object[] }[];
    const { scopeMetrics: instrumentationLibraryMetrics, ...rest } = scopes as { scopeMetrics: object[] };
    expect(read({ resourceMetrics: [{ ...rest, instrumentationLibraryMetrics }] })).toMatchObject([
      { ...host, value: 1 },
    ]);
    const refused: [string, number][] = [];
    const older = { name: 'o', intGauge: { dataPoints: [{ ...time, value: '1' }, {}] } };
    expect(pointsOf(metricsFromJson(request([older, gauge(3)], ofHost), (...one) => refused.push(one)))).toMatchObject([
      { value: 3 },
    ]);
    expect(refused).toEqual([
      [
        'resourceMetrics[0].scopeMetrics[0].metrics[0] must be gauge, sum, histogram, exponentialHistogram or summary where it has points, got "intGauge"',
        2,
      ],
    ]);
    const scope = new ProtoWriter().message(2, (metric) =>
      metric
        .text(1, 'g')
        .message(5, (data) => data.message(1, (point) => point.fixed64(3, 1_764_000_000_123_999_999n).double(4, 2))),
    );
    const body = new ProtoWriter().message(1, (resource) => resource.data(1_000, scope.finish())).finish();
    expect(pointsOf(body)).toMatchObject([{ value: 2 }]);
  });

  it('of a sender from before OTLP 0.9 are refused, and no others', () => {
    const metric = (name: string, data: number, point: (of: ProtoWriter) => unknown) => (of: ProtoWriter) =>
      of.text(1, name).message(data, (kind) => {
        for (let turn = 0; turn < 2; turn += 1) kind.message(1, (one) => void point(one.fixed64(3, nanos)));
        if (data === 9) kind.varint(2, 2);
      });
    const nanos = 1_764_000_000_123_999_999n;
    const label = (of: ProtoWriter): unknown => of.message(1, (pair) => pair.text(1, 'cpu').text(2, '0'));
    const scope = new ProtoWriter()
      .message(
        2,
        metric('int gauge', 4, (of) => of.fixed64(4, 7n)),
      )
      .message(
        2,
        metric('now', 5, (of) => of.double(4, 2)),
      )
      .message(
        2,
        metric('int sum', 6, (of) => of.fixed64(4, 7n)),
      )
      .message(
        2,
        metric('labels', 5, (of) => label(of.double(4, 2))),
      )
      .message(
        2,
        metric('summary', 11, (of) => label(of.fixed64(4, 1n).double(5, 2))),
      )
      .message(
        2,
        metric('histogram', 9, (of) => label(of.fixed64(4, 1n).double(5, 2))),
      );
    const body = new ProtoWriter().message(1, (resource) => resource.data(2, scope.finish())).finish();
    const twice = (refused: string): object[] => [{ refused }, { refused }];
    const expected = [
      ...twice('"int gauge" has points in a form from before OTLP 0.9'),
      ...[1, 2].map(() => expect.objectContaining({ name: 'now', value: 2 })),
      ...twice('"int sum" has points in a form from before OTLP 0.9'),
      ...['labels', 'summary', 'histogram'].flatMap((name) =>
        twice(`a point of ${name} has labels from before OTLP 0.9`),
      ),
    ];
    expect(pointsOf(body)).toEqual(expected);
    const labels = [{ key: 'cpu', value: '0' }];
    const dataPoints = [
      { ...time, asDouble: 1, labels },
      { ...time, asDouble: 2, labels: [] },
    ];
    expect(read(request([{ name: 'json', gauge: { dataPoints } }], ofHost))).toEqual([
      { refused: 'a point of json has labels from before OTLP 0.9' },
      expect.objectContaining({ value: 2 }),
    ]);
  });

  it('with more attributes than anybody has are refused', () => {
    const attributes = Array.from({ length: 1_001 }, (_, index) => attribute(`k${index}`, { boolValue: true }));
    const dataPoints = [
      { ...time, asDouble: 1, attributes },
      { ...time, asDouble: 2 },
    ];
    expect(read(request([{ name: 'g', gauge: { dataPoints } }], ofHost))).toEqual([
      { refused: 'there are more than 1000 attributes' },
      expect.objectContaining({ value: 2 }),
    ]);
  });

  it('of more than a mebibyte are refused, and no others', () => {
    const attributes = [attribute('long', { stringValue: 'x'.repeat(2 ** 20) })];
    const dataPoints = [
      { ...time, asDouble: 1, attributes },
      { ...time, asDouble: 2 },
    ];
    expect(read(request([{ name: 'g', gauge: { dataPoints } }], ofHost))).toEqual([
      { refused: expect.stringMatching(/^a point may have at most 1048576 bytes, and one of g has \d{7}$/) as unknown },
      expect.objectContaining({ value: 2 }),
    ]);
  });

  it('are gauges and sums of doubles and integers', () => {
    const metrics = [
      {
        name: 'g',
        unit: 'Cel',
        gauge: {
          dataPoints: [
            { ...time, asDouble: 21.5 },
            { ...time, asInt: '-9007199254740993' },
          ],
        },
      },
      { name: 's', sum: { aggregationTemporality: 1, isMonotonic: true, dataPoints: [{ ...time, asInt: 3 }] } },
      { name: 'n', gauge: { dataPoints: [{ ...time, flags: 1 }, { ...time, asDouble: 'NaN' }, { ...time }] } },
    ];
    expect(read(request(metrics, ofHost))).toEqual([
      { ...host, name: 'g', unit: 'Cel', value: 21.5, ...at },
      { ...host, name: 'g', unit: 'Cel', value: -9007199254740992, ...at },
      { ...host, name: 's', unit: '', isDelta: true, value: 3, ...at },
      { ...host, name: 'n', unit: '', missing: true, time: at.time },
      { ...host, name: 'n', unit: '', missing: true, time: at.time },
      { refused: 'a point of n must have asDouble or asInt' },
    ]);
  });

  it('are histograms, whose buckets count what is at most so large', () => {
    const explicit = { ...time, count: 6, sum: 9.5, bucketCounts: ['1', '2', '3'], explicitBounds: [0.5, 1] };
    const metrics = [
      { name: 'h', histogram: { aggregationTemporality: 2, dataPoints: [explicit, { ...time, count: 1 }] } },
      { name: 'w', histogram: { aggregationTemporality: 2, dataPoints: [{ ...explicit, bucketCounts: [1] }] } },
      { name: 'o', histogram: { aggregationTemporality: 2, dataPoints: [{ ...explicit, explicitBounds: [1, 0.5] }] } },
      { name: 't', histogram: { dataPoints: [explicit] } },
    ];
    expect(read(request(metrics, ofHost))).toEqual([
      { ...host, name: 'h', unit: '', count: 6, sum: 9.5, bounds: [0.5, 1], atMost: [1, 3], ...at },
      { ...host, name: 'h', unit: '', count: 1, sum: undefined, bounds: [], atMost: [], ...at },
      { refused: 'w: bucket_counts must be one more than explicit_bounds, got 1 and 2' },
      { refused: 'o: explicit_bounds must grow, got 1 before 0.5' },
      { refused: 'the aggregation temporality of "t" must be 1 (delta) or 2 (cumulative)' },
    ]);
  });

  it('are exponential histograms, whose fine buckets are merged', () => {
    const point = (more: object): object => ({
      name: 'e',
      exponentialHistogram: { aggregationTemporality: 2, dataPoints: [{ ...time, ...more }] },
    });
    const found = read(
      request([
        point({ count: 3, scale: 0, positive: { offset: -1, bucketCounts: [1, 0, 2, 0] } }),
        point({ count: 8, scale: 4, positive: { offset: 0, bucketCounts: [1, 1, 1, 1, 1, 1, 1, 1] } }),
        point({
          count: 10,
          scale: 0,
          zeroCount: 3,
          negative: { offset: 0, bucketCounts: [1, 2] },
          positive: { offset: 0, bucketCounts: [4] },
        }),
        point({ count: 7, scale: 0, zeroCount: 3, zeroThreshold: 5, positive: { offset: 0, bucketCounts: [4] } }),
      ]),
    );
    expect(found).toMatchObject([
      { bounds: [1, 2, 4], atMost: [1, 1, 3] },
      { bounds: [2 ** 0.25, 2 ** 0.5], atMost: [4, 8] },
      // -4 to -2, -2 to -1, 0, 1 to 2.
      { bounds: [-2, -1, 0, 2], atMost: [2, 3, 6, 10] },
      { refused: 'e: its buckets overlap' },
    ]);
  });

  it('are summaries', () => {
    const quantileValues = [
      { quantile: 0.5, value: 1 },
      { quantile: 0.99, value: 7 },
    ];
    const summary = { dataPoints: [{ ...time, count: 4, sum: 12, quantileValues }] };
    expect(read(request([{ name: 'q', summary }]))).toMatchObject([
      { name: 'q', count: 4, sum: 12, quantiles: [0.5, 0.99], values: [1, 7] },
    ]);
  });

  it('have attributes of every type as texts', () => {
    const attributes = [
      attribute('s', { stringValue: 'é' }),
      attribute('b', { boolValue: true }),
      attribute('i', { intValue: '12' }),
      attribute('d', { doubleValue: 0.5 }),
      attribute('a', { arrayValue: { values: [{ stringValue: 'x' }, { intValue: 1 }] } }),
      attribute('k', { kvlistValue: { values: [attribute('y', { boolValue: false })] } }),
      attribute('x', { bytesValue: 'AQI=' }),
      attribute('e', {}),
    ];
    const [point] = read(request([{ name: 'g', gauge: { dataPoints: [{ ...time, asInt: 1, attributes }] } }]));
    expect(point?.['attributes']).toEqual({
      s: 'é',
      b: 'true',
      i: '12',
      d: '0.5',
      a: '["x",1]',
      k: '{"y":false}',
      x: 'AQI=',
      e: '',
    });
  });

  it('keep the series of equal bytes, and tell apart all others', () => {
    const decoder = decoderOfTests();
    const labels = fc.dictionary(fc.string({ minLength: 1 }), fc.string(), { maxKeys: 3 });
    const sent = fc.array(
      fc.record({ name: fc.constantFrom('a', 'ab'), unit: fc.constantFrom('', 'b'), labels, resource: labels }),
    );
    const pairs = (of: Record<string, string>): object[] =>
      Object.entries(of).map(([key, stringValue]) => attribute(key, { stringValue }));
    fc.assert(
      fc.property(sent, (series) => {
        const body = metricsFromJson({
          resourceMetrics: series.flatMap(({ name, unit, labels: own, resource }, value) => {
            const point = { ...time, asInt: value, attributes: pairs(own) };
            return request([{ name, unit, gauge: { dataPoints: [point] } }], pairs(resource)).resourceMetrics;
          }),
        });
        const expected = series.map(({ name, unit, labels: own, resource }, value) => ({
          name,
          unit,
          value,
          ...at,
          attributes: { ...own },
          resource: { ...resource },
        }));
        expect(pointsOf(body, decoder)).toEqual(expected);
        expect(pointsOf(body, decoder)).toEqual(expected);
      }),
    );
  });

  it('of one name and many units or kinds are those that were sent, again and again', () => {
    const decoder = decoderOfTests();
    const units = Array.from({ length: 40 }, (_, index) => `u${index % 20}`);
    const metrics = units.flatMap((unit, value) => [
      { name: 'm', unit, gauge: { dataPoints: [{ ...time, asInt: value }] } },
      { name: 'm', unit, sum: { aggregationTemporality: 2, dataPoints: [{ ...time, asInt: value }] } },
    ]);
    for (let turn = 0; turn < 2; turn += 1) {
      const body = Buffer.from(metricsFromJson(request(metrics, ofHost)));
      expect(pointsOf(body, decoder)).toEqual(
        units.flatMap((unit, value) => [0, 1].map(() => ({ ...host, name: 'm', unit, value, ...at }))),
      );
      // The memory of a body is used again.
      body.fill(0);
    }
  });

  it('are read alike by who has seen others before and by who has not', () => {
    const GAUGE = 5;
    const SUM = 7;
    const point = fc.record({ value: fc.integer(), cpu: fc.constantFrom(undefined, 'a', 'b') });
    const metric = fc.record({
      name: fc.constantFrom('a', 'ab'),
      unit: fc.constantFrom(undefined, '', 's'),
      help: fc.constantFrom(undefined, 'help', 'h'.repeat(300)),
      kind: fc.constantFrom(GAUGE, SUM),
      form: fc.constantFrom([2, 1], [2, 0], [1, 1], [0, 0]),
      points: fc.array(point, { maxLength: 2 }),
      order: fc.constantFrom([0, 1, 2, 3], [0, 1, 2, 3], [3, 2, 1, 0], [1, 3, 0, 2], [3, 0, 3, 1]),
    });
    const body = fc.record({
      hosts: fc.array(fc.record({ host: fc.constantFrom('x', 'y'), metrics: fc.array(metric) }), { maxLength: 3 }),
      flip: fc.option(fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 }))),
    });
    const bytesOf = ({ hosts, flip }: typeof body extends fc.Arbitrary<infer T> ? T : never): Uint8Array => {
      const all = new ProtoWriter();
      const pair = (writer: ProtoWriter, field: number, key: string, text: string): void =>
        void writer.message(field, (one) => one.text(1, key).message(2, (value) => value.text(1, text)));
      for (const { host: name, metrics } of hosts) {
        all.message(1, (ofHost) => {
          ofHost.message(1, (resource) => pair(resource, 1, 'host.name', name));
          ofHost.message(2, (scope) => {
            for (const one of metrics) {
              scope.message(2, (writer) => {
                const parts = [
                  () => writer.text(1, one.name),
                  () => one.help !== undefined && writer.text(2, one.help),
                  () => one.unit !== undefined && writer.text(3, one.unit),
                  () =>
                    writer.message(one.kind, (data) => {
                      for (const { value, cpu } of one.points) {
                        data.message(1, (into) => {
                          into.fixed64(3, 1_764_000_000_000_000_000n).double(4, value);
                          if (cpu !== undefined) pair(into, 7, 'cpu', cpu);
                        });
                      }
                      const [temporality = 0, isMonotonic = 0] = one.form;
                      if (one.kind === SUM) data.varint(2, temporality).varint(3, isMonotonic);
                    }),
                ];
                for (const part of one.order) parts[part]?.();
              });
            }
          });
        });
      }
      const bytes = Uint8Array.from(all.finish());
      if (flip && bytes.length > 0) bytes[flip[0] % bytes.length] = (bytes[flip[0] % bytes.length] as number) ^ flip[1];
      return bytes;
    };
    const said = (bytes: Uint8Array, decoder: MetricsDecoder<Series, PointGroup<Series>>): unknown => {
      const points: Record<string, unknown>[] = [];
      try {
        decoder.decode(bytes, sinkOf(points));
      } catch (error) {
        return { points, error: String(error) };
      }
      return { points };
    };
    fc.assert(
      fc.property(fc.array(body, { maxLength: 6 }), (bodies) => {
        const decoder = decoderOfTests();
        for (const bytes of bodies.map(bytesOf)) expect(said(bytes, decoder)).toEqual(said(bytes, decoderOfTests()));
      }),
    );
  });

  it('may have their fields in any order', () => {
    const pair = (key: string) => (one: ProtoWriter) => void one.text(1, key).message(2, (value) => value.text(1, 'v'));
    const body = new ProtoWriter()
      .message(1, (resource) =>
        resource
          .message(2, (scope) =>
            scope.message(2, (metric) =>
              metric
                .message(5, (gauge) =>
                  gauge.message(1, (point) =>
                    point.message(7, pair('a')).double(4, 0.5).message(7, pair('b')).fixed64(3, 5_000_000n),
                  ),
                )
                .text(3, 's')
                .text(1, 'late'),
            ),
          )
          .message(1, (one) => one.message(1, pair('r'))),
      )
      .finish();
    expect(pointsOf(body)).toEqual([
      { name: 'late', unit: 's', value: 0.5, time: 5, start: 0, attributes: { a: 'v', b: 'v' }, resource: { r: 'v' } },
    ]);
  });

  it('that are changed anywhere are refused as no such message, or read as what they are now', () => {
    const body = metricsFromJson(
      request(
        [
          { name: 'g', gauge: { dataPoints: [{ ...time, asDouble: 1, attributes: ofHost }] } },
          {
            name: 'h',
            histogram: {
              aggregationTemporality: 2,
              dataPoints: [{ ...time, count: 3, bucketCounts: [1, 2], explicitBounds: [1] }],
            },
          },
          {
            name: 'e',
            exponentialHistogram: {
              aggregationTemporality: 1,
              dataPoints: [{ ...time, count: 3, scale: 1, positive: { offset: 1, bucketCounts: [3] } }],
            },
          },
        ],
        ofHost,
      ),
    );
    fc.assert(
      fc.property(fc.nat(), fc.integer({ min: 1, max: 255 }), fc.nat(), (place, flip, cut) => {
        const changed = Buffer.from(body);
        const index = place % changed.length;
        changed[index] = (changed[index] ?? 0) ^ flip;
        try {
          pointsOf(cut % 2 === 0 ? changed : changed.subarray(0, cut % changed.length));
        } catch (error) {
          expect(error).toBeInstanceOf(ProtobufError);
        }
      }),
      { numRuns: process.env['DEVICE_METRICS_LONG'] ? 5_000 : 150 },
    );
  });

  it('that stand too deep in each other cost their points only', () => {
    let value: object = { stringValue: 'x' };
    for (let depth = 0; depth < 40; depth += 1) value = { arrayValue: { values: [value] } };
    const points = [
      { ...time, asInt: 1, attributes: [attribute('deep', value)] },
      { ...time, asInt: 2 },
    ];
    expect(read(request([{ name: 'g', gauge: { dataPoints: points } }]))).toMatchObject([
      { refused: 'an attribute has more than 16 lists in each other' },
      { value: 2 },
    ]);
  });

  it('in JSON that are wrong cost themselves only, whatever is wrong with them', () => {
    const bad = fc.oneof(
      fc.constantFrom<unknown>(
        7,
        'x',
        [],
        { ...time, asInt: 1.5 },
        { ...time, asInt: {} },
        { ...time, flags: -1 },
        { attributes: 1 },
      ),
      fc
        .bigInt()
        .filter((one) => BigInt.asIntN(64, one) !== one)
        .map((one) => ({ ...time, asInt: `${one}` })),
    );
    const good = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
    const metric = fc.record({
      points: fc.array(fc.oneof(good, bad)),
      isBad: fc.oneof({ weight: 4, arbitrary: fc.constant(false) }, fc.constant(true)),
    });
    fc.assert(
      fc.property(fc.array(metric), (metrics) => {
        let refused = 0;
        const body = metricsFromJson(
          request([
            ...metrics.map(({ points, isBad }) => {
              const dataPoints = points.map((one) => (typeof one === 'bigint' ? { ...time, as_int: `${one}` } : one));
              return { gauge: { data_points: dataPoints }, name: isBad ? 5 : 'g' };
            }),
          ]),
          (_, count) => (refused += count),
        );
        const whole = metrics.filter(({ isBad }) => !isBad).flatMap(({ points }) => points);
        const values = whole.filter((one) => typeof one === 'bigint');
        expect(pointsOf(body).map(({ value }) => value)).toEqual(values.map(Number));
        expect(refused).toBeGreaterThanOrEqual(whole.length - values.length);
      }),
    );
  });

  it('keep integers of attributes to the last digit', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (intValue) => {
        const [point] = read(
          request([
            {
              name: 'g',
              gauge: {
                dataPoints: [{ ...time, asInt: 1, attributes: [attribute('id', { intValue: `${intValue}` })] }],
              },
            },
          ]),
        );
        expect(point?.['attributes']).toEqual({ id: `${intValue}` });
      }),
    );
  });

  it('keep the millisecond of a time, which JSON may have as a number', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 42 }), fc.boolean(), (ms, isNumber) => {
        const nanos = `${ms}000000`;
        const point = { timeUnixNano: isNumber ? Number(nanos) : nanos, asInt: 1 };
        expect(read(request([{ name: 'g', gauge: { dataPoints: [point] } }]))).toMatchObject([{ time: ms }]);
      }),
    );
  });

  it('that are histograms count what is in their buckets', () => {
    const count = fc.nat({ max: 50 });
    fc.assert(
      fc.property(
        fc.array(count, { minLength: 1, maxLength: 5 }),
        fc.array(count, { minLength: 1 }),
        fc.nat({ max: 3 }),
        (left, right, lie) => {
          const sum = [...left, ...right].reduce((all, one) => all + one, 0);
          const explicit = {
            ...time,
            count: sum + lie,
            bucketCounts: [...left, ...right],
            explicitBounds: [...left, ...right].slice(1).map((_, at) => at),
          };
          const exponential = {
            ...time,
            count: sum + lie,
            scale: 0,
            negative: { bucketCounts: left },
            positive: { bucketCounts: right },
          };
          const points = read(
            request([
              { name: 'h', histogram: { aggregationTemporality: 2, dataPoints: [explicit] } },
              { name: 'e', exponentialHistogram: { aggregationTemporality: 2, dataPoints: [exponential] } },
            ]),
          );
          for (const [at, name] of ['h', 'e'].entries()) {
            if (lie === 0) expect(points[at]).toMatchObject({ name, count: sum });
            else
              expect(points[at]).toEqual({
                refused: `${name}: count must be the sum of its buckets, ${sum}, got ${sum + lie}`,
              });
          }
        },
      ),
    );
  });

  it('in JSON may have the names of enums, and numbers as texts', () => {
    const sum = (aggregationTemporality: unknown): object => ({
      name: 's',
      sum: { aggregationTemporality, isMonotonic: true, dataPoints: [{ ...time, asInt: '3' }] },
    });
    for (const delta of [1, '1', 'AGGREGATION_TEMPORALITY_DELTA']) {
      expect(read(request([sum(delta)], ofHost))).toEqual([
        { ...host, name: 's', unit: '', isDelta: true, value: 3, ...at },
      ]);
    }
    expect(read(request([sum('AGGREGATION_TEMPORALITY_CUMULATIVE')], ofHost))).toEqual(read(request([sum(2)], ofHost)));
    expect(() => read(request([sum('DELTA')], ofHost))).toThrow('aggregationTemporality must be an integer');
  });

  it('in JSON say where a value is wrong', () => {
    const bad =
      (point: object): (() => unknown) =>
      () =>
        read(request([{ name: 'g', gauge: { dataPoints: [point] } }]));
    const path = 'resourceMetrics[0].scopeMetrics[0].metrics[0].gauge.dataPoints[0]';
    expect(bad({ asInt: 'x' })).toThrow(`${path}.asInt must be an integer, or a string with one, got "x"`);
    expect(bad({ asDouble: 'warm' })).toThrow(`${path}.asDouble must be a number, got "warm"`);
    expect(bad({ timeUnixNano: 1.5 })).toThrow(`${path}.timeUnixNano must be an integer`);
    expect(bad({ attributes: {} })).toThrow(`${path}.attributes must be an array, got {}`);
    expect(() => read([])).toThrow('the body must be an object, got an array of 0');
    expect(() => read({ resourceMetrics: null, other: 1 })).not.toThrow();
  });
});
