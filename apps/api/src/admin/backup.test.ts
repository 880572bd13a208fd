import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import type { StoreOperation } from '@device-metrics/storage';
import type { ApiConfig } from '../settings.js';
import { Backup } from './backup.js';

const SIZE = 300_000;

let folder: string;
let backup: Backup;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'device-metrics-backup-'));
  const store = { backup: (path: string) => writeFile(path, Buffer.alloc(SIZE, 1)) };
  backup = new Backup(store as StoreOperation, { databasePath: join(folder, 'metrics.db') } as ApiConfig);
});
afterEach(() => rm(folder, { recursive: true }));

it('there is one at a time, and the next may be asked for with the last byte of it', async () => {
  const { stream, size } = await backup.create();
  expect(size).toBe(SIZE);
  let left = size;
  for await (const chunk of stream) {
    left -= (chunk as Buffer).length;
    if (left > 0) await expect(backup.create()).rejects.toThrow('one at a time');
    else (await backup.create()).stream.destroy();
  }
  expect(left).toBe(0);
});

it('one that ends late does not end the one after it, and none leaves a file', async () => {
  const first = await backup.create();
  const bytes = first.stream[Symbol.asyncIterator]() as AsyncIterator<Buffer, undefined>;
  for (let left = first.size; left > 0;) left -= (await bytes.next()).value?.length ?? 0;
  const second = await backup.create();
  expect(await bytes.next()).toEqual({ done: true, value: undefined });
  await expect(backup.create()).rejects.toThrow('one at a time');
  second.stream.destroy();
  expect(await readdir(folder)).toEqual([]);
});
