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
