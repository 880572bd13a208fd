import 'reflect-metadata';
import { createServer } from 'node:http';
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

  await starting.close();
  const next = createServer();
  await once(next.listen(port, '127.0.0.1'), 'listening');
  next.close();
});

it('a port that is taken is an error', async () => {
  const first = await StartingServer.open({ host: '127.0.0.1', port: 0 });
  await expect(StartingServer.open({ host: '127.0.0.1', port: first.port })).rejects.toMatchObject({
    code: 'EADDRINUSE',
  });
  await first.close();
});
