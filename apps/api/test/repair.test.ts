import { closeSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, it } from '@jest/globals';
import { Server, temporaryFolder } from './server.js';

const folder = await temporaryFolder();
afterAll(() => folder.remove());
const file = join(folder.path, 'metrics.db');
const settings = { DATABASE_PATH: file };

it('a damaged database ends the start with what to do, and after that the api has its samples again', async () => {
  const first = await Server.start(settings);
  const samples = Array.from({ length: 1_000 }, (_, index) => [Date.now() - 60_000 + index, index]);
  const sent = await first.post('/api/v1/aggregator/metrics/batch', [{ device_name: 'pc', metric_name: 'm', samples }]);
  expect(sent.status).toBe(200);
  await first.stop();
  const handle = openSync(file, 'r+');
  writeSync(handle, Buffer.alloc(4_096), 0, 4_096, 0);
  closeSync(handle);

  await expect(Server.start(settings)).rejects.toThrow(/cannot be opened.*main\.js repair FILE/);
  const fresh = join(folder.path, 'fresh.db');
  expect((await Server.command(['repair', fresh], settings))[0]).toBe('Saved: 1 devices, 1 series, 1000 samples.');
  await expect(Server.command(['repair', fresh], settings)).rejects.toThrow('there already');

  for (const suffix of ['-wal', '-shm']) rmSync(file + suffix, { force: true });
  renameSync(fresh, file);
  const second = await Server.start(settings);
  const { summaries } = (await second.get('/api/v1/reports/summary')).body;
  expect(summaries).toMatchObject([{ device_name: 'pc', count: 1_000, last: 999 }]);
  await second.stop();
});

it('a database file that is moved away takes no more samples, is told of, and goes on once it is back', async () => {
  const server = await Server.start({ DATABASE_PATH: join(folder.path, 'moved.db') });
  const send = async (value: number): Promise<number> =>
    (await server.post('/api/v1/aggregator/metrics', { device_name: 'pc', metric_name: 'm', value })).status;
  const until = async (status: number): Promise<void> => {
    while ((await server.get('/readyz')).status !== status) await new Promise((resolve) => setTimeout(resolve, 50));
  };
  expect(await send(1)).toBe(201);
  renameSync(join(folder.path, 'moved.db'), join(folder.path, 'elsewhere.db'));
  await until(503);
  expect(await send(2)).toBe(503);
  expect((await server.get('/api/v1/reports/summary')).body.summaries).toMatchObject([{ count: 1, last: 1 }]);
  renameSync(join(folder.path, 'elsewhere.db'), join(folder.path, 'moved.db'));
  await until(200);
  expect(await send(3)).toBe(201);
  await server.stop();
});
