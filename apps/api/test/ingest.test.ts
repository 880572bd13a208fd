import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Server, temporaryFolder } from './server.js';

let server: Server;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;

beforeAll(async () => {
  folder = await temporaryFolder();
  server = await Server.start({ DATABASE_PATH: join(folder.path, 'metrics.db') });
});
afterAll(async () => {
  await server.stop();
  await folder.remove();
});

const METRICS = '/api/v1/aggregator/metrics/';
const BATCH = '/api/v1/aggregator/metrics/batch/';
const metric = (device_name: string, value: unknown, more = {}): Record<string, unknown> => ({
  device_name,
  metric_name: 'hw.temperature',
  value,
  ...more,
});
const report = async (deviceName: string, query = ''): Promise<unknown[]> =>
  (await server.get(`/api/v1/reports/metrics/${encodeURIComponent(deviceName)}${query}`)).body.series;
const ago = (seconds: number): string => new Date(Date.now() - seconds * 1000).toISOString();

describe('a metric', () => {
  it('is in the report that follows its 201', async () => {
    const timestamp = ago(60);
    const answer = await server.post(METRICS, metric('one', 21.5, { timestamp, labels: { slot: 'b', rack: '1' } }));

    expect(answer.status).toBe(201);
    expect(answer.body).toMatchObject({ device_name: 'one', value: 21.5, timestamp });
    expect(await report('one')).toEqual([
      {
        device_name: 'one',
        metric_name: 'hw.temperature',
        unit: 'Cel',
        labels: { rack: '1', slot: 'b' },
        samples: [[timestamp, 21.5]],
      },
    ]);
  });

  it('has labels of any name', async () => {
    const labels = { constructor: 'b', toString: 'a' };
    const answer = await server.post(METRICS, metric('names', 1, { labels }));

    expect(answer.body.labels).toEqual(labels);
    expect(await report('names')).toMatchObject([{ labels }]);
  });

  it('without a timestamp has the time of receipt', async () => {
    const before = Date.now();
    await server.post(METRICS, metric('no-time', 1));
    const [series] = (await report('no-time')) as { samples: [string, number][] }[];

    const time = Date.parse(series?.samples[0]?.[0] ?? '');
    expect(time).toBeGreaterThanOrEqual(before);
    expect(time).toBeLessThanOrEqual(Date.now());
  });

  it('is taken at the path without the trailing slash too, and up to ten minutes ahead', async () => {
    const timestamp = new Date(Date.now() + 590_000).toISOString();
    const answer = await server.post('/api/v1/aggregator/metrics', metric('Küche / 2', 1, { timestamp }));

    expect(answer.status).toBe(201);
    expect(await report('Küche / 2')).toMatchObject([{ samples: [[timestamp, 1]] }]);
  });

  it('sent again with another value replaces the first', async () => {
    const timestamp = ago(5);
    await server.post(METRICS, metric('again', 1, { timestamp }));
    await server.post(METRICS, metric('again', 2, { timestamp }));

    expect(await report('again')).toMatchObject([{ samples: [[timestamp, 2]] }]);
  });
});

describe('a batch', () => {
  it('stores its good items and names index, field and reason of each bad one', async () => {
    const at = Date.now() - 60_000;
    const { status, body } = await server.post(BATCH, {
      metrics: [
        metric('mixed', 1, { timestamp: at }),
        metric('mixed', 'warm', { timestamp: at + 1 }),
        { device_name: 'mixed', timestamp: at + 2, values: { 'hw.temperature': 3, 'system.uptime': 4 } },
        metric('', 4),
        { device_name: 'mixed', metric_name: 'hw.temperature', samples: [[at + 4, 5]] },
        metric('mixed', 6, { timestamp: '1999-12-31T23:59:59Z' }),
        metric('mixed', 7, { timestmap: at }),
      ],
    });

    expect(status).toBe(200);
    expect(body.accepted).toBe(3);
    expect(body.rejected).toEqual([
      { index: 1, field: 'value', reason: 'must be a finite number, got "warm"' },
      { index: 3, field: 'device_name', reason: expect.stringContaining('got ""') },
      { index: 5, field: 'timestamp', reason: expect.stringContaining('Z or later') },
      { index: 6, field: 'timestmap', reason: expect.stringContaining('allowed are device_name, metric_name') },
    ]);
    const iso = (time: number): string => new Date(time).toISOString();
    expect(await report('mixed')).toMatchObject([
      {
        metric_name: 'hw.temperature',
        samples: [
          [iso(at), 1],
          [iso(at + 2), 3],
          [iso(at + 4), 5],
        ],
      },
      { metric_name: 'system.uptime', unit: 's', samples: [[iso(at + 2), 4]] },
    ]);
  });

  it('may be the bare array, gzipped, and a report sent back', async () => {
    const items = [metric('bare', 1.25, { timestamp: ago(9) }), metric('bare', -2.5e-9, { timestamp: ago(8) })];
    const gzip = { 'content-encoding': 'gzip' };
    expect((await server.post(BATCH, gzipSync(JSON.stringify(items)), gzip)).body).toEqual({
      accepted: 2,
      rejected: [],
    });

    const series = await report('bare');
    expect((await server.post(BATCH, series)).body).toEqual({ accepted: 1, rejected: [] });
    expect(await report('bare')).toEqual(series);
  });

  it('of more samples than are committed at once is stored whole, sent again too', async () => {
    const start = Date.now() - 1_400_000;
    const samples = Array.from({ length: 140_000 }, (_, index) => [start + 10 * index, index]);
    const body = { metrics: [{ device_name: 'very-many', metric_name: 'm', samples }] };
    for (let turn = 0; turn < 2; turn += 1) {
      expect(await server.post(BATCH, body)).toMatchObject({ status: 200, body: { accepted: 1, rejected: [] } });
      const { summaries } = (await server.get('/api/v1/reports/summary?device_name=very-many')).body;
      expect(summaries).toMatchObject([{ count: 140_000, min: 0, max: 139_999, mean: 69_999.5, last: 139_999 }]);
    }
  });

  it('of bad items only is a 400 that names them and stores nothing', async () => {
    const { status, body, headers } = await server.post(BATCH, [metric('all-bad', null), 7]);

    expect(status).toBe(400);
    expect(headers.get('content-type')).toContain('application/problem+json');
    expect(body).toMatchObject({
      status: 400,
      detail: 'metrics[0].value must be a finite number, got null; metrics[1] must be an object, got 7',
      errors: [{ field: 'metrics[0].value' }, { field: 'metrics[1]' }],
    });
    expect((await server.get('/api/v1/reports/metrics/all-bad')).status).toBe(404);
  });
});

const deep = '['.repeat(200_000) + ']'.repeat(200_000);

describe('bad input gets a problem that says what is allowed, and stores nothing:', () => {
  const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024, ' '));
  it.each<[string, string, string | Uint8Array | object, Record<string, string>, number, string]>([
    ['broken JSON', METRICS, '{"device_name": "bad", ', {}, 400, 'valid JSON'],
    ['NaN', METRICS, '{"device_name": "bad", "metric_name": "m", "value": NaN}', {}, 400, 'valid JSON'],
    [
      '1e999',
      METRICS,
      '{"device_name": "bad", "metric_name": "m", "value": 1e999}',
      {},
      400,
      'finite number, got Infinity',
    ],
    ['an empty body', METRICS, '', {}, 400, 'JSON'],
    ['a number for a body', METRICS, '7', {}, 400, 'must be a JSON object, got 7'],
    ['null for a body', METRICS, 'null', {}, 400, 'must be a JSON object, got null'],
    ['an array for a metric', METRICS, '[]', {}, 400, 'must be a JSON object, got an array of 0'],
    ['a wrong type', METRICS, metric('bad', '21.5'), {}, 400, 'value must be a finite number, got "21.5"'],
    ['an empty name', METRICS, metric('', 1), {}, 400, 'device_name must be a string of 1 to 128'],
    ['an over-long name', METRICS, metric('x'.repeat(129), 1), {}, 400, 'device_name must be a string of 1 to 128'],
    ['a long metric name', METRICS, metric('bad', 1, { metric_name: 'x'.repeat(256) }), {}, 400, 'metric_name must be'],
    [
      'an unknown field',
      METRICS,
      metric('bad', 1, { vlaue: 1 }),
      {},
      400,
      'vlaue is unknown; allowed are value, timestamp, device_name',
    ],
    [
      'a label that is no string',
      METRICS,
      metric('bad', 1, { labels: { cpu: 0 } }),
      {},
      400,
      'label "cpu" must be a string',
    ],
    [
      'a time before 2000',
      METRICS,
      metric('bad', 1, { timestamp: 946684799999 }),
      {},
      400,
      '2000-01-01T00:00:00.000Z or later',
    ],
    [
      'a time too far ahead',
      METRICS,
      metric('bad', 1, { timestamp: Date.now() + 86_400_000 }),
      {},
      400,
      'no more than 10 minutes ahead',
    ],
    ['a day that is none', METRICS, metric('bad', 1, { timestamp: '2026-02-30T00:00:00Z' }), {}, 400, 'RFC 3339'],
    [
      '__proto__',
      METRICS,
      '{"__proto__": {"a": 1}, "device_name": "bad", "metric_name": "m", "value": 1}',
      {},
      400,
      'a name in it is __proto__',
    ],
    ['a number that JSON has not', BATCH, '[{"value": NaN}]', {}, 400, "valid JSON: Unexpected token 'N'"],
    ['a body over the limit', BATCH, ' '.repeat(9 * 1024 * 1024), {}, 413, '8388608 bytes'],
    ['a gzip bomb', BATCH, bomb, { 'content-encoding': 'gzip' }, 413, '200 times its length'],
    [
      'broken gzip',
      BATCH,
      bomb.subarray(20),
      { 'content-encoding': 'gzip' },
      400,
      'could not be read: the body is not gzip',
    ],
    ['an unknown encoding', BATCH, '[]', { 'content-encoding': 'br' }, 415, 'must be gzip or none, got br'],
    ['too many items', BATCH, `[${'1,'.repeat(20_000)}1]`, {}, 413, 'at most 20000 items, got 20001'],
    ['a deep body', BATCH, deep, {}, 400, 'at most 64 objects and arrays in each other'],
    ['no batch', BATCH, {}, {}, 400, 'an array of metrics'],
    ['an empty batch', BATCH, { metrics: [] }, {}, 400, 'at least one item'],
    [
      'a wrong content type',
      METRICS,
      'device_name=bad',
      { 'content-type': 'application/x-www-form-urlencoded' },
      415,
      'application/json',
    ],
    ['text', METRICS, '{}', { 'content-type': 'text/plain' }, 415, 'must be application/json, got text/plain'],
    ['an unknown route, whatever the body', '/api/v1/metrix', '', {}, 404, 'There is no POST /api/v1/metrix'],
    [
      'an unknown route, to which curl says that it sends a form',
      '/influx/write',
      'm f=1',
      { 'content-type': 'application/x-www-form-urlencoded' },
      404,
      'There is no POST /influx/write',
    ],
    ['an unknown route', '/api/v1/aggregator/metrix', {}, {}, 404, 'There is no POST /api/v1/aggregator/metrix'],
  ])('%s', async (_what, path, body, headers, status, detail) => {
    const before = (await server.get('/api/v1/reports/summary')).body;
    const answer = await server.post(path, body, headers);

    expect(answer.body).toMatchObject({ status, detail: expect.stringContaining(detail) });
    expect(answer.status).toBe(status);
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
    expect((await server.get('/api/v1/reports/summary')).body.summaries).toEqual(before.summaries);
  });
});

describe('texts and units are what they say:', () => {
  const PATH = '/api/v1/aggregator/metrics/';
  const latin1 = Buffer.from('{"device_name": "Büro-1", "metric_name": "m", "value": 1}', 'latin1');
  const devices = async (pattern: string): Promise<string[]> =>
    (await server.get(`/api/v1/devices?device_name=${encodeURIComponent(pattern)}`)).body.devices.map(
      (device: any) => device.device_name,
    );

  it('a body that is not UTF-8 is a 400, one that says so Latin-1, and another charset a 415', async () => {
    expect(await server.post(PATH, new Uint8Array(latin1))).toMatchObject({
      status: 400,
      body: { detail: 'The body must be UTF-8.' },
    });
    expect(
      await server.post(PATH, new Uint8Array(latin1), { 'content-type': 'application/json; charset=iso-8859-1' }),
    ).toMatchObject({ status: 201 });
    expect(
      await server.post(PATH, new Uint8Array(latin1), { 'content-type': 'application/json; charset=utf-16' }),
    ).toMatchObject({ status: 415, body: { detail: 'The charset must be utf-8 or iso-8859-1, got "utf-16".' } });
    expect(await devices('B*ro-1')).toEqual(['B\u00fcro-1']);
  });

  it('a name is one, however it was typed', async () => {
    const send = (device_name: string): Promise<unknown> =>
      server.post(PATH, { device_name, metric_name: 'm', value: 1, labels: { place: device_name } });
    await send('Caf\u00E9');
    await send('Cafe\u0301');
    expect(await devices('Caf*')).toEqual(['Caf\u00E9']);
    const { body } = await server.get(`/api/v1/reports/metrics/${encodeURIComponent('Cafe\u0301')}`);
    expect(body.series.map((series: any) => series.labels)).toEqual([{ place: 'Caf\u00E9' }]);
  });

  it.each(['.', '..'])('a device "%s" is refused, since no address leads to it', async (device_name) => {
    const { status, body } = await server.post(PATH, { device_name, metric_name: 'm', value: 1 });
    expect(status).toBe(400);
    expect(body.detail).toContain('and not . or ..');
  });

  it.each([
    ['seconds', 1e-3],
    ['microseconds', 1e3],
    ['nanoseconds', 1e6],
  ])('a time in %s is refused, and the answer says what it looks like', async (unit, factor) => {
    const now = Math.floor(Date.now() / 1000) * 1000;
    const body = `{"device_name": "clock", "metric_name": "m", "value": 1, "timestamp": ${BigInt(Math.round(now * factor))}}`;
    const answer = await server.post(PATH, body);
    expect(answer.status).toBe(400);
    expect(answer.body.detail).toMatch(
      new RegExp(`looks like ${unit}: in milliseconds it is ${String(now).slice(0, 8)}`),
    );
  });

  it('a unit that changes is converted, or refused with the reason: what is stored keeps its meaning', async () => {
    const at = Date.now() - 60_000;
    const item = (value: number, unit: string, seconds: number): object => ({
      ...{ device_name: 'units', metric_name: 'own.size', value, unit },
      timestamp: at + seconds * 1000,
    });
    await server.post(PATH, item(1000, 'KiBy', 0));
    const { body } = await server.post(`${PATH}batch/`, [
      item(1_024_000, 'By', 1),
      item(20, 'Cel', 2),
      item(3, 'KiBy', 3),
    ]);
    expect(body.accepted).toBe(2);
    expect(body.rejected).toEqual([
      {
        index: 1,
        field: 'unit',
        reason: 'must be "KiBy", which this series has, or one that it can be converted to, got "Cel"',
      },
    ]);
    const report = await server.get('/api/v1/reports/metrics/units');
    expect(report.body.series).toMatchObject([{ unit: 'KiBy' }]);
    expect(report.body.series[0].samples.map(([, value]: unknown[]) => value)).toEqual([1000, 1000, 3]);
    // Within one batch as well.
    const fresh = await server.post(`${PATH}batch/`, [
      { device_name: 'units', metric_name: 'own.temperature', value: 20, unit: 'Cel', timestamp: at },
      { device_name: 'units', metric_name: 'own.temperature', value: 212, unit: '[degF]', timestamp: at + 1 },
      { device_name: 'units', metric_name: 'own.temperature', value: 1, unit: 'By', timestamp: at + 2 },
    ]);
    expect(fresh.body).toMatchObject({ accepted: 2, rejected: [{ index: 2, field: 'unit' }] });
    const { body: latest } = await server.get('/api/v1/reports/latest?device_name=units&metric_name=own.temperature');
    expect(latest.samples).toMatchObject([{ unit: 'Cel', value: 100 }]);
  });
});

describe('what programs send is answered the same, whether it goes past the framework or through it:', () => {
  const time = Math.floor(Date.now() / 1000);
  const JSON_TYPE = 'application/json';

  it.each([
    ['JSON', BATCH, JSON_TYPE, JSON.stringify([metric('both', 1)])],
    ['JSON with a bad item', BATCH, JSON_TYPE, JSON.stringify([metric('both', 1), metric('both', 'warm')])],
    ['JSON of bad items', BATCH, JSON_TYPE, JSON.stringify([metric('both', 'warm')])],
    ['no JSON', BATCH, JSON_TYPE, '[{'],
    ['lines', '/write?db=both&precision=s', 'text/plain', `cpu,host=both usage=1,idle=2 ${time}`],
    [
      'lines with a bad one',
      '/api/v2/write?bucket=b&precision=s',
      'text/plain',
      `cpu,host=both usage=1 ${time}\nno line`,
    ],
    ['lines of no precision', '/write?precision=week', 'text/plain', 'cpu usage=1'],
    ['OTLP', '/v1/metrics', 'application/x-protobuf', '\n\u0000'],
    ['no OTLP', '/v1/metrics', 'application/x-protobuf', 'x'],
  ])('%s', async (_what, path, type, body) => {
    const answer = async (more: Record<string, string>): Promise<unknown> => {
      const { status, headers, body: said } = await server.post(path, body, { 'content-type': type, ...more });
      return { status, said, headers: { ...Object.fromEntries(headers), date: undefined } };
    };
    expect(await answer({})).toEqual(await answer({ 'x-not-usual': '1' }));
  });
});
