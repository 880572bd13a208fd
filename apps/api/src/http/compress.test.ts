import { Readable } from 'node:stream';
import { gunzipSync } from 'node:zlib';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { afterAll, expect, it } from '@jest/globals';
import { compressAnswers } from './compress.js';
import { sendProblem } from './problem.filter.js';
import { Problem } from './problem.js';

const rows = Array.from({ length: 2_000 }, (_, index) => ({ device_name: `lab-pc-${index}`, value: index / 7 }));
const text = JSON.stringify(rows);

const server = new FastifyAdapter().getInstance();
compressAnswers(server);
server.setErrorHandler((_error, _request, reply) =>
  sendProblem(new Problem('server-failure', 'The server failed; its log says why.'), reply),
);
server.get('/list', () => rows);
server.get('/short', () => ({ status: 'ok' }));
server.get('/stream', (_request, reply) =>
  reply.type('application/json').send(Readable.from([text.slice(0, 9), text.slice(9)])),
);
server.get('/csv', (_request, reply) => reply.type('text/csv').send(text));
server.get('/broken', (_request, reply) =>
  reply.type('application/json').send(
    new Readable({
      read: (): never => {
        throw new Error('the disk is gone');
      },
    }),
  ),
);
afterAll(() => server.close());

const ask = (url: string, accepted?: string) =>
  server.inject({ url, ...(accepted !== undefined && { headers: { 'accept-encoding': accepted } }) });

it.each(['/list', '/stream'])('%s goes out as gzip to who takes it, and is shorter', async (url) => {
  const { headers, rawPayload } = await ask(url, 'br;q=0.5, gzip, deflate');
  expect(headers).toMatchObject({ 'content-encoding': 'gzip', vary: 'accept-encoding' });
  expect(gunzipSync(rawPayload).toString()).toBe(text);
  expect(rawPayload.length).toBeLessThan(text.length / 3);
});

it.each([
  ['/list', undefined],
  ['/list', 'gzip;q=0, br'],
  ['/short', 'gzip'],
  ['/csv', 'gzip'],
])('%s to who accepts %s goes out as it is', async (url, accepted) => {
  const { headers, payload } = await ask(url, accepted);
  expect(headers['content-encoding']).toBeUndefined();
  expect(payload).toBe(url === '/short' ? '{"status":"ok"}' : text);
});

it('what fails before its first byte is a problem in plain JSON', async () => {
  const answer = await ask('/broken', 'gzip');
  expect(answer.statusCode).toBe(500);
  expect(answer.headers['content-encoding']).toBeUndefined();
  expect(answer.json()).toMatchObject({ detail: 'The server failed; its log says why.' });
});
