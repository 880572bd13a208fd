import { connect } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { Server, temporaryFolder } from './server.js';

let server: Server;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let tokens: Record<string, string>[];

beforeAll(async () => {
  folder = await temporaryFolder();
  server = await Server.start({
    DATABASE_PATH: join(folder.path, 'metrics.db'),
    MAX_REQUESTS_PER_SECOND: '2',
    MAX_SAMPLES_PER_SECOND: '10',
    MAX_CONNECTIONS: '30',
  });
  tokens = await Promise.all(
    ['one', 'two', 'three'].map(async (name) => {
      const { token } = (await server.post('/api/v1/tokens', { kind: 'admin', name })).body;
      return { authorization: `Bearer ${token}` };
    }),
  );
});
afterAll(async () => {
  await server.stop();
  await folder.remove();
});

const batch = (count: number): object => ({
  metrics: [
    { device_name: 'd', metric_name: 'm', samples: Array.from({ length: count }, (_, n) => [Date.now() - n, n]) },
  ],
});

it('one credential sends so many samples in the long run and is told when to go on; others are not held up', async () => {
  const send = (token = {}, count = 300) => server.post('/api/v1/aggregator/metrics/batch', batch(count), token);
  expect((await send(tokens[0])).status).toBe(200);
  const refused = await send(tokens[0]);
  expect([refused.status, refused.body.type]).toEqual([429, 'urn:device-metrics:problem:too-many-samples']);
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThanOrEqual(4);
  expect((await send(tokens[1])).status).toBe(200);
  // This machine itself, while nobody has to sign in.
  for (let n = 0; n < 5; n += 1) expect((await send({})).status).toBe(200);
});

it('one credential asks so much in the long run; so does an address without any', async () => {
  /** How many of 40 are answered, and how many may be in the time that they took. */
  const answered = async (headers: Record<string, string>): Promise<{ passed: number; most: number }> => {
    const began = performance.now();
    let refused = 0;
    for (let n = 0; n < 40; n += 1) if ((await server.get('/healthz', headers)).status === 429) refused += 1;
    return { passed: 40 - refused, most: 21 + Math.ceil(((performance.now() - began) / 1_000) * 2) };
  };
  for (const headers of [tokens[2]!, { via: 'a proxy' }]) {
    const { passed, most } = await answered(headers);
    expect(passed).toBeGreaterThanOrEqual(20);
    expect(passed).toBeLessThanOrEqual(most);
  }
  // Who shows what does not work is nobody, who has used up theirs.
  const wrong = { authorization: `Bearer dm_read_000000000000_${'A'.repeat(43)}` };
  while ((await server.get('/healthz', wrong)).status !== 429);
});

it('connections beyond the limit are closed; every limit counts what it refused', async () => {
  const { port } = new URL(server.url);
  const sockets = Array.from({ length: 60 }, () => connect(Number(port), '127.0.0.1').on('error', () => undefined));
  await Promise.race([...sockets.slice(31).map((socket) => once(socket, 'close'))]);
  for (const socket of sockets) socket.destroy();
  const refused = (name: string): Promise<number> =>
    server.metric(`device_metrics_requests_refused_total\\{problem="${name}"\\}`);
  expect(await refused('too-many-samples')).toBeGreaterThan(0);
  expect(await refused('too-many-requests')).toBeGreaterThan(0);
  expect(await server.metric('device_metrics_connections_refused_total')).toBeGreaterThan(0);
});
