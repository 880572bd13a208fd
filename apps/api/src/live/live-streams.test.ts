import { once } from 'node:events';
import { createServer, get, IncomingMessage, ServerResponse } from 'node:http';
import { Socket, type AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, it, jest } from '@jest/globals';
import { LiveSamples } from './live-samples.js';
import { HEARTBEAT, LiveStreams, MAX_STREAMS } from './live-streams.js';

const liveSamples = new LiveSamples();
const streams = new LiveStreams(liveSamples);
const server = createServer((_request, response) => streams.open(response, {}, undefined));

beforeEach(async () => {
  jest.useFakeTimers({ doNotFake: ['setImmediate', 'setTimeout', 'nextTick', 'performance'] });
  await once(server.listen(0, '127.0.0.1'), 'listening');
});
afterEach(() => {
  jest.useRealTimers();
  server.closeAllConnections();
  server.close();
});

async function open(): Promise<IncomingMessage> {
  const [stream] = (await once(
    get({ port: (server.address() as AddressInfo).port, host: '127.0.0.1' }),
    'response',
  )) as [IncomingMessage];
  return stream.setEncoding('utf8');
}
async function nextText(stream: IncomingMessage): Promise<string> {
  const [text] = (await once(stream, 'data')) as [string];
  return text;
}

const sample = { deviceName: 'pc', metricName: 'load', unit: undefined, labels: {}, timestamp: 0, value: 1 };

it('a quiet stream shows every 15 seconds that it lives, and where to come back to', async () => {
  const stream = await open();
  const opened = await nextText(stream);
  expect(opened).toMatch(/^: open\nid: \w+-0\n\n$/);
  expect(HEARTBEAT).toBe(15_000);

  for (let beat = 0; beat < 2; beat += 1) {
    jest.advanceTimersByTime(HEARTBEAT);
    expect(await nextText(stream)).toBe(opened.replace('open', 'heartbeat'));
  }
});

it('a reader that has not read for two heartbeats is cut off, one that reads is not', async () => {
  const [idle, reading] = [await open(), await open()];
  let read = 0;
  reading.on('data', (text: string) => (read += text.length));
  const closed = new Promise((resolve) => idle.once('error', resolve));
  // Within the window, and more than what sockets hold for a reader.
  const long = { ...sample, deviceName: 'x'.repeat(1000) };
  for (let turn = 0; turn < 40; turn += 1) {
    liveSamples.publish(Array.from({ length: 1000 }, () => long));
    await new Promise(setImmediate);
  }
  while (read < 40_000_000) await new Promise(setImmediate);
  jest.advanceTimersByTime(HEARTBEAT);
  jest.advanceTimersByTime(HEARTBEAT);
  idle.resume();
  await closed;
  expect(reading.destroyed).toBe(false);
});

it("a reader that has gone before its stream began takes nobody's place", async () => {
  const gone = new ServerResponse(new IncomingMessage(new Socket()));
  gone.destroy();
  const stop = jest.fn();
  for (let n = 0; n < MAX_STREAMS; n += 1) {
    streams.open(gone, {}, undefined, { scope: '', sees: () => true, stop });
  }
  expect(stop).toHaveBeenCalledTimes(MAX_STREAMS);
  expect(() => streams.assertRoom()).not.toThrow();
});
