import { get, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { Server, temporaryFolder } from './server.js';

let server: Server;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeEach(async () => {
  folder = await temporaryFolder();
  server = await Server.start({ DATABASE_PATH: join(folder.path, 'metrics.db') });
});
afterEach(async () => {
  await server.stop();
  await folder.remove();
});

const BATCH = '/api/v1/aggregator/metrics/batch/';
const store = async (deviceName: string, value: number, metricName = 'load'): Promise<void> => {
  const { status } = await server.post(BATCH, [{ device_name: deviceName, metric_name: metricName, value }]);
  expect(status).toBe(200);
};

function open(query = '', headers: Record<string, string> = {}): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    get(`${server.url}/api/v1/live${query}`, { headers }, resolve).on('error', reject);
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
  const [, id] = /^id: (.*)$/m.exec(await events(first, (text) => text.includes('"value":2'))) ?? [];
  await store('pc', 3);
  await store('pc', 4);

  const second = await open('', { 'last-event-id': id ?? '' });
  await store('pc', 5);
  expect(values(await events(second, (text) => text.includes('"value":5')))).toEqual([3, 4, 5]);
});

it('a reader that comes back too late is told that there is a gap', async () => {
  const stream = await open('', { 'last-event-id': 'other-run-7' });
  expect(await events(stream, (text) => text.includes('\n\n'))).toContain('event: gap');
});

it('a reader that does not read is cut off, and what it did not read is stored all the same', async () => {
  const stream = await open();
  stream.pause();
  const closed = new Promise((resolve) => stream.once('close', resolve).once('error', resolve));
  stream.socket.pause();
  let stored = 0;
  for (let turn = 0; turn < 60; turn += 1) {
    const metrics = Array.from({ length: 5_000 }, (_, i) => ({
      device_name: 'busy',
      metric_name: 'load',
      value: i,
      timestamp: Date.now() - 600_000 + stored + i,
    }));
    expect((await server.post(BATCH, metrics)).status).toBe(200);
    stored += metrics.length;
  }
  expect((await server.get('/api/v1/reports/summary')).body.summaries[0].count).toBe(stored);
  stream.socket.resume();
  stream.resume();
  await closed;
});

it('open streams do not keep the server from stopping', async () => {
  const stream = await open();
  stream.resume();
  await sleep(50);
  expect(await server.stop()).toBe(0);
});

it('a query that cannot be is a 400', async () => {
  expect((await server.get('/api/v1/live?label=cpu')).body.detail).toContain('label must be name=value');
});
