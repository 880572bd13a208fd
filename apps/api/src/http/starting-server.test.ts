import 'reflect-metadata';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { expect, it } from '@jest/globals';
import { StartingServer } from './starting-server.js';

it('while the database is being opened the process lives, and everything else is to be asked for again', async () => {
  const starting = await StartingServer.open({ host: '127.0.0.1', port: 0 });
  const { port } = starting;
  const url = `http://127.0.0.1:${port}`;
  const health = await fetch(`${url}/healthz`);
  expect([health.status, await health.json()]).toEqual([200, { status: 'ok' }]);
  for (const [path, init] of [
    ['/readyz', {}],
    ['/api/v1/aggregator/metrics/batch/', { method: 'POST', body: '[]' }],
  ] as const) {
    const answer = await fetch(url + path, init);
    expect(answer.status).toBe(503);
    expect(answer.headers.get('retry-after')).toBe('5');
    expect(await answer.json()).toMatchObject({ type: 'urn:device-metrics:problem:starting', status: 503 });
  }

  const page = await fetch(url, { headers: { accept: 'text/html,*/*;q=0.8' } });
  expect([page.status, page.headers.get('refresh')]).toEqual([503, '2']);
  expect(await page.text()).toContain('The api is opening its database');

  // Whoever asks while another server takes over gets an answer, of the one or of the other.
  let isOver = false;
  const asked: Promise<number[]> = (async () => {
    const statuses: number[] = [];
    while (!isOver) statuses.push((await fetch(`${url}/readyz`)).status);
    return statuses;
  })();
  const handle = starting.handOver();
  await fetch(`${url}/readyz`);
  const next = createServer((_request, response) => response.end('{}'));
  await once(next.listen({ port, ...handle }), 'listening');
  expect((await fetch(`${url}/readyz`)).status).toBe(200);
  isOver = true;
  expect(new Set(await asked)).toEqual(new Set([200, 503]));
  expect((next.address() as AddressInfo).port).toBe(port);
  next.close();
  next.closeAllConnections();
  await expect(fetch(url)).rejects.toThrow();
});

it('a port that is taken is an error', async () => {
  const first = await StartingServer.open({ host: '127.0.0.1', port: 0 });
  await expect(StartingServer.open({ host: '127.0.0.1', port: first.port })).rejects.toMatchObject({
    code: 'EADDRINUSE',
  });
  createServer().listen(first.handOver()).close();
});
