import { mkdtemp, rm } from 'node:fs/promises';
import { cpSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';
import { HOUR } from '@device-metrics/domain';
import type { DeviceDescription } from '../store.js';
import { sample, storedIn, T0, TestStore } from '../testing/test-store.js';
import { connectionOf, sqliteOptions } from './data-source.js';
import { SqliteStore } from './sqlite-store.js';

const folders: string[] = [];
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true });
});

const keep = (_: unknown, target: DeviceDescription): DeviceDescription => target;

/** Both devices in each of some hours; the last ones are in memory only. */
async function twoDevices(hours: number): Promise<TestStore> {
  const real = await TestStore.open({ rawRetention: 0, hourlyRetention: 0 });
  for (let hour = 0; hour < hours; hour += 1) {
    real.now = T0 + (hour + 1) * HOUR;
    await real.store.append(
      ['old', 'new'].flatMap((device, index) => [
        sample(T0 + hour * HOUR, index + 1, device),
        sample(T0 + hour * HOUR + 1000 + index, hour, device),
      ]),
    );
    if (hour % 8 === 7) await real.store.maintain();
  }
  return real;
}

it('a kill at any moment leaves both devices as they were, or one with all that both had', async () => {
  const real = await twoDevices(60);
  const before = await real.stored();
  const together = new Map([...(before['old/m'] ?? []), ...(before['new/m'] ?? [])]);
  const after = { 'new/m': [...together].sort(([a], [b]) => a - b) };

  let merging = true;
  const merge = real.store.mergeDevices('old', 'new', keep).then(() => (merging = false));
  // What a kill leaves is what the files hold at that moment.
  for (let turn = 0; merging; turn += 1) {
    const folder = await mkdtemp(join(tmpdir(), 'killed-'));
    if (turn % 2 === 0) await new Promise(setImmediate);
    folders.push(folder);
    for (const suffix of ['', '-wal']) cpSync(real.path + suffix, join(folder, `metrics.db${suffix}`));
  }
  await merge;
  expect(await real.stored()).toEqual(after);
  await real.close();

  const outcomes = new Set<string>();
  for (const folder of folders) {
    const dataSource = await new DataSource(sqliteOptions(join(folder, 'metrics.db'))).initialize();
    const settings = { now: () => real.now, sealInterval: 0, rawRetention: 0, hourlyRetention: 0 };
    const store = await SqliteStore.open(connectionOf(dataSource), settings);
    const isMerged = (await store.device('old')) === undefined;
    await store.maintain();
    expect(await storedIn(store)).toEqual(isMerged ? after : before);
    expect(await store.health()).toMatchObject({ damaged: 0, devices: isMerged ? 1 : 2 });
    outcomes.add(String(isMerged));
    await store.close();
    await dataSource.destroy();
  }
  expect(outcomes).toContain('true');
});

it('samples that come while devices become one are there, under either name', async () => {
  const real = await twoDevices(40);
  const count = Object.values(await real.stored()).flat().length;
  let merging = true;
  const merge = real.store.mergeDevices('old', 'new', keep).then(() => (merging = false));
  let sent = 0;
  for (; merging; sent += 1) {
    await real.store.append([sample(real.now + sent, sent, sent % 2 === 0 ? 'old' : 'new')]);
  }
  await merge;
  const { 'new/m': samples = [], ...others } = await real.stored();
  expect(others).toEqual({});
  // At the start of each of the 40 hours both had a sample.
  expect(samples).toHaveLength(count - 40 + sent);
  await real.sealAll();
  expect((await real.stored())['new/m']).toEqual(samples);
  await real.close();
});

it('what was on its way to a device goes when that device is deleted', async () => {
  const real = await twoDevices(40);
  const merge = real.store.mergeDevices('old', 'new', keep);
  while (await real.store.device('old')) await new Promise(setImmediate);
  await real.store.deleteDevice('new');
  expect(await merge).toBeUndefined();
  await real.store.maintain();
  await real.reopen();
  await real.store.maintain();
  expect(await real.stored()).toEqual({});
  const rows = ['chunk', 'part', 'device_merge', 'series_merge', 'device_deletion'].map((table) =>
    real.db.prepare(`SELECT count(*) FROM ${table}`).pluck().get(),
  );
  expect(rows).toEqual([0, 0, 0, 0, 0]);
  await real.close();
});
