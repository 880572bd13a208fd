import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { BackupFiles, scheduledName } from './backup-files.js';

let folder: string;
let files: BackupFiles;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'device-metrics-backups-'));
  files = new BackupFiles(folder, 3);
});
afterEach(() => rm(folder, { recursive: true }));

const at = (day: string): number => Date.parse(`${day}T03:00:00.000Z`);

/** As the schedule does; gives the days of those that are there then. */
async function make(day: string): Promise<string[]> {
  await writeFile(join(folder, scheduledName(at(day))), '');
  await files.removeOld(at(day));
  return (await readdir(folder))
    .map((name) => name.slice('device-metrics-'.length, -'T03-00-00.000Z.db'.length))
    .sort();
}

it('the newest stay', async () => {
  for (const day of ['2026-01-01', '2026-01-02', '2026-01-03']) await make(day);
  expect(await make('2026-01-04')).toEqual(['2026-01-02', '2026-01-03', '2026-01-04']);
  expect(await files.newest(at('2026-01-05'))).toBe(at('2026-01-04'));
});

it('those of a clock that was ahead go first, and are not taken for the newest', async () => {
  for (const day of ['2056-01-01', '2056-01-02', '2056-01-03']) await make(day);
  expect(await files.newest(at('2026-01-03'))).toBeUndefined();
  expect(await make('2026-01-04')).toContain('2026-01-04');
  await make('2026-01-05');
  expect(await files.newest(at('2026-01-05'))).toBe(at('2026-01-05'));
  expect(await make('2026-01-06')).toEqual(['2026-01-04', '2026-01-05', '2026-01-06']);
});

it('one of a clock that is behind stays, as it is what there is of today', async () => {
  for (const day of ['2026-01-01', '2026-01-02', '2026-01-03']) await make(day);
  expect(await make('1970-01-02')).toContain('1970-01-02');
  expect(await make('1970-01-03')).toContain('1970-01-03');
});
