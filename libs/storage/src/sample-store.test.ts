import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import type { Sample } from '@device-metrics/domain';
import { DataSource } from 'typeorm';
import { connectionOf, dataSourceOptions } from './data-source.js';
import { DeviceEntity } from './device.entity.js';
import { openSampleStore } from './narrow-row-store.js';
import { StoreFullError, type SampleStore } from './sample-store.js';
import { sampleStoreSuite } from './sample-store.suite.js';
import { SeriesEntity } from './series.entity.js';

async function open(path: string): Promise<{ store: SampleStore; dataSource: DataSource; close: () => Promise<void> }> {
  const dataSource = await new DataSource(dataSourceOptions(path)).initialize();
  const store = await openSampleStore(dataSource);
  const close = async (): Promise<void> => {
    await store.close();
    if (dataSource.isInitialized) await dataSource.destroy();
  };
  return { store, dataSource, close };
}

sampleStoreSuite('narrow rows', open);

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'device-metrics-storage-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

it('migrations alone make the tables that the entities describe, in WAL mode with full sync', async () => {
  const { dataSource, close } = await open(join(folder, 'new/folder/metrics.db'));
  const database = connectionOf(dataSource);

  expect(database.pragma('journal_mode', { simple: true })).toBe('wal');
  expect(database.pragma('synchronous', { simple: true })).toBe(2);
  await dataSource.getRepository(DeviceEntity).insert({ name: 'pc' });
  await dataSource.getRepository(SeriesEntity).insert({ deviceId: 1, metricName: 'm', labels: '{}', unit: null });
  expect(await dataSource.getRepository(SeriesEntity).find()).toEqual([
    { id: 1, deviceId: 1, metricName: 'm', labels: '{}', unit: null },
  ]);
  await dataSource.undoLastMigration();
  expect(database.prepare("SELECT name FROM sqlite_master WHERE name IN ('device', 'series', 'sample')").all()).toEqual(
    [],
  );
  await close();
});

it('when the disk is full nothing of the append is stored, and it goes on once there is room', async () => {
  const { store, dataSource, close } = await open(join(folder, 'metrics.db'));
  const database = connectionOf(dataSource);
  const batch = (deviceName: string): Sample[] =>
    Array.from({ length: 2_000 }, (_, i) => ({
      deviceName,
      metricName: `m${i}`,
      labels: {},
      unit: undefined,
      timestamp: 1_768_471_200_000 + i,
      value: Math.random(),
    }));
  await store.append(batch('before'));
  database.pragma(`max_page_count = ${(database.pragma('page_count', { simple: true }) as number) + 2}`);

  await expect(store.append(batch('full'))).rejects.toThrow(StoreFullError);
  expect(await store.findSeries({ deviceName: 'full' })).toEqual([]);

  database.pragma('max_page_count = 1000000');
  await store.append(batch('full'));
  expect(await store.findSeries({ deviceName: 'full' })).toHaveLength(2_000);
  await close();
  expect(statSync(join(folder, 'metrics.db')).size).toBeGreaterThan(0);
});
