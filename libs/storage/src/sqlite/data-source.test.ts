import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { openDatabase } from '@device-metrics/sqlite';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DataSource } from 'typeorm';
import { assertSafeVersion, connectionOf, sqliteOptions } from './data-source.js';
import { DeviceEntity } from './entities/device.entity.js';
import { SeriesEntity } from './entities/series.entity.js';
import { shrinkFile } from './shrink-file.js';

describe('the DataSource', () => {
  let folder: string;
  let path: string;
  let dataSource: DataSource;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'data-source-'));
    path = join(folder, 'not', 'yet', 'there', 'metrics.db');
    dataSource = new DataSource(sqliteOptions(path));
  });
  afterEach(async () => {
    if (dataSource.isInitialized) await dataSource.destroy();
    await rm(folder, { recursive: true });
  });

  const pragma = (name: string): unknown => connectionOf(dataSource).pragma(name, { simple: true });

  it('makes the file and its folder, durable and able to shrink', async () => {
    await dataSource.initialize();
    expect(pragma('journal_mode')).toBe('wal');
    expect(pragma('synchronous')).toBe(2);
    expect(pragma('foreign_keys')).toBe(1);
    expect(pragma('busy_timeout')).toBe(5000);
    expect(pragma('auto_vacuum')).toBe(2);
  });

  it('migrates an empty file to exactly what the entities describe', async () => {
    await dataSource.initialize();
    const devices = dataSource.getRepository(DeviceEntity);
    await devices.insert({ name: 'lab-pc-1' });
    await expect(devices.insert({ name: 'lab-pc-1' })).rejects.toThrow('UNIQUE');
    const series = dataSource.getRepository(SeriesEntity);
    const one = { deviceId: 1, metricName: 'm', labelsKey: '{}', unit: null };
    await series.insert({ ...one });
    await expect(series.insert({ ...one })).rejects.toThrow('UNIQUE');
    await expect(series.insert({ ...one, deviceId: 2 })).rejects.toThrow('FOREIGN KEY');
    expect(await series.find({ relations: { device: true } })).toEqual([
      { id: 1, ...one, device: { id: 1, name: 'lab-pc-1', displayName: null, notes: null, tags: '{}' } },
    ]);
  });

  it('undoes every migration', async () => {
    await dataSource.initialize();
    for (let left = dataSource.migrations.length; left > 0; left -= 1) await dataSource.undoLastMigration();
    const left = await dataSource.query<{ name: string }[]>("SELECT name FROM sqlite_master WHERE type = 'table'");
    expect(left.map(({ name }) => name).filter((name) => !name.startsWith('sqlite_'))).toEqual(['migrations']);
  });

  it('makes a file from elsewhere able to shrink, without losing what is in it', async () => {
    const other = join(folder, 'other.db');
    const db = openDatabase(other);
    db.exec('CREATE TABLE mine (x); INSERT INTO mine VALUES (7)');
    db.close();
    dataSource = await new DataSource(sqliteOptions(other)).initialize();
    expect(pragma('auto_vacuum')).toBe(2);
    expect(await dataSource.query('SELECT x FROM mine')).toEqual([{ x: 7 }]);
  });

  it('refuses a version of SQLite that can corrupt the database', () => {
    expect(() => assertSafeVersion('3.51.2')).toThrow('SQLite 3.51.2 can corrupt the database');
    expect(() => assertSafeVersion('3.46.10')).toThrow('at least 3.51.3');
    assertSafeVersion('3.51.3');
    assertSafeVersion('3.53.0');
    assertSafeVersion('4.0.0');
  });
});

it('giving room back ends where a file that is from elsewhere gives nothing back', () => {
  const db = openDatabase(':memory:');
  db.exec('CREATE TABLE gone (bytes BLOB); INSERT INTO gone VALUES (zeroblob(4000000)); DROP TABLE gone');
  expect(db.pragma('freelist_count', { simple: true })).toBeGreaterThan(900);
  expect(shrinkFile(db)).toBe(false);
  db.close();
});
