import type { AddressInfo } from 'node:net';
import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, expect, it } from '@jest/globals';
import fastify from 'fastify';
import { BODY_LIMITS, BodyBudget, boundBodies } from './body-budget.js';
import { acceptGzip, MOST_PACKED } from './decompress.js';
import { openDirectPath } from './direct.js';
import { acceptJson } from './json-body.js';
import { MAX_BODY } from './limits.js';
import { Problem } from './problem.js';
import { acceptBytes } from './raw-body.js';

const server = fastify();
let isAdmitted = true;
const answered: string[] = [];

beforeAll(async () => {
  const budget = new BodyBudget(BODY_LIMITS);
  openDirectPath(server, budget, acceptJson(server, budget));
  server.removeContentTypeParser('text/plain');
  acceptGzip(server);
  boundBodies(server, BODY_LIMITS, budget);
  acceptBytes(server, budget);
  const speaks = { problem: ({ message }: Problem) => ({ contentType: 'text/plain', body: message }) };
  server.post('/x', { config: { speaks } }, async ({ body }) => `usual ${String(body)}`);
  server.setErrorHandler((error, _request, reply) => reply.status(418).send(`refused: ${(error as Error).message}`));
  const take = async (bytes: Buffer): Promise<{ status: number; headers: string[]; body: string }> => {
    if (String(bytes) === 'bad') throw new Problem('invalid-input', 'this is bad');
    return { status: 200, headers: ['content-type', 'text/plain'], body: `direct ${String(bytes)}` };
  };
  server.direct.open([{ path: '/x', types: ['text/plain', undefined], take }], {
    admit: () => (isAdmitted ? (work) => work() : undefined),
    answered: ({ path }, status) => answered.push(`${path} ${status}`),
  });
  await server.listen({ host: '127.0.0.1', port: 0 });
});
afterAll(() => server.close());
beforeEach(() => {
  isAdmitted = true;
});

const USUAL = ['Host: x', 'Content-Type: text/plain', 'Content-Length: 4'];

/** All that comes back for requests of one connection. */
async function say(...requests: string[]): Promise<string> {
  const { port } = server.server.address() as AddressInfo;
  const socket = connect(port, '127.0.0.1');
  socket.end(requests.join(''), 'latin1');
  const chunks = await socket.toArray();
  return Buffer.concat(chunks as Buffer[]).toString();
}

const post = (headers: readonly string[], body = 'body', line = 'POST /x HTTP/1.1'): string =>
  [line, ...headers, '', body].join('\r\n');

/** The same for a request that takes a while, and another one behind it. */
async function ask(request: string): Promise<string> {
  const { port } = server.server.address() as AddressInfo;
  const socket = connect(port, '127.0.0.1');
  socket.write(request + post([...USUAL, 'Connection: close'], 'last'), 'latin1');
  return Buffer.concat((await socket.toArray()) as Buffer[]).toString();
}

const inChunks = (text: string, size: number): string => {
  const chunks = text.match(new RegExp(`[^]{1,${size}}`, 'g')) ?? [];
  return [...chunks.map((chunk) => `${chunk.length.toString(16)}\r\n${chunk}\r\n`), '0\r\n\r\n'].join('');
};

/** @param chunk the length of the chunks that it comes in; left out: its length is said before. */
function packed(bytes: Buffer, chunk?: number): string {
  const text = bytes.toString('latin1');
  const length = chunk === undefined ? `Content-Length: ${bytes.length}` : 'Transfer-Encoding: chunked';
  return post(['Host: x', 'Content-Encoding: gzip', length], chunk === undefined ? text : inChunks(text, chunk));
}

it.each([
  ['as usual', 'direct', USUAL],
  ['without a type', 'direct', ['Host: x', 'Content-Length: 4']],
  ['of a program that says who it is', 'direct', ['User-Agent: a', 'Accept: */*', ...USUAL]],
  ['of another type', 'usual', ['Host: x', 'Content-Type: text/html', 'Content-Length: 4']],
  ['with a header that is not known', 'usual', ['X-Any: 1', ...USUAL]],
  ['of a page', 'usual', ['Origin: http://x', ...USUAL]],
  ['with a cookie', 'usual', ['Cookie: a=b', ...USUAL]],
  ['of a proxy', 'usual', ['X-Forwarded-For: 10.0.0.1', ...USUAL]],
  ['with a header twice', 'usual', ['Host: y', ...USUAL]],
])('a request %s goes the %s way', async (_what, way, headers) => {
  expect(await say(post(headers))).toMatch(new RegExp(`\r\n\r\n${way} body$`));
});

it('a body of no known length comes in chunks', async () => {
  const chunked = (text: string, size: number): string =>
    post(['Host: x', 'Transfer-Encoding: chunked'], inChunks(text, size));
  expect(await ask(chunked('body', 3))).toMatch(/\r\n\r\ndirect body.*direct last$/s);
  expect(await ask(chunked('', 1))).toMatch(/\r\n\r\ndirect HTTP.*direct last$/s);
  expect(await say(chunked('a'.repeat(MAX_BODY + 1), 65_000))).toContain(
    `refused: The body must have at most ${MAX_BODY}`,
  );
  const other = post(['Host: x', 'Transfer-Encoding: gzip, chunked'], inChunks('body', 4));
  expect(await say(other)).toMatch(/usual body$/);
});

it('a request to another path or by HTTP 1.0 goes the usual way', async () => {
  expect(await say(post(USUAL, 'body', 'POST /y HTTP/1.1'))).toContain(' 404 ');
  expect(await say(post(USUAL, 'body', 'POST /x HTTP/1.0'))).toMatch(/usual body$/);
});

it('a caller who is not known at once goes the usual way', async () => {
  isAdmitted = false;
  expect(await say(post(USUAL))).toMatch(/usual body$/);
});

it('what fails is answered the usual way, and the connection goes on', async () => {
  answered.length = 0;
  const bad = post(['Host: x', 'Content-Length: 3'], 'bad');
  const said = await say(bad, post(USUAL), bad, post(USUAL, 'last'));
  expect(said.match(/refused: this is bad|direct (body|last)/g)).toEqual([
    'refused: this is bad',
    'direct body',
    'refused: this is bad',
    'direct last',
  ]);
  expect(answered).toEqual(['/x 200', '/x 200']);
});

it('a body of gzip is undone, and what is none or too much is refused as the usual way does', async () => {
  expect(await ask(packed(gzipSync('body')))).toMatch(/\r\n\r\ndirect body.*direct last$/s);
  const long = 'abcdefgh'.repeat(100_000);
  expect(await ask(packed(gzipSync(long)))).toContain(`\r\n\r\ndirect ${long}`);
  const damaged = gzipSync('body').subarray(0, -9);
  const tooMuch = Buffer.concat(Array.from({ length: 9 }, (_, at) => Buffer.alloc(1_000_000, `${at} and some more`)));
  for (const [bytes, reason] of [
    [damaged, 'the body is not gzip: unexpected end of file'],
    [Buffer.from('body'), 'the body is not gzip: incorrect header check'],
    [gzipSync(Buffer.alloc(MAX_BODY)), 'The body must have at most 200 times its length'],
    [gzipSync(tooMuch, { level: 1 }), `The body must have at most ${MAX_BODY} bytes`],
  ] as const) {
    expect(await ask(packed(bytes))).toMatch(new RegExp(`refused: ${reason}.*direct last$`, 's'));
    expect(await ask(packed(bytes, 10_000))).toMatch(new RegExp(`refused: ${reason}`));
  }
});

it('a body of gzip that is long, or comes in chunks, is undone as it comes', async () => {
  const long = Array.from({ length: 60_000 }, (_, at) => (at * 2_654_435_761) % 2 ** 32).join();
  const bytes = gzipSync(long);
  expect(bytes.length).toBeGreaterThan(MOST_PACKED);
  expect(await ask(packed(bytes))).toContain(`\r\n\r\ndirect ${long}`);
  expect(await ask(packed(bytes, 1_000))).toContain(`\r\n\r\ndirect ${long}`);
  expect(await ask(packed(gzipSync('body'), 7))).toMatch(/\r\n\r\ndirect body.*direct last$/s);
  const damaged = Buffer.from(bytes);
  damaged.fill(7, 5_000, 6_000);
  for (const chunk of [undefined, 1_000]) {
    expect(await ask(packed(damaged, chunk))).toContain('refused: the body is not gzip: ');
    expect(await ask(packed(bytes.subarray(0, -20), chunk))).toContain('refused: the body is not gzip: unexpected end');
  }
  // Nobody waits for whoever has gone.
  expect(await say(packed(bytes).slice(0, -20_000))).not.toContain('direct');
  expect(await say(post(USUAL))).toMatch(/direct body$/);
});

it('a body that breaks off costs nobody else anything', async () => {
  expect(await say(post(USUAL, 'bo'))).not.toContain('direct');
  expect(await say(post(USUAL))).toMatch(/direct body$/);
});
