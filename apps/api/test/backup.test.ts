import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { Server, temporaryFolder } from './server.js';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let servers: Server[];
beforeEach(async () => {
  folder = await temporaryFolder();
  servers = [];
});
afterEach(async () => {
  for (const server of servers) await server.stop();
  await folder.remove();
});

async function start(file: string): Promise<Server> {
  const server = await Server.start({ DATABASE_PATH: join(folder.path, file) });
  servers.push(server);
  return server;
}

const BEGIN = Date.now() - 3_000_000;

it('a backup that is taken while samples come in has all that were acknowledged before it, and can be restored', async () => {
  const server = await start('metrics.db');
  let acknowledged = 0;
  const store = async (): Promise<void> => {
    const samples = Array.from({ length: 500 }, (_, i) => [BEGIN + acknowledged + i, acknowledged + i]);
    const { status } = await server.post('/api/v1/aggregator/metrics/batch', [
      { device_name: 'd', metric_name: 'm', samples },
    ]);
    expect(status).toBe(200);
    acknowledged += samples.length;
  };
  for (let turn = 0; turn < 20; turn += 1) await store();

  const before = acknowledged;
  const backup = fetch(`${server.url}/api/v1/admin/backup`);
  for (let turn = 0; turn < 20; turn += 1) await store();
  const response = await backup;
  expect(response.headers.get('content-disposition')).toMatch(/filename="device-metrics-.*\.db"/);
  await writeFile(join(folder.path, 'restored.db'), Buffer.from(await response.arrayBuffer()));

  const restored = await start('restored.db');
  const { body } = await restored.get('/api/v1/reports/metrics/d');
  const values = body.series[0].samples.map(([, value]: [string, number]) => value);
  expect(values).toEqual(Array.from({ length: values.length }, (_, i) => i));
  expect(values.length).toBeGreaterThanOrEqual(before);
  expect((await readdir(folder.path)).filter((name) => name.includes('backup'))).toEqual([]);
});

it('whoever has got a backup whole gets the next at once, and many after it', async () => {
  const server = await start('metrics.db');
  const samples = Array.from({ length: 20_000 }, (_, i) => [BEGIN + i, Math.random()]);
  await server.post('/api/v1/aggregator/metrics/batch', [{ device_name: 'd', metric_name: 'm', samples }]);
  for (let turn = 0; turn < 50; turn += 1) {
    const response = await fetch(`${server.url}/api/v1/admin/backup`);
    const bytes = Buffer.from(await response.arrayBuffer());
    expect([response.status, bytes.length]).toEqual([200, Number(response.headers.get('content-length'))]);
    expect((await readdir(folder.path)).filter((name) => name.includes('backup'))).toEqual([]);
  }
});

it('a reader that leaves in the middle leaves no file behind', async () => {
  const server = await start('metrics.db');
  await server.post('/api/v1/aggregator/metrics', { device_name: 'd', metric_name: 'm', value: 1 });
  const abort = new AbortController();
  await fetch(`${server.url}/api/v1/admin/backup`, { signal: abort.signal });
  abort.abort();
  const left = async (): Promise<string[]> => (await readdir(folder.path)).filter((name) => name.includes('backup'));
  while ((await left()).length > 0) await new Promise((resolve) => setTimeout(resolve, 20));
  expect((await server.get('/api/v1/admin/backup')).status).toBe(200);
});
