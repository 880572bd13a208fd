import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { ReportFolders } from './report-folders.js';

it('knows when the newest run was made, by which a missed one is made up for; not of one by a clock that was ahead', async () => {
  const path = await mkdtemp(join(tmpdir(), 'reports-'));
  const folders = new ReportFolders(join(path, 'reports'), 10);
  const now = Date.UTC(2026, 0, 15, 6, 30, 1, 234);
  expect(await folders.newest(now)).toBeUndefined();
  for (const time of [now - 86_400_000, now, now + 1]) await (await folders.openRun(time)).finish('index');
  await folders.openRun(now - 1_000);
  expect(await folders.newest(now)).toBe(now);
  await rm(path, { recursive: true });
});
