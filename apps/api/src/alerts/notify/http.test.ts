import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it } from '@jest/globals';
import { get } from './http.js';

it('calls an address with user and password, and tells neither when nobody is there', async () => {
  const heard: unknown[] = [];
  const server = createServer(({ headers, url }, response) => {
    heard.push([url, headers.authorization]);
    response.writeHead(url === '/gone' ? 410 : 204).end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const origin = `http://me:hush%25@127.0.0.1:${(server.address() as AddressInfo).port}`;
  await get(`${origin}/beat`);
  expect(heard).toEqual([['/beat', `Basic ${Buffer.from('me:hush%').toString('base64')}`]]);
  await expect(get(`${origin}/gone`)).rejects.toThrow('answered 410');
  server.close();
  server.closeAllConnections();
  const { message } = await get(`${origin}/beat`).then(
    () => new Error('taken'),
    (error: Error) => error,
  );
  expect(message).toContain('could not be reached');
  expect(message).not.toContain('hush');
});
