import { get, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';
import { Server, temporaryFolder } from './server.js';

let server: Server;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
const start = (): Promise<Server> => Server.start({ DATABASE_PATH: join(folder.path, 'metrics.db') });
beforeAll(async () => {
  folder = await temporaryFolder();
  server = await start();
});
afterAll(async () => {
  await server.stop();
  await folder.remove();
});
const streams: IncomingMessage[] = [];
afterEach(() => {
  for (const stream of streams.splice(0)) stream.destroy();
});

const BATCH = '/api/v1/aggregator/metrics/batch/';
const store = async (deviceName: string, value: number, metricName = 'load'): Promise<void> => {
  const { status } = await server.post(BATCH, [{ device_name: deviceName, metric_name: metricName, value }]);
  expect(status).toBe(200);
};
/** Stores a run of values from 0 on, all different in time from those of other runs. */
let stored = 0;
async function storeMany(deviceName: string, count: number): Promise<void> {
  const begin = Date.now() - 3_600_000 + stored;
  stored += count;
  const samples = Array.from({ length: count }, (_, value) => [begin + value, value]);
  expect((await server.post(BATCH, [{ device_name: deviceName, metric_name: 'load', samples }])).status).toBe(200);
}

function open(query = '', headers: Record<string, string> = {}): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const opened = (stream: IncomingMessage): void => {
      streams.push(stream);
      resolve(stream);
    };
    get(`${server.url}/api/v1/live${query}`, { headers }, opened).on('error', reject);
  });
}

/** Reads events until `enough` says so. */
async function events(stream: IncomingMessage, enough: (text: string) => boolean): Promise<string> {
  let text = '';
  for await (const chunk of stream.setEncoding('utf8')) {
    text += chunk as string;
    if (enough(text)) break;
  }
  return text;
}
/** What a browser would send as `Last-Event-ID` after this. */
const lastId = (text: string): string => [...text.matchAll(/^id: (.*)$/gm)].at(-1)?.[1] ?? '';
const values = (text: string): number[] =>
  [...text.matchAll(/^data: (\[.*)$/gm)].flatMap(([, data]) =>
    (JSON.parse(data ?? '') as { value: number }[]).map(({ value }) => value),
  );

it('a reader gets the samples that it asked for as they are stored', async () => {
  const stream = await open('?device_name=pc-*&metric_name=load');
  expect(stream.headers['content-type']).toContain('text/event-stream');
  await store('pc-1', 1);
  await store('ups', 2);
  await store('pc-1', 3, 'idle');
  await store('pc-2', 4);

  expect(values(await events(stream, (text) => text.includes('"value":4')))).toEqual([1, 4]);
});

it('a reader that comes back gets what it missed, once', async () => {
  await store('pc', 1);
  const first = await open();
  await store('pc', 2);
  const id = lastId(await events(first, (text) => text.includes('"value":2')));
  await store('pc', 3);
  await store('pc', 4);

  const second = await open('', { 'last-event-id': id });
  await store('pc', 5);
  expect(values(await events(second, (text) => text.includes('"value":5')))).toEqual([3, 4, 5]);
});

it('a reader that comes back too late is told that there is a gap', async () => {
  const stream = await open('', { 'last-event-id': 'other-run-7' });
  expect(await events(stream, (text) => text.includes('\n\n'))).toContain('event: gap');
});

it('a reader that is told of a gap does not hear of the same gap again', async () => {
  const text = await events(await open('', { 'last-event-id': 'other-run-7' }), (text) => text.includes('\n\n'));
  const again = await open('', { 'last-event-id': lastId(text) });
  await store('gap', 1);
  expect(await events(again, (text) => text.includes('"value":1'))).not.toContain('event: gap');
});

it('a reader comes back to a quiet filter, though much else was stored', async () => {
  const first = await open('?device_name=quiet');
  const id = lastId(await events(first, (text) => text.includes('\n\n')));
  await storeMany('loud', 20_000);
  await store('quiet', 7);

  const second = await open('?device_name=quiet', { 'last-event-id': id });
  expect(values(await events(second, (text) => text.includes('"value":7')))).toEqual([7]);
});

it('a reader that comes back gets all that it missed, however much, as fast as it reads', async () => {
  const first = await open('?device_name=missed');
  const id = lastId(await events(first, (text) => text.includes('\n\n')));
  await storeMany('missed', 45_000);

  const second = await open('?device_name=missed', { 'last-event-id': id });
  const text = await events(second, (text) => text.endsWith('\n\n') && text.includes('"value":44999,'));
  expect(values(text)).toEqual(Array.from({ length: 45_000 }, (_, value) => value));
});

it('readers that do not read miss something, are told so, and cost nothing, and what they did not read is stored all the same', async () => {
  const memory = async (): Promise<number> => (await server.metric('process_resident_memory_bytes')) / 2 ** 20;
  await storeMany('warm', 100_000);
  const before = await memory();
  const slow = await Promise.all(Array.from({ length: 30 }, () => open('?device_name=busy')));
  for (const stream of slow) stream.socket.pause();
  let largest = 0;
  for (let turn = 0; turn < 30; turn += 1) {
    await storeMany('busy', 10_000);
    largest = Math.max(largest, await memory());
  }
  const { body } = await server.get('/api/v1/reports/summary?device_name=busy');
  expect(body.summaries[0].count).toBe(300_000);
  // Their 50 MB each would be 1,500.
  expect(largest - before).toBeLessThan(300);
  for (const stream of slow) stream.socket.resume();
  await Promise.all(slow.map((stream) => events(stream, (text) => text.includes('event: gap\n'))));
});

it('a hundred readers get everything; one more is refused until one leaves', async () => {
  const readers = await Promise.all(Array.from({ length: 100 }, () => open('?device_name=many')));
  const refused = await server.get('/api/v1/live');
  expect(refused).toMatchObject({ status: 503, body: { detail: expect.stringContaining('100 live streams') } });
  expect(refused.headers.get('retry-after')).toBe('10');

  await storeMany('many', 2_000);
  const texts = await Promise.all(readers.map((reader) => events(reader, (text) => text.includes('"value":1999,'))));
  for (const text of texts) expect(values(text)).toHaveLength(2_000);

  // Soon after they have left.
  while ((await open()).statusCode !== 200) await sleep(50);
});

it('HEAD is answered at once, and opens no stream', async () => {
  // A stream would never end.
  const signal = AbortSignal.timeout(30_000);
  const { status, headers } = await fetch(`${server.url}/api/v1/live`, { method: 'HEAD', signal });
  expect([status, headers.get('content-type')]).toEqual([200, 'text/event-stream; charset=utf-8']);
});

it('after a restart a reader is told of the gap', async () => {
  const id = lastId(await events(await open(), (text) => text.includes('\n\n')));
  await server.stop();
  server = await start();
  const stream = await open('', { 'last-event-id': id });
  expect(await events(stream, (text) => text.includes('gap'))).toContain('event: gap');
});

it('open streams do not keep the server from stopping', async () => {
  const stream = await open();
  stream.resume();
  await sleep(50);
  expect(await server.stop()).toBe(0);
  server = await start();
});

it.each([
  ['label=cpu', 'label must be name=value'],
  ['devices=pc', 'devices is unknown; allowed are device_name'],
])('%s is refused before a stream begins', async (query, detail) => {
  const { status, headers, body } = await server.get(`/api/v1/live?${query}`);
  expect(status).toBe(400);
  expect(headers.get('content-type')).toContain('application/problem+json');
  expect(body.detail).toContain(detail);
});
