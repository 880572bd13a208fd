import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { DataSource } from 'typeorm';
import { dataSourceOptions, openDataSource } from '../data-source.js';
import { dropDatabase, makeDatabase } from '../testing/postgres-databases.js';
import { whyNoPostgres } from '../testing/postgres.js';
import type { ConfigurationStore } from './configuration-store.js';
import { openConfigurationStore } from './open-configuration-store.js';

const folder = mkdtempSync(join(tmpdir(), 'configuration-store-'));
afterAll(() => rmSync(folder, { recursive: true }));
const databases = [
  { name: 'SQLite', make: async () => join(folder, 'metrics.db'), drop: async () => undefined },
  ...(whyNoPostgres === undefined ? [{ name: 'PostgreSQL', make: makeDatabase, drop: dropDatabase }] : []),
];

describe.each(databases)('configurations on $name', ({ make, drop }) => {
  let address: string;
  let dataSource: DataSource;
  let store: ConfigurationStore;
  beforeAll(async () => {
    address = await make();
    dataSource = await openDataSource(dataSourceOptions(address));
    store = openConfigurationStore(dataSource);
  });
  afterAll(async () => {
    await dataSource.destroy();
    await drop(address);
  });

  const one = (tag: string, version: number, text: string | null) => ({
    tag,
    version,
    text,
    changedAt: 1_800_000_000_000 + version,
    changedBy: 'user anna',
  });

  it('the newest version of each tag counts, unless it takes it away; all stay', async () => {
    const all = [one('all', 1, 'a'), one('room=lab', 1, 'b'), one('room=lab', 2, 'c'), one('os=x', 1, 'd')];
    for (const each of [...all, one('os=x', 2, null)]) expect(await store.add(each)).toBe(true);
    expect(await store.current()).toEqual([all[0], all[2]]);
    expect(await store.history('room=lab', 10)).toEqual([all[2], all[1]]);
    expect(await store.history('room=lab', 1)).toEqual([all[2]]);
    expect(await store.find('os=x', 1)).toEqual(all[3]);
    expect(await store.find('os=x', 3)).toBeUndefined();
  });

  it('of two that write the same version one is told that the other was faster', async () => {
    const added = await Promise.all(['x', 'y', 'z'].map((text) => store.add(one('race', 1, text))));
    expect(added.filter(Boolean)).toHaveLength(1);
    expect((await store.find('race', 1))?.text).toBe(['x', 'y', 'z'][added.indexOf(true)]);
  });

  it('of each collector the last that it said stays', async () => {
    const state = { collectorId: 'c', askedAt: 1, running: '', refused: '', reason: '' };
    const allows = { commands: false, secrets: ['A'] };
    await store.putState({ ...state, allows });
    const later = { ...state, askedAt: 2, running: 'f00', allows: { commands: true, secrets: [] } };
    await store.putState(later);
    expect(await store.states()).toEqual([later]);
  });
});
