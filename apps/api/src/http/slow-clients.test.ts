import { once } from 'node:events';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, it } from '@jest/globals';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { FastifyInstance } from 'fastify';
import { boundBodies, type BodyLimits } from './body-budget.js';
import { acceptGzip } from './decompress.js';
import { lineUpFirstRequests } from './first-requests.js';
import { acceptJson } from './json-body.js';
import { Problem } from './problem.js';
import { sendProblem } from './problem.filter.js';
import { lineUpConnections } from './line-up-connections.js';
import { LINE_LIMITS, lineUpReports } from './report-line.js';
import { endStalledReaders, refuseConnection, serverTimes, type TimeLimits } from './time-limits.js';

let server: FastifyInstance | undefined;
/** Problems of requests that were refused before anything was done for them. */
let refused: string[] = [];
const sockets: Socket[] = [];
afterEach(async () => {
  refused = [];
  for (const socket of sockets.splice(0)) socket.destroy();
  await server?.close();
});

const MB = 2 ** 20;

/** A server with the limits of the api, some of them smaller; POST / answers when `answer` resolves. */
async function start({
  bodies = {},
  times = {},
  answer = async (): Promise<void> => undefined,
}: {
  bodies?: Partial<BodyLimits>;
  times?: Partial<TimeLimits>;
  answer?: () => Promise<void>;
}): Promise<number> {
  const timeLimits = { head: 60_000, request: 60_000, stalledReader: 60_000, ...times };
  const made = new FastifyAdapter({
    http: serverTimes(timeLimits),
    requestTimeout: timeLimits.request,
    clientErrorHandler: refuseConnection,
    bodyLimit: 8 * MB,
    forceCloseConnections: true,
  }).getInstance();
  server = made;
  const few = { mostBytes: 4 * MB, mostOpen: 500, window: 60_000, leastBytes: 1024 };
  const limits = { ...few, atOnce: Infinity, patience: Infinity, ...bodies };
  lineUpFirstRequests(made, limits);
  lineUpReports(made, { ...LINE_LIMITS, atOnce: 2, ofOne: 1, waiting: 5, patience: 50 });
  acceptGzip(made);
  acceptJson(made, boundBodies(made, limits));
  endStalledReaders(made, timeLimits);
  made.setErrorHandler((error, _request, reply) => {
    sendProblem(error instanceof Problem ? error : new Problem('server-failure', String(error)), reply);
    return reply;
  });
  made.post('/', async () => {
    await answer();
    return { ok: true };
  });
  made.get('/api/v1/reports/endless', async () =>
    Readable.from(
      (function* () {
        for (;;) yield Buffer.alloc(65_536);
      })(),
    ),
  );
  made.get('/api/v1/reports/slow', async () => {
    await answer();
    return { ok: true };
  });
  made.get('/small', async () => ({ ok: true }));
  lineUpConnections(made);
  made.firstRequests.onRefusal = (type) => refused.push(type);
  await made.listen({ port: 0, host: '127.0.0.1' });
  return (made.server.address() as AddressInfo).port;
}

/** What a client gets that sends this and then nothing more. */
function client(
  port: number,
  ...parts: (string | Buffer)[]
): { socket: Socket; text: () => string; closed: Promise<unknown> } {
  const socket = connect(port, '127.0.0.1');
  sockets.push(socket);
  let text = '';
  socket.on('data', (data) => (text += data.toString()));
  socket.on('error', () => undefined);
  for (const part of parts) socket.write(part);
  return { socket, text: () => text, closed: once(socket, 'close') };
}

const head = (length: number, path = '/'): string =>
  `POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\n\r\n`;
const get = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`;
const statuses = (text: string): string[] => [...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status ?? '');

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await sleep(10);
}

async function post(port: number, body: string): Promise<Response> {
  return fetch(`http://127.0.0.1:${port}/`, { method: 'POST', body, headers: { 'content-type': 'application/json' } });
}

it('a connection without a head, half a head, and a body that stops or drips end with a 408; others go on', async () => {
  const port = await start({ bodies: { window: 1_000 }, times: { head: 1_000 } });
  const nothing = client(port);
  const half = client(port, 'POST / HT');
  const stopped = client(port, head(100), '{"a":');
  const gzip = client(port, head(100).replace('Content-Type', 'Content-Encoding: gzip\r\nContent-Type'), 'x');
  const dripping = client(port, head(100_000), '{');
  const drip = setInterval(() => dripping.socket.write(' '), 20);
  await Promise.all([nothing.closed, half.closed, stopped.closed, gzip.closed, dripping.closed]);
  clearInterval(drip);
  for (const { text } of [half, stopped, dripping]) {
    expect(text()).toContain(' 408 Request Timeout');
    expect(text()).toContain('urn:device-metrics:problem:');
  }
  expect((await post(port, '{}')).status).toBe(200);
});

it('bodies that stall hold no more than the budget, and give way to those that come', async () => {
  const port = await start({});
  const stalled = Array.from({ length: 12 }, () => client(port, head(8 * MB), Buffer.alloc(MB, 32)));
  await until(() => stalled.filter(({ text }) => text().includes(' 503 ')).length >= 8);
  await sleep(2_100);
  for (let turn = 0; turn < 8; turn += 1) {
    expect((await post(port, JSON.stringify('x'.repeat(MB)))).status).toBe(200);
  }
});

it('of too many bodies that are not whole the oldest that drips gives way, and who sends a whole one waits for none', async () => {
  const port = await start({ bodies: { mostOpen: 10 } });
  const accepted = once(server!.server, 'connection') as Promise<[Socket]>;
  const large = client(port, head(200_000), Buffer.alloc(100_000, 32));
  const [there] = await accepted;
  await until(() => there.bytesRead > 100_000);
  const dripping: ReturnType<typeof client>[] = [];
  for (let n = 0; n < 30; n += 1) {
    dripping.push(client(port, head(1_000), '{'));
    if (n % 3 === 0) expect((await post(port, '{}')).status).toBe(200);
  }
  await until(() => dripping.filter(({ text }) => text().includes(' 503 ')).length >= 20);
  await Promise.all(dripping.slice(0, 15).map(({ closed }) => closed));
  expect(refused).toEqual(Array.from({ length: 20 }, () => 'server-busy'));
  expect((await post(port, '{}')).status).toBe(200);
  expect(dripping.at(-1)?.text()).toBe('');
  // What has brought much is not the one to go.
  large.socket.write(Buffer.alloc(99_998, 32));
  large.socket.write('{}');
  await until(() => large.text().includes(' 200 '));
});

it('requests that wait for their answer count: beyond the budget they are a 503 with Retry-After, and pass later', async () => {
  let open = (): void => undefined;
  const gate = new Promise<void>((resolve) => (open = resolve));
  const port = await start({ answer: () => gate });
  const body = JSON.stringify('x'.repeat(MB));
  const answers = Array.from({ length: 12 }, () => post(port, body));
  const first = await Promise.race(answers);
  expect(first.status).toBe(503);
  expect(Number(first.headers.get('retry-after'))).toBeGreaterThan(0);
  let refused = 0;
  for (const answer of answers) void answer.then(() => (refused += 1));
  await until(() => refused >= 8);
  open();
  const all = (await Promise.all(answers)).map(({ status }) => status);
  expect(all.filter((status) => status === 200).length).toBeGreaterThanOrEqual(3);
  expect(all.filter((status) => status === 200).length).toBeLessThanOrEqual(4);
  expect((await post(port, body)).status).toBe(200);
});

it('bodies take turns; small ones pass by', async () => {
  let most = 0;
  let now = 0;
  const port = await start({
    bodies: { atOnce: MB },
    answer: async () => {
      most = Math.max(most, (now += 1));
      await sleep(1);
      now -= 1;
    },
  });
  const body = JSON.stringify('x'.repeat(0.4 * MB));
  // Those that cannot be parsed end their turn too.
  const bodies = Array.from({ length: 9 }, (_, index) => (index % 3 === 0 ? `{${body}` : body));
  const statuses = (await Promise.all(bodies.map((one) => post(port, one)))).map(({ status }) => status);
  expect(statuses).toEqual(bodies.map((one) => (one === body ? 200 : 500)));
  expect(most).toBeLessThanOrEqual(2);
});

it('a body like that of a collector does not wait for a large one', async () => {
  let open = (): void => undefined;
  const gate = new Promise<void>((resolve) => (open = resolve));
  let begun = 0;
  const port = await start({
    bodies: { atOnce: 1 },
    answer: () => {
      begun += 1;
      return gate;
    },
  });
  const [large, other] = [JSON.stringify('x'.repeat(0.4 * MB)), JSON.stringify('x'.repeat(8_000))];
  const answers = [post(port, large), post(port, large)];
  await until(() => begun === 1);
  answers.push(post(port, other));
  await until(() => begun === 2);
  open();
  expect((await Promise.all(answers)).map(({ status }) => status)).toEqual([200, 200, 200]);
});

it('whoever has waited too long for its turn gets a 503 with Retry-After', async () => {
  let open = (): void => undefined;
  const gate = new Promise<void>((resolve) => (open = resolve));
  const port = await start({ bodies: { atOnce: 1, patience: 0, window: 100 }, answer: () => gate });
  const body = JSON.stringify('x'.repeat(5_000));
  const answers = [post(port, body), post(port, body)];
  const refused = await Promise.race(answers);
  expect([refused.status, Number(refused.headers.get('retry-after')) > 0]).toEqual([503, true]);
  answers.push(post(port, '{}'));
  open();
  expect((await Promise.all(answers)).map(({ status }) => status).sort()).toEqual([200, 200, 503]);
});

it('who has been answered before waits for few of those who come for the first time, and these are answered too', async () => {
  let begun = 0;
  const port = await start({
    answer: async () => {
      begun += 1;
      const end = performance.now() + 2;
      while (performance.now() < end);
    },
  });
  const before = client(port, get('/small'));
  const others = Array.from({ length: 60 }, () => client(port));
  await Promise.all(others.map(({ socket }) => once(socket, 'connect')));
  await until(() => before.text().includes(' 200 '));
  for (const { socket } of others) socket.write(`${head(2)}{}`);
  before.socket.write(get('/small'));
  await until(() => statuses(before.text()).length === 2);
  expect(begun).toBeLessThan(20);
  await until(() => others.every(({ text }) => text().includes(' 200 ')));
});

it('deep JSON is refused before it is parsed', async () => {
  const port = await start({ bodies: { mostBytes: 32 * MB } });
  for (const body of ['['.repeat(7 * MB), '{"a":'.repeat(MB), `{"metrics":${'['.repeat(70)}${']'.repeat(70)}}`]) {
    const answer = await post(port, body);
    expect(await answer.json()).toMatchObject({ status: 400, detail: expect.stringContaining('64') });
  }
});

it('who asks for many reports at once waits for them, and others do not wait for all of these', async () => {
  let open = (): void => undefined;
  const gate = new Promise<void>((resolve) => (open = resolve));
  const port = await start({ answer: () => gate });
  const many = client(port, ...Array.from({ length: 9 }, () => get('/api/v1/reports/slow')));
  await sleep(50);
  expect((await fetch(`http://127.0.0.1:${port}/small`)).status).toBe(200);
  const other = client(port, get('/api/v1/reports/slow'));
  open();
  await until(() => statuses(other.text()).length === 1 && statuses(many.text()).length === 9);
  expect(statuses(other.text())).toEqual(['200']);
  expect(statuses(many.text()).filter((status) => status === '503').length).toBe(3);
});

it('readers that take nothing of their reports neither keep others waiting nor stay', async () => {
  const port = await start({ times: { stalledReader: 1_500 } });
  const stalled = Array.from({ length: 4 }, () => client(port, get('/api/v1/reports/endless')));
  for (const { socket } of stalled) socket.pause();
  expect((await fetch(`http://127.0.0.1:${port}/api/v1/reports/slow`)).status).toBe(200);
  await until(() => connections() <= 1);
});

/** Of the server, that are open. */
const connections = (): number => Number((server?.server as unknown as { _connections: number })._connections);
