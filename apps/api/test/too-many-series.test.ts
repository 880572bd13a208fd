import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { encodeWriteRequest, encodeWriteRequestV2, snap, type SentSeries } from '@device-metrics/formats/testing';
import { Server, temporaryFolder, type Answer } from './server.js';

const MOST = 40;
const NEW = 60;

let server: Server;
let hurried: Server;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;

beforeAll(async () => {
  folder = await temporaryFolder();
  server = await Server.start({
    DATABASE_PATH: join(folder.path, 'most.db'),
    MAX_SERIES_PER_DEVICE: `${MOST}`,
    MAX_NEW_SERIES_PER_MINUTE: '0',
  });
  hurried = await Server.start({
    DATABASE_PATH: join(folder.path, 'new.db'),
    MAX_SERIES_PER_DEVICE: '0',
    MAX_NEW_SERIES_PER_MINUTE: `${NEW}`,
  });
});
afterAll(async () => {
  await Promise.all([server.stop(), hurried.stop()]);
  await folder.remove();
});

const now = Date.now();
const sessions = (count: number): string[] => Array.from({ length: count }, (_, index) => `${index}`);
const VERSION_1 = { 'content-type': 'application/x-protobuf', 'content-encoding': 'snappy' };
const VERSION_2 = { ...VERSION_1, 'content-type': 'application/x-protobuf;proto=io.prometheus.write.v2.Request' };
const written = (device: string, count: number): SentSeries[] =>
  sessions(count).map((session) => ({
    labels: [
      ['__name__', 'requests'],
      ['instance', device],
      ['session', session],
    ],
    samples: [[now, 1]],
  }));

/** Each sends so many series of a device in one request. */
const PROTOCOLS = {
  'JSON items': (to: Server, device_name: string, count: number) =>
    to.post(
      '/api/v1/aggregator/metrics/batch',
      sessions(count).map((session) => ({ device_name, metric_name: 'requests', value: 1, labels: { session } })),
    ),
  lines: (to: Server, device: string, count: number) =>
    to.post(
      '/write',
      sessions(count)
        .map((session) => `requests,host=${device.replaceAll(' ', '\\ ')},session=${session} value=1`)
        .join('\n'),
    ),
  'remote write 1.0': (to: Server, device: string, count: number) =>
    to.post('/api/v1/write', snap(encodeWriteRequest(written(device, count))), VERSION_1),
  'remote write 2.0': (to: Server, device: string, count: number) =>
    to.post('/api/v1/write', snap(encodeWriteRequestV2(written(device, count))), VERSION_2),
  OTLP: (to: Server, device: string, count: number) =>
    to.post('/v1/metrics', {
      resourceMetrics: [
        {
          resource: { attributes: [{ key: 'host.name', value: { stringValue: device } }] },
          scopeMetrics: [{ metrics: [{ name: 'requests', gauge: { dataPoints: sessions(count).map(pointOf) } }] }],
        },
      ],
    }),
};
const pointOf = (session: string): object => ({
  timeUnixNano: `${now}000000`,
  asDouble: 1,
  attributes: [{ key: 'session', value: { stringValue: session } }],
});

const seriesOf = async (of: Server, device: string): Promise<number> =>
  (await of.get(`/api/v1/reports/metrics/${encodeURIComponent(device)}?limit=1000`)).body.series?.length ?? 0;
const samplesWritten = ({ headers }: Answer): string | null => headers.get('x-prometheus-remote-write-samples-written');

/** How each says that 2 of 42 are not stored. */
const SAID: Record<keyof typeof PROTOCOLS, (answer: Answer) => void> = {
  'JSON items': ({ status, body }) => {
    expect([status, body.accepted, body.rejected.length]).toEqual([200, MOST, 2]);
    expect(body.rejected[1]).toEqual({ index: 41, field: 'device_name', reason: expect.stringMatching(GROWS) });
  },
  lines: ({ status, body }) => {
    expect(status).toBe(400);
    expect(body.error).toMatch(/^partial write: line 41: device_name .* grows.*; line 42: .* dropped=2$/);
  },
  'remote write 1.0': (answer) => saysPartlyWritten(answer),
  'remote write 2.0': (answer) => saysPartlyWritten(answer),
  OTLP: ({ status, body }) => {
    expect([status, body.partialSuccess.rejectedDataPoints]).toEqual([200, '2']);
    expect(body.partialSuccess.errorMessage).toMatch(GROWS);
  },
};
const GROWS = /may have 40 series \(MAX_SERIES_PER_DEVICE\), and has as many: label "session" of "requests" grows/;
function saysPartlyWritten(answer: Answer): void {
  expect([answer.status, samplesWritten(answer)]).toEqual([400, `${MOST}`]);
  expect(answer.body).toMatch(GROWS);
}

describe.each(Object.entries(PROTOCOLS))('%s', (name, send) => {
  it('that would be too many series of a device are refused, and those beside them stored', async () => {
    SAID[name as keyof typeof PROTOCOLS](await send(server, name, MOST + 2));
    expect(await seriesOf(server, name)).toBe(MOST);
    const known = await send(server, name, MOST);
    expect(known.status).toBeLessThan(300);
  });

  it('that are too many for this minute are a 429 after the others are stored', async () => {
    const answer = await send(hurried, name, NEW + 5);
    expect(answer.status).toBe(429);
    const wait = Number(answer.headers.get('retry-after'));
    expect([wait > 0, wait <= 60]).toEqual([true, true]);
    expect(JSON.stringify(answer.body)).toContain('MAX_NEW_SERIES_PER_MINUTE');
    // A minute may have ended between.
    expect(await seriesOf(hurried, name)).toBeGreaterThanOrEqual(NEW);
    if (name.startsWith('remote write')) expect(samplesWritten(answer)).toBe(`${NEW}`);
  });
});
