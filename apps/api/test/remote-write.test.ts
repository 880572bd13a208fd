import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { encodeWriteRequest, encodeWriteRequestV2, snap, type SentSeries } from '@device-metrics/formats/testing';
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

const VERSION_1 = {
  'content-type': 'application/x-protobuf',
  'content-encoding': 'snappy',
  'x-prometheus-remote-write-version': '0.1.0',
};
const VERSION_2 = {
  ...VERSION_1,
  'content-type': 'application/x-protobuf;proto=io.prometheus.write.v2.Request',
  'x-prometheus-remote-write-version': '2.0.0',
};
const post = (body: Uint8Array, headers: Record<string, string> = VERSION_1): Promise<Answer> =>
  server.post('/api/v1/write', body, headers);
const write = (series: readonly SentSeries[]): Promise<Answer> => post(snap(encodeWriteRequest(series)));
const write2 = (series: readonly SentSeries[]): Promise<Answer> => post(snap(encodeWriteRequestV2(series)), VERSION_2);
const report = async (device: string): Promise<any[]> =>
  (await server.get(`/api/v1/reports/metrics/${encodeURIComponent(device)}`)).body.series;
const written = ({ headers }: Answer): (string | null)[] =>
  ['samples', 'histograms', 'exemplars'].map((what) => headers.get(`x-prometheus-remote-write-${what}-written`));
const iso = (time: number): string => new Date(time).toISOString();

const now = Math.floor(Date.now() / 1000) * 1000;

describe.each([
  ['1.0', write],
  ['2.0', write2],
])('remote write %s', (version, send) => {
  it('stores samples under the host of their instance, and keeps what tells exporters apart', async () => {
    const instance = `node-${version}.example.org`;
    const labels = (port: string, name: string): SentSeries['labels'] => [
      ['__name__', name],
      ['instance', instance + port],
      ['job', 'node'],
    ];
    const answer = await send([
      {
        labels: labels(':9100', 'node_memory_free_bytes'),
        samples: [
          [now - 1000, 0.1],
          [now, 12.5],
        ],
        exemplars: [now],
      },
      { labels: labels(':9256', 'node_memory_free_bytes'), samples: [[now, 1]] },
      { labels: labels('', 'up'), samples: [[now, 1]] },
    ]);

    expect([answer.status, answer.body]).toEqual([204, '']);
    expect(written(answer)).toEqual(['4', '0', '0']);
    const of = { device_name: instance, metric_name: 'node_memory_free_bytes', unit: 'By' };
    expect(await report(instance)).toEqual([
      {
        ...of,
        labels: { instance: `${instance}:9100`, job: 'node' },
        samples: [
          [iso(now - 1000), 0.1],
          [iso(now), 12.5],
        ],
      },
      { ...of, labels: { instance: `${instance}:9256`, job: 'node' }, samples: [[iso(now), 1]] },
      { device_name: instance, metric_name: 'up', labels: { job: 'node' }, samples: [[iso(now), 1]] },
    ]);
  });

  it('takes what comes again, late or in any order, once', async () => {
    const series = (...samples: [number, number][]): SentSeries[] => [
      {
        labels: [
          ['__name__', 'up'],
          ['instance', `again-${version}`],
        ],
        samples,
      },
    ];
    await send(series([now, 3], [now - 5000, 2]));
    await send(series([now - 86_400_000, 1]));
    await send(series([now, 3], [now - 5000, 2]));

    const { body } = await server.get(`/api/v1/reports/metrics/again-${version}?start_time=-2d`);
    expect(body.series[0].samples).toEqual([
      [iso(now - 86_400_000), 1],
      [iso(now - 5000), 2],
      [iso(now), 3],
    ]);
  });

  it('stores the good samples beside bad ones, and says 400 and how many', async () => {
    const device = `part-${version}`;
    const of = (name: string): SentSeries['labels'] => [
      ['__name__', name],
      ['instance', device],
    ];
    const answer = await send([
      { labels: of('good'), samples: [[now, 1]] },
      {
        labels: of('infinite'),
        samples: [
          [now, Infinity],
          [now - 1, 2],
        ],
      },
      { labels: of('early'), samples: [[1, 1]] },
      { labels: [['instance', device]], samples: [[now, 1]] },
      { labels: [...of('twice'), ['a', '1'], ['a', '2']], samples: [[now, 1]] },
      { labels: of('native'), histograms: [now] },
    ]);

    expect(answer.status).toBe(400);
    expect(answer.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    expect(written(answer)).toEqual(['2', '0', '0']);
    expect(answer.body).toContain('5 of 7 samples were refused, and the others are stored.');
    expect(answer.body).toContain('native histograms are not taken');
    expect(answer.body).toContain('it has no label __name__');
    expect(answer.body).toContain('the label "a" comes twice');
    expect(answer.body).toContain(`must be a finite number, got Infinity, in "infinite" of "${device}"`);
    expect((await report(device)).map(({ metric_name: name }) => name)).toEqual(['good', 'infinite']);
  });

  it('gives back every number bit for bit', async () => {
    const device = `bits-${version}`;
    const values = fc.sample(fc.double({ noNaN: true, noDefaultInfinity: true }), 200);
    const samples = values.map((value, at): [number, number] => [now - 1_000 * at, value]);
    const answer = await send([
      {
        labels: [
          ['__name__', 'value'],
          ['instance', device],
        ],
        samples,
      },
    ]);

    expect(answer.status).toBe(204);
    const [series] = await report(device);
    expect(series.samples.map(([, value]: [string, number]) => value)).toEqual([...values].reverse());
  });
});

describe('remote write', () => {
  const good = [{ labels: [['__name__', 'up'] as const, ['instance', 'x'] as const], samples: [[now, 1] as const] }];
  const body = snap(encodeWriteRequest(good));

  it('takes the device from the job, or is of Prometheus itself, where there is no instance', async () => {
    await write([
      {
        labels: [
          ['__name__', 'job:up:sum'],
          ['job', 'node-job'],
        ],
        samples: [[now, 7]],
      },
      { labels: [['__name__', 'site:up:sum']], samples: [[now, 8]] },
      {
        labels: [
          ['__name__', 'probe_success'],
          ['instance', 'https://example.org/a?b=1'],
          ['job', 'web'],
        ],
        samples: [[now, 1]],
      },
      {
        labels: [
          ['__name__', 'up'],
          ['instance', '[2001:db8::1]:9100'],
        ],
        samples: [[now, 1]],
      },
      ...['2001:db8::2', '2001:db8::3'].map((instance) => ({
        labels: [['__name__', 'probe_success'] as const, ['instance', instance] as const],
        samples: [[now, 1] as const],
      })),
    ]);
    expect(await report('node-job')).toMatchObject([{ metric_name: 'job:up:sum', labels: {} }]);
    expect(await report('prometheus')).toMatchObject([{ metric_name: 'site:up:sum', labels: {} }]);
    expect(await report('https://example.org/a?b=1')).toMatchObject([{ labels: { job: 'web' } }]);
    expect(await report('2001:db8::1')).toMatchObject([{ labels: { instance: '[2001:db8::1]:9100' } }]);
    // As a blackbox_exporter is asked for hosts: the last part is no port.
    expect(await report('2001:db8::2')).toMatchObject([{ metric_name: 'probe_success', labels: {} }]);
    expect(await report('2001:db8::3')).toMatchObject([{ metric_name: 'probe_success', labels: {} }]);
  });

  it('takes a request without content type and encoding, as old senders write it', async () => {
    const answer = await fetch(`${server.url}/api/v1/write`, { method: 'POST', body: new Blob([body]) });
    expect(answer.status).toBe(204);
  });

  it.each<[string, Uint8Array, Record<string, string>, number, string]>([
    [
      'another encoding',
      gzipSync(encodeWriteRequest(good)),
      { 'content-encoding': 'gzip' },
      415,
      'must be snappy, got gzip',
    ],
    ['zstd', body, { 'content-encoding': 'zstd' }, 415, 'must be snappy, got zstd'],
    [
      'another type',
      body,
      { 'content-type': 'application/json' },
      415,
      'must be application/x-protobuf, got "application/json"',
    ],
    [
      'an unknown message',
      body,
      { 'content-type': 'application/x-protobuf;proto=a.B' },
      415,
      'io.prometheus.write.v2.Request, got',
    ],
    [
      'a version to come',
      body,
      { 'x-prometheus-remote-write-version': '3.0.0' },
      415,
      'must be 0.1.0, 1.x or 2.x, got "3.0.0"',
    ],
    ['no snappy', encodeWriteRequest(good), {}, 400, "must be in Snappy's block format"],
    ['no message', snap(Buffer.from('hello')), {}, 400, 'must be a write request in Protocol Buffers: byte '],
    ['nothing', new Uint8Array(), {}, 400, 'it is cut off'],
    [
      'a bomb',
      Buffer.from('ffffff7f0061', 'hex'),
      {},
      413,
      'it would become 268435455 bytes, and at most 8388608 are taken',
    ],
  ])('%s is refused in words', async (_name, bytes, headers, status, words) => {
    const answer = await post(bytes, { ...VERSION_1, ...headers });
    expect(answer.status).toBe(status);
    expect(answer.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    expect(answer.body).toContain(words);
  });

  it('an empty request is taken', async () => {
    expect((await write([])).status).toBe(204);
    expect((await write2([])).status).toBe(204);
  });

  it('whatever is changed in a body, the answer is the one for good or for bad requests', async () => {
    const series: SentSeries[] = [1, 2, 3].map((number) => ({
      labels: [
        ['__name__', 'changed'],
        ['instance', 'mutant'],
        ['number', String(number)],
      ],
      samples: [[now - number, number]],
    }));
    const change = fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 }), fc.nat(), fc.boolean());
    await fc.assert(
      fc.asyncProperty(change, async ([place, flip, cut, isInner]) => {
        for (const [encoded, headers] of [
          [encodeWriteRequest(series), VERSION_1],
          [encodeWriteRequestV2(series), VERSION_2],
        ] as const) {
          const bytes = Buffer.from(isInner ? encoded : snap(encoded));
          const at = place % bytes.length;
          bytes[at] = (bytes[at] ?? 0) ^ flip;
          const changed = cut % 3 === 0 ? bytes.subarray(0, cut % bytes.length) : bytes;
          const { status } = await post(isInner ? snap(changed) : changed, headers);
          expect([204, 400, 413]).toContain(status);
        }
      }),
      { numRuns: process.env['DEVICE_METRICS_LONG'] ? 500 : 60 },
    );
  });

  it('counts what it stores, refuses and ignores', async () => {
    const text = (await server.get('/metrics')).body as string;
    const value = (name: string): number =>
      Number(new RegExp(`^${name}\\{protocol="remote-write"\\} (\\S+)`, 'm').exec(text)?.[1]);
    expect(value('device_metrics_samples_stored_total')).toBeGreaterThan(400);
    expect(value('device_metrics_items_rejected_total')).toBeGreaterThanOrEqual(10);
    // Two were sent on purpose; a flipped bit may make another.
    expect(value('device_metrics_exemplars_ignored_total')).toBeGreaterThanOrEqual(2);
  });

  it('ends a series by a stale marker or NaN until its next sample, and says nothing else of it', async () => {
    const device = 'stale';
    const of = (name: string): SentSeries['labels'] => [
      ['__name__', name],
      ['instance', device],
    ];
    const latest = async (query = ''): Promise<any[]> =>
      (await server.get(`/api/v1/reports/latest?device_name=${device}${query}`)).body.samples;
    await write([
      { labels: of('goes_on'), samples: [[now - 9000, 1]] },
      { labels: of('stops'), samples: [[now - 9000, 1]] },
    ]);
    const marker = await write([{ labels: of('stops'), samples: [[now - 6000, NaN]] }]);
    expect([marker.status, written(marker)[0]]).toEqual([204, '1']);
    await write2([
      { labels: of('stops'), samples: [[now - 3000, NaN]] },
      { labels: of('never_was'), samples: [[now - 3000, NaN]] },
    ]);

    const ended = [
      { metric_name: 'goes_on', value: 1 },
      { metric_name: 'stops', value: 1, timestamp: iso(now - 9000), ended_at: iso(now - 6000) },
    ];
    expect(await latest()).toMatchObject(ended);
    expect((await latest())[0].ended_at).toBeUndefined();
    expect((await latest('&max_age=1h')).map(({ metric_name: name }) => name)).toEqual(['goes_on']);
    expect((await report(device)).map(({ samples }) => samples.length)).toEqual([1, 1]);

    await server.stop('SIGKILL');
    server = await Server.start(settings());
    expect(await latest()).toMatchObject(ended);
    await write([{ labels: of('stops'), samples: [[now, 2]] }]);
    expect((await latest('&max_age=1h')).map(({ metric_name: name }) => name)).toEqual(['goes_on', 'stops']);
  });

  it('ends a series that was ended before its device was deleted, and came again', async () => {
    const sent = async (time: number, value: number): Promise<void> => {
      const answer = await write([
        {
          labels: [
            ['__name__', 'comes_again'],
            ['instance', 'deleted:9100'],
          ],
          samples: [[time, value]],
        },
      ]);
      expect(answer.status).toBe(204);
    };
    await sent(now - 9000, 1);
    await sent(now - 8000, NaN);
    expect((await server.send('DELETE', '/api/v1/devices/deleted')).status).toBe(204);
    await sent(now - 7000, 2);
    await sent(now - 6000, NaN);
    expect((await server.get('/api/v1/reports/latest?device_name=deleted')).body.samples).toMatchObject([
      { value: 2, ended_at: iso(now - 6000) },
    ]);
  });

  it('takes unit, kind and help of metrics from metadata, and keeps them', async () => {
    const labels = (name: string): SentSeries['labels'] => [
      ['__name__', name],
      ['instance', 'described'],
    ];
    const sample = [[now, 1]] as const;
    await post(
      snap(
        encodeWriteRequest(
          [{ labels: labels('one_work'), samples: sample }],
          [{ name: 'one_work', type: 'counter', help: 'Work that was done.', unit: 'joules' }],
        ),
      ),
    );
    await write2([
      {
        labels: labels('two_rest'),
        samples: sample,
        metadata: { type: 'gauge', help: 'Rest that is left.', unit: 'seconds' },
      },
    ]);
    const described = async (): Promise<any[]> =>
      (await server.get('/api/v1/metrics')).body.metrics.filter(({ metric_name: name }: any) =>
        /^(one|two)_/.test(name),
      );
    const expected = [
      { metric_name: 'one_work', kind: 'counter', help: 'Work that was done.', unit: 'J' },
      { metric_name: 'two_rest', kind: 'gauge', help: 'Rest that is left.', unit: 's' },
    ];
    expect(await described()).toMatchObject(expected);
    await server.stop();
    server = await Server.start(settings());
    expect(await described()).toMatchObject(expected);
  });
});

it('without a token that may send, remote write answers 401 and 403 in words', async () => {
  const other = await temporaryFolder();
  const settings = { DATABASE_PATH: join(other.path, 'metrics.db') };
  const [token = ''] = (await Server.command(['token', 'create', 'read', '--name', 'r'], settings)).flatMap(
    (line) => /dm_\S+/.exec(line)?.[0] ?? [],
  );
  const closed = await Server.start(settings);
  const send = (headers: Record<string, string>): Promise<Answer> =>
    closed.post('/api/v1/write', snap(encodeWriteRequest([])), { ...VERSION_1, ...headers });
  try {
    const unknown = await send({ authorization: 'Bearer dm_wrong' });
    expect([unknown.status, unknown.body]).toEqual([401, expect.stringContaining('The token is unknown')]);
    expect(unknown.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    const reader = await send({ authorization: `Bearer ${token}` });
    expect([reader.status, reader.body]).toEqual([403, expect.stringContaining('needs the right samples:write')]);
  } finally {
    await closed.stop();
    await other.remove();
  }
});
