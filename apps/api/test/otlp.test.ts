import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { metricsFromJson } from '@device-metrics/formats';
import { OTLPMetricExporter as JsonExporter } from '@opentelemetry/exporter-metrics-otlp-http';
import { OTLPMetricExporter as ProtoExporter } from '@opentelemetry/exporter-metrics-otlp-proto';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  AggregationTemporality,
  AggregationType,
  InstrumentType,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import fc from 'fast-check';
import { Server, temporaryFolder, type Answer } from './server.js';

let server: Server;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
const settings = (): Record<string, string> => ({
  DATABASE_PATH: join(folder.path, 'metrics.db'),
  MAX_NEW_SERIES_PER_MINUTE: '0',
});

beforeAll(async () => {
  folder = await temporaryFolder();
  server = await Server.start(settings());
});
afterAll(async () => {
  await server.stop();
  await folder.remove();
});

const now = Math.floor(Date.now() / 1000) * 1000;
const nanos = (time: number): string => `${time}000000`;
const iso = (time: number): string => new Date(time).toISOString();
const attribute = (key: string, stringValue: string): object => ({ key, value: { stringValue } });
const request = (device: string, metrics: object[], more: object[] = []): object => ({
  resourceMetrics: [
    { resource: { attributes: [attribute('host.name', device), ...more] }, scopeMetrics: [{ metrics }] },
  ],
});
const postJson = (body: object): Promise<Answer> => server.post('/v1/metrics', body);
const postProto = (body: object, headers = {}): Promise<Answer> =>
  server.post('/v1/metrics', metricsFromJson(body), { 'content-type': 'application/x-protobuf', ...headers });
const report = async (device: string): Promise<any[]> =>
  (await server.get(`/api/v1/reports/metrics/${encodeURIComponent(device)}`)).body.series;
const gauge = (name: string, ...dataPoints: object[]): object => ({ name, gauge: { dataPoints } });

describe.each([
  ['JSON', postJson, '{}', 'application/json'],
  ['Protocol Buffers', postProto, '', 'application/x-protobuf'],
])('OTLP in %s', (form, post, empty, type) => {
  it('stores gauges and sums with unit, attributes and what tells resources apart', async () => {
    const device = `pc-${form}`;
    const answer = await post(
      request(
        device,
        [
          { ...gauge('hw.temperature', { timeUnixNano: nanos(now), asDouble: 48.5 }), unit: 'Cel' },
          {
            name: 'http.requests',
            unit: '{request}',
            sum: {
              aggregationTemporality: 2,
              isMonotonic: true,
              dataPoints: [{ timeUnixNano: nanos(now), asInt: '7', attributes: [attribute('http.route', '/a')] }],
            },
          },
        ],
        [attribute('service.name', 'shop'), attribute('telemetry.sdk.version', '2')],
      ),
    );

    expect([
      answer.status,
      JSON.stringify(answer.body).replaceAll('"', ''),
      answer.headers.get('content-type'),
    ]).toEqual([200, empty, type]);
    expect(await report(device)).toEqual([
      {
        device_name: device,
        metric_name: 'http.requests',
        unit: '{request}',
        labels: { 'http.route': '/a', 'service.name': 'shop' },
        samples: [[iso(now), 7]],
      },
      {
        device_name: device,
        metric_name: 'hw.temperature',
        unit: 'Cel',
        labels: { 'service.name': 'shop' },
        samples: [[iso(now), 48.5]],
      },
    ]);
  });

  it('stores points in the unit of their series, however often they come in another', async () => {
    const device = `units-${form}`;
    const send = (minute: number, unit: string, ...values: number[]): Promise<Answer> => {
      const timeUnixNano = nanos(now - minute * 60_000);
      const metrics = values.map((asDouble, place) => ({
        ...gauge(`temperature.${place}`, { timeUnixNano, asDouble }),
        unit,
      }));
      return post(request(device, metrics));
    };
    for (const minute of [9, 8, 7, 6]) await send(minute, 'Cel', minute, 10 * minute);
    for (const minute of [5, 4, 3]) await send(minute, '[degF]', 50, 212);
    await send(2, 'Cel', 2, 20);
    expect((await send(1, 'By', 1, 10)).status).toBe(400);

    const series = await report(device);
    expect(series.map(({ unit }) => unit)).toEqual(['Cel', 'Cel']);
    expect(series.map(({ samples }) => samples.map(([, value]: [string, number]) => Math.round(value)))).toEqual([
      [9, 8, 7, 6, 10, 10, 10, 2],
      [90, 80, 70, 60, 100, 100, 100, 20],
    ]);
  });

  it('stores histograms and summaries as count, sum and buckets', async () => {
    const device = `hist-${form}`;
    const time = { timeUnixNano: nanos(now) };
    await post(
      request(device, [
        {
          name: 'h',
          unit: 's',
          histogram: {
            aggregationTemporality: 2,
            dataPoints: [{ ...time, count: 6, sum: 9.5, bucketCounts: [1, 2, 3], explicitBounds: [0.5, 1] }],
          },
        },
        {
          name: 'e',
          exponentialHistogram: {
            aggregationTemporality: 2,
            dataPoints: [{ ...time, count: 3, sum: 4, scale: 0, positive: { offset: 0, bucketCounts: [1, 2] } }],
          },
        },
        {
          name: 's',
          summary: { dataPoints: [{ ...time, count: 2, sum: 3, quantileValues: [{ quantile: 0.5, value: 1 }] }] },
        },
      ]),
    );

    const found = (await report(device)).map(({ metric_name: name, labels, unit, samples }) => [
      name,
      labels,
      unit,
      samples[0][1],
    ]);
    expect(found).toEqual([
      ['e_bucket', { le: '+Inf' }, undefined, 3],
      ['e_bucket', { le: '2' }, undefined, 1],
      ['e_bucket', { le: '4' }, undefined, 3],
      ['e_count', {}, undefined, 3],
      ['e_sum', {}, undefined, 4],
      ['h_bucket', { le: '+Inf' }, undefined, 6],
      ['h_bucket', { le: '0.5' }, undefined, 1],
      ['h_bucket', { le: '1' }, undefined, 3],
      ['h_count', {}, undefined, 6],
      ['h_sum', {}, 's', 9.5],
      ['s', { quantile: '0.5' }, undefined, 1],
      ['s_count', {}, undefined, 2],
      ['s_sum', {}, undefined, 3],
    ]);
  });

  it('stores histograms and summaries whose sum is NaN, since one value was, without it', async () => {
    const device = `nan-${form}`;
    const point = { timeUnixNano: nanos(now), count: 2, sum: 'NaN' };
    const buckets = { ...point, bucketCounts: [1, 1], explicitBounds: [1] };
    const answer = await post(
      request(device, [
        { name: 'h', histogram: { aggregationTemporality: 2, dataPoints: [buckets] } },
        {
          name: 'd',
          histogram: { aggregationTemporality: 1, dataPoints: [{ ...buckets, startTimeUnixNano: nanos(now - 1) }] },
        },
        { name: 's', summary: { dataPoints: [point] } },
      ]),
    );
    expect(answer.status).toBe(200);
    const found = (await report(device)).map(({ metric_name: name, labels, samples }) => [name, labels, samples[0][1]]);
    expect(found).toEqual([
      ...['d', 'h'].flatMap((name) => [
        [`${name}_bucket`, { le: '+Inf' }, 2],
        [`${name}_bucket`, { le: '1' }, 1],
        [`${name}_count`, {}, 2],
      ]),
      ['s_count', {}, 2],
    ]);
  });

  it('says of a time in another unit what it looks like', async () => {
    const answer = await post(request(`clock-${form}`, [gauge('g', { timeUnixNano: String(now), asDouble: 1 })]));
    expect(answer.status).toBe(400);
    expect(JSON.stringify(answer.body)).toContain(
      `got 1970-01-01T00:${new Date(now / 1e6).toISOString().slice(14)}, which looks like milliseconds and is taken for nanoseconds`,
    );
  });

  it('stores good points beside bad ones, and says how many it refused and why', async () => {
    const device = `part-${form}`;
    const answer = await post(
      request(device, [
        gauge('good', { timeUnixNano: nanos(now), asDouble: 1 }),
        gauge('early', { timeUnixNano: '1', asDouble: 1 }, { timeUnixNano: nanos(now), asDouble: 2 }),
        gauge('empty', { timeUnixNano: nanos(now) }),
      ]),
    );

    expect(answer.status).toBe(200);
    const text = typeof answer.body === 'string' ? answer.body : answer.body.partialSuccess.errorMessage;
    expect(text).toContain('2 of 4 points were refused, and the others are stored.');
    expect(text).toContain(`taken for nanoseconds, in "early" of "${device}"`);
    if (form === 'JSON') expect(answer.body.partialSuccess.rejectedDataPoints).toBe('2');
    expect((await report(device)).map(({ metric_name: name }) => name)).toEqual(['early', 'good']);
  });

  it('answers nothing but bad points with 400', async () => {
    const answer = await post(request(`bad-${form}`, [gauge('early', { timeUnixNano: '1', asDouble: 1 })]));
    expect([answer.status, answer.headers.get('content-type')]).toEqual([400, type]);
    expect(JSON.stringify(answer.body)).toContain('1 of 1 points were refused.');
  });
});

describe('deltas', () => {
  const delta = (device: string, name: string, ...points: [time: number, value: number][]): object =>
    request(device, [
      {
        name,
        sum: {
          aggregationTemporality: 1,
          isMonotonic: true,
          dataPoints: points.map(([time, value]) => ({
            startTimeUnixNano: nanos(time - 10_000),
            timeUnixNano: nanos(time),
            asDouble: value,
          })),
        },
      },
    ]);
  const samples = async (device: string): Promise<unknown> => (await report(device))[0]?.samples;

  it('are summed, and a batch that comes again adds nothing, after a restart too', async () => {
    const first = delta('delta', 'jobs', [now - 60_000, 5], [now - 50_000, 3]);
    const second = delta('delta', 'jobs', [now - 40_000, 2]);
    for (const body of [first, first, second, first]) expect((await postProto(body)).status).toBe(200);
    const expected = [
      [iso(now - 60_000), 5],
      [iso(now - 50_000), 8],
      [iso(now - 40_000), 10],
    ];
    expect(await samples('delta')).toEqual(expected);

    await server.stop('SIGKILL');
    server = await Server.start(settings());
    for (const body of [first, second, first]) expect((await postProto(body)).status).toBe(200);
    expect(await samples('delta')).toEqual(expected);
    await postProto(delta('delta', 'jobs', [now - 30_000, 1]));
    expect(await samples('delta')).toEqual([...expected, [iso(now - 30_000), 11]]);
  });

  it('go on adding up once their device is deleted and comes again, or is merged into another', async () => {
    await postProto(delta('delta-gone', 'jobs', [now - 70_000, 100]));
    await postProto(delta('delta-gone', 'jobs', [now - 60_000, 100]));
    expect((await server.send('DELETE', '/api/v1/devices/delta-gone')).status).toBe(204);
    await postProto(delta('delta-gone', 'jobs', [now - 50_000, 5]));
    await postProto(delta('delta-gone', 'jobs', [now - 40_000, 3]));
    await postProto(delta('delta-gone', 'jobs', [now - 40_000, 3], [now - 30_000, 2]));
    const sums = [
      [iso(now - 50_000), 5],
      [iso(now - 40_000), 8],
      [iso(now - 30_000), 10],
    ];
    expect(await samples('delta-gone')).toEqual(sums);

    await server.post('/api/v1/aggregator/metrics', { device_name: 'delta-all', metric_name: 'other', value: 1 });
    const merged = await server.send('PATCH', '/api/v1/devices/delta-gone', { device_name: 'delta-all', merge: true });
    expect(merged.status).toBe(200);
    await postProto(delta('delta-gone', 'jobs', [now - 20_000, 1]));
    await postProto(delta('delta-gone', 'jobs', [now - 10_000, 1]));
    const jobs = (await report('delta-all')).find(({ metric_name: name }) => name === 'jobs');
    expect(jobs.samples).toEqual([...sums, [iso(now - 20_000), 11], [iso(now - 10_000), 12]]);
  });

  it('in any order, some of them again, are the same in the end', async () => {
    let run = 0;
    const batches = fc.array(fc.record({ value: fc.integer({ min: 0, max: 9 }), again: fc.nat(2) }), {
      minLength: 1,
      maxLength: 6,
    });
    await fc.assert(
      fc.asyncProperty(batches, fc.infiniteStream(fc.nat()), async (points, order) => {
        const device = `delta-${(run += 1)}`;
        const sent = points
          .flatMap(({ value, again }, at) =>
            Array.from({ length: again + 1 }, () => ({ at, value, key: order.next().value })),
          )
          .sort((a, b) => a.key - b.key);
        for (const { at, value } of sent) await postProto(delta(device, 'jobs', [now - 600_000 + at * 10_000, value]));
        const found = (await samples(device)) as [string, number][];
        let sum = 0;
        const sums = points.map(({ value }) => (sum += value));
        expect(found.map(([time]) => time)).toEqual(points.map((_, at) => iso(now - 600_000 + at * 10_000)));
        expect(found.at(-1)?.[1]).toBe(sum);
        // A first point that comes after others is below none of them; every other is the sum up to it.
        const firstSent = Math.min(...[sent[0]?.at ?? 0]);
        if (firstSent === 0) expect(found.map(([, value]) => value)).toEqual(sums);
        for (let at = 1; at < found.length; at += 1)
          expect(found[at]?.[1]).toBeGreaterThanOrEqual(found[at - 1]?.[1] as number);
      }),
      { numRuns: 15 },
    );
  });

  it('that are refused are in no sum', async () => {
    const answer = await postJson(
      delta('delta-bad', 'jobs', [now - 2000, 1], [1, 100], [now - 1500, -1], [now - 1000, 1]),
    );
    expect(answer.body.partialSuccess.rejectedDataPoints).toBe('2');
    expect(await samples('delta-bad')).toEqual([
      [iso(now - 2000), 1],
      [iso(now - 1000), 2],
    ]);
  });

  it('of histograms are summed by bucket', async () => {
    const body = (time: number, counts: number[]): object =>
      request('delta-hist', [
        {
          name: 'h',
          histogram: {
            aggregationTemporality: 1,
            dataPoints: [{ timeUnixNano: nanos(time), count: 3, sum: 2, bucketCounts: counts, explicitBounds: [1] }],
          },
        },
      ]);
    for (const each of [body(now - 2000, [1, 2]), body(now - 1000, [3, 0]), body(now - 2000, [1, 2])])
      await postJson(each);
    const found = (await report('delta-hist')).map(({ metric_name: name, labels, samples: own }) => [
      name + (labels.le ?? ''),
      own.map(([, value]: [string, number]) => value),
    ]);
    expect(found).toEqual([
      ['h_bucket+Inf', [3, 6]],
      ['h_bucket1', [1, 4]],
      ['h_count', [3, 6]],
      ['h_sum', [2, 4]],
    ]);
  });
});

describe('OTLP', () => {
  it('is unpacked', async () => {
    const body = metricsFromJson(request('zipped', [gauge('g', { timeUnixNano: nanos(now), asInt: 1 })]));
    const headers = { 'content-type': 'application/x-protobuf', 'content-encoding': 'gzip' };
    expect((await server.post('/v1/metrics', gzipSync(body), headers)).status).toBe(200);
    expect(await report('zipped')).toHaveLength(1);
    const bomb = await server.post('/v1/metrics', gzipSync(Buffer.alloc(20_000_000)), headers);
    expect([bomb.status, bomb.headers.get('content-type')]).toEqual([413, 'application/x-protobuf']);
  });

  it.each<[string, string | Uint8Array, Record<string, string>, number, string]>([
    ['another type', 'x', { 'content-type': 'text/plain' }, 415, 'must be application/x-protobuf or application/json'],
    ['another encoding', 'x', { 'content-encoding': 'br' }, 415, 'must be gzip or none, got br'],
    ['no gzip', 'hello', { 'content-encoding': 'gzip' }, 400, 'the body is not gzip'],
    ['no message', 'hello', {}, 400, 'must be ExportMetricsServiceRequest in Protocol Buffers: byte '],
    ['no JSON', '{', { 'content-type': 'application/json' }, 400, 'must be valid JSON'],
    [
      'JSON of another kind',
      '{"resourceMetrics": {}}',
      { 'content-type': 'application/json' },
      400,
      'resourceMetrics must be an array, got {}',
    ],
    [
      'deep JSON',
      `${'['.repeat(100)}${']'.repeat(100)}`,
      { 'content-type': 'application/json' },
      400,
      'at most 64 objects',
    ],
    ['a wrong token', '', { authorization: 'Bearer dm_wrong' }, 401, 'The token is unknown'],
  ])('%s is refused as a status', async (_name, body, more, status, words) => {
    const headers = { 'content-type': 'application/x-protobuf', ...more };
    const answer = await server.post('/v1/metrics', typeof body === 'string' ? Buffer.from(body) : body, headers);
    expect(answer.status).toBe(status);
    const isJson = headers['content-type'] === 'application/json';
    expect(answer.headers.get('content-type')).toBe(isJson ? 'application/json' : 'application/x-protobuf');
    expect(isJson ? answer.body.message : answer.body).toContain(words);
  });

  it('an empty request is a success', async () => {
    expect((await postProto({})).status).toBe(200);
    expect((await postJson({})).body).toEqual({});
  });

  it('whatever is changed in a body, the answer is the one for good or for bad requests', async () => {
    const body = metricsFromJson(
      request('mutant', [
        gauge('g', { timeUnixNano: nanos(now), asDouble: 1, attributes: [attribute('a', 'b')] }),
        {
          name: 'h',
          histogram: {
            aggregationTemporality: 1,
            dataPoints: [{ timeUnixNano: nanos(now), count: 3, bucketCounts: [1, 2], explicitBounds: [1] }],
          },
        },
      ]),
    );
    await fc.assert(
      fc.asyncProperty(fc.nat(), fc.integer({ min: 1, max: 255 }), fc.nat(), async (place, flip, cut) => {
        const changed = Buffer.from(body);
        const at = place % changed.length;
        changed[at] = (changed[at] ?? 0) ^ flip;
        const sent = cut % 3 === 0 ? changed.subarray(0, cut % changed.length) : changed;
        const { status } = await server.post('/v1/metrics', sent, { 'content-type': 'application/x-protobuf' });
        expect([200, 400]).toContain(status);
      }),
      { numRuns: process.env['DEVICE_METRICS_LONG'] ? 500 : 60 },
    );
  });
});

describe.each([
  ['JSON', JsonExporter, AggregationTemporality.CUMULATIVE],
  ['Protocol Buffers', ProtoExporter, AggregationTemporality.DELTA],
])('the SDK of OpenTelemetry, in %s', (form, Exporter, temporality) => {
  it('is understood, in all that it measures', async () => {
    const device = `sdk-${form}`;
    const exporter = new Exporter({ url: `${server.url}/v1/metrics`, temporalityPreference: temporality as number });
    const provider = new MeterProvider({
      resource: resourceFromAttributes({ 'host.name': device, 'service.name': 'test' }),
      readers: [new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 })],
      views: [
        {
          instrumentName: 'e',
          instrumentType: InstrumentType.HISTOGRAM,
          aggregation: { type: AggregationType.EXPONENTIAL_HISTOGRAM },
        },
      ],
    });
    const meter = provider.getMeter('test');
    const counter = meter.createCounter('jobs', { unit: '{job}', description: 'Jobs that were done.' });
    const histogram = meter.createHistogram('h', { unit: 's' });
    const exponential = meter.createHistogram('e');
    meter.createObservableGauge('g').addCallback((result) => result.observe(0.1 + 0.2, { room: 'lab' }));
    for (const value of [3, 4]) {
      counter.add(value, { queue: 'a' });
      histogram.record(value);
      exponential.record(value);
      await provider.forceFlush();
    }
    await provider.shutdown();

    const last = Object.fromEntries(
      (await report(device)).map(({ metric_name: name, labels, samples }) => [
        name + (labels.le ?? ''),
        samples.at(-1)[1],
      ]),
    );
    expect(last).toMatchObject({
      jobs: 7,
      g: 0.1 + 0.2,
      h_count: 2,
      h_sum: 7,
      'h_bucket+Inf': 2,
      e_count: 2,
      e_sum: 7,
    });
    expect((await report(device)).find(({ metric_name: name }) => name === 'jobs')).toMatchObject({
      unit: '{job}',
      labels: { queue: 'a', 'service.name': 'test' },
    });
  });
});
