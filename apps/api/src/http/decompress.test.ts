import { once } from 'node:events';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { expect, it } from '@jest/globals';
import { gunzip } from './decompress.js';

const MB = 2 ** 20;
/** Of 32 MiB. */
const BOMB = gzipSync(Buffer.alloc(32 * MB));

it('a bomb is inflated no further than to the limit, and the rest of the body is read away', async () => {
  const body = Readable.from([BOMB.subarray(0, 100), BOMB.subarray(100)]);
  const inflated = gunzip(body, MB / 2);
  let bytes = 0;
  inflated.on('data', (chunk: Buffer) => (bytes += chunk.length));
  await Promise.all([once(inflated, 'close'), once(body, 'end')]);
  expect(bytes).toBeGreaterThan(MB / 2);
  expect(bytes).toBeLessThan(MB);
});

it('a body that is far more than its length is known for a bomb before the limit', async () => {
  const body = Readable.from([BOMB]);
  const inflated = gunzip(body, 8 * MB);
  let bytes = 0;
  inflated.on('data', (chunk: Buffer) => (bytes += chunk.length));
  const problem = new Promise((resolve) => inflated.once('error', resolve));
  await once(body, 'end');
  expect(await problem).toMatchObject({ type: 'body-too-large' });
  expect(bytes).toBeLessThan(2 * MB);
});

it('what fits comes whole', async () => {
  const inflated = gunzip(Readable.from([gzipSync(Buffer.alloc(MB, 7))]), MB);
  const chunks: Buffer[] = [];
  for await (const chunk of inflated) chunks.push(chunk as Buffer);
  expect(Buffer.concat(chunks).equals(Buffer.alloc(MB, 7))).toBe(true);
});
