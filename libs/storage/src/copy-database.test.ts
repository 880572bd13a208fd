import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { DataSource } from 'typeorm';
import { HOUR } from '@device-metrics/domain';
import { openAccessStore } from './access/open-access-store.js';
import { copyDatabase } from './copy-database.js';
import { dataSourceOptions, openDataSource } from './data-source.js';
import { openSampleStore } from './open-sample-store.js';
import { dropDatabase, makeDatabase } from './testing/postgres-databases.js';
import { whyNoPostgres } from './testing/postgres.js';
import { sample, storedIn, T0, TestStore } from './testing/test-store.js';

const describeIf = whyNoPostgres === undefined ? describe : describe.skip;

describeIf('a copy of a database', () => {
  let opened: TestStore;
  let url: string;
  beforeEach(async () => {
    opened = await TestStore.open({ rawRetention: 0, hourlyRetention: 0 });
    url = await makeDatabase();
  });
  afterEach(async () => {
    await opened.close();
    await dropDatabase(url);
  });

  const read = async (address: string): Promise<Record<string, [number, number][]>> => {
    const dataSource = await openDataSource(dataSourceOptions(address));
    const store = await openSampleStore(dataSource, { rawRetention: 0, hourlyRetention: 0, sealInterval: 0 });
    const found = await storedIn(store);
    await store.close();
    await dataSource.destroy();
    return found;
  };
  const copy = (from: string, to: string): ReturnType<typeof copyDatabase> => copyDatabase(from, to, () => undefined);
  const hours = (from: number, to: number): ReturnType<typeof sample>[] =>
    Array.from({ length: to - from }, (_, at) =>
      ['a', 'b'].flatMap((device) => [
        sample(T0 + (from + at) * HOUR + 7, at / 4, device),
        sample(T0, -0, device, 'x'),
      ]),
    ).flat();

  it('has everything, catches up, and comes back the same', async () => {
    await opened.store.append(hours(0, 30));
    await opened.sealAll();
    await opened.store.append(hours(28, 40));
    await opened.store.describeDevice('a', () => ({ tags: { room: 'lab' } }));
    const people = new DataSource(dataSourceOptions(opened.path));
    await people.initialize();
    const entry = { at: 1, actor: 'anna', address: 'x', action: 'y', target: 'z', success: true, details: { a: 'b' } };
    await openAccessStore(people).audit.add(entry);
    await people.destroy();

    const first = await copy(opened.path, url);
    expect(first).toMatchObject({ devices: 2, series: 4, kept: 0, different: [] });
    expect(await read(url)).toEqual(await opened.stored());

    await opened.store.append([sample(T0 + 3, 11, 'a'), sample(T0 + 50 * HOUR, 12, 'c')]);
    await opened.store.renameDevice('b', 'b2');
    await opened.sealAll();
    const second = await copy(opened.path, url);
    expect(second).toMatchObject({ devices: 3, series: 5, different: [] });
    expect(second.kept).toBeGreaterThan(0);
    expect(second.written).toBeLessThan(first.written + 30);
    expect(await read(url)).toEqual(await opened.stored());

    const back = join(opened.folder, 'back.db');
    expect(await copy(url, back)).toMatchObject({ devices: 3, series: 5, different: [] });
    expect(await read(back)).toEqual(await opened.stored());
    const again = await openDataSource(dataSourceOptions(back));
    expect(await openAccessStore(again).audit.read(Infinity, 10)).toMatchObject([entry]);
    await again.destroy();
  });

  it('is not made of a database to itself, whichever address it has', async () => {
    await opened.store.append(hours(0, 2));
    await copy(opened.path, url);
    await expect(copy(url, url.replace('127.0.0.1', 'localhost'))).rejects.toThrow('is the same database as the first');
    const link = join(dirname(opened.path), 'link.db');
    await symlink(opened.path, link);
    await expect(copy(opened.path, link)).rejects.toThrow('is the same database as the first');
    expect(await read(url)).toEqual(await opened.stored());
  });

  it('is not made over a database that has devices of its own', async () => {
    await opened.store.append([sample(T0, 1)]);
    await copy(opened.path, url);
    await opened.store.deleteDevice('lab-pc-1');
    await opened.store.append([sample(T0, 1, 'new')]);
    await expect(copy(opened.path, url)).rejects.toThrow('has devices that are not in the other (lab-pc-1)');
  });
});
