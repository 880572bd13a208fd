import {
  closeSync,
  copyFileSync,
  existsSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { openDatabase } from '@device-metrics/sqlite';
import { DataSource } from 'typeorm';
import { HOUR } from '@device-metrics/domain';
import { EVER, sample, T0, TestStore } from '../testing/test-store.js';
import { sqliteOptions } from './data-source.js';
import { openSampleStore } from '../open-sample-store.js';
import { repairDatabase, type RepairReport } from './repair.js';

const DEVICES = 8;
const HOURS = 20;
const PER_HOUR = 40;
const ALL = DEVICES * HOURS * PER_HOUR;
const PAGE = 4_096;

const folder = mkdtempSync(join(tmpdir(), 'repair-'));
afterAll(() => rmSync(folder, { recursive: true }));
const whole = join(folder, 'whole.db');
let damaged = '';
let fresh = '';
beforeAll(async () => {
  const opened = await TestStore.open();
  for (let device = 0; device < DEVICES; device += 1) {
    for (let hour = 0; hour < HOURS; hour += 1) {
      const times = Array.from({ length: PER_HOUR }, (_, index) => T0 + hour * HOUR + index * 1_000);
      await opened.store.append(times.map((time) => sample(time, valueAt(device, time), `pc-${device}`)));
    }
  }
  await opened.store.describeDevice('pc-3', () => ({ tags: { room: 'lab' } }));
  // Sealed but for the last hours, which are in the journal.
  opened.now = T0 + HOURS * HOUR;
  await opened.store.maintain();
  await opened.store.backup(whole);
  await opened.close();
});
let run = 0;
beforeEach(() => {
  run += 1;
  damaged = join(folder, `damaged-${run}.db`);
  fresh = join(folder, `fresh-${run}.db`);
  copyFileSync(whole, damaged);
});

const valueAt = (device: number, time: number): number => Math.sin(time + device) * 1e6;

function overwrite(path: string, at: number, bytes: Buffer): void {
  const file = openSync(path, 'r+');
  writeSync(file, bytes, 0, bytes.length, at);
  closeSync(file);
}

function countIn(path: string, table: string): unknown {
  const db = openDatabase(path);
  try {
    return db.prepare(`SELECT count(*) FROM ${table}`).pluck().get();
  } finally {
    db.close();
  }
}

/** What the new database has of the samples that there were; fails where it has any other. */
async function samplesIn(path: string): Promise<number> {
  const dataSource = await new DataSource(sqliteOptions(path)).initialize();
  const store = await openSampleStore(dataSource, { now: () => T0 + HOURS * HOUR, sealInterval: 0 });
  const wrong: unknown[] = [];
  let count = 0;
  for await (const { series, timestamps, values } of store.readSamples(await store.findSeries({}), EVER)) {
    count += timestamps.length;
    const device = Number(/^(?:pc-|repaired-device-)(\d+)$/.exec(series.deviceName)?.[1]);
    const number = series.deviceName.startsWith('pc-') ? device : device - 1;
    for (let at = 0; at < timestamps.length; at += 1) {
      if (values[at] !== valueAt(number, timestamps[at] ?? 0))
        wrong.push([series.deviceName, timestamps[at], values[at]]);
    }
  }
  await store.close();
  await dataSource.destroy();
  expect(wrong).toEqual([]);
  return count;
}

async function repaired(): Promise<RepairReport> {
  const before = readFileSync(damaged);
  const report = await repairDatabase(damaged, fresh);
  expect(readFileSync(damaged).equals(before)).toBe(true);
  expect(existsSync(`${fresh}.copy`)).toBe(false);
  expect(await samplesIn(fresh)).toBe(report.samples);
  return report;
}

it('takes all of a database that is whole, with tags and what is set', async () => {
  const report = await repaired();
  expect(report).toMatchObject({ devices: DEVICES, samples: ALL, brokenTables: [], namelessDevices: 0, damaged: 0 });
  // A row of the migrations, a number and a text, is no latest sample.
  expect(report.rows.get('latest') ?? 0).toBe(countIn(whole, 'latest'));
  const db = openDatabase(fresh);
  expect(db.prepare(`SELECT tags FROM device WHERE name = 'pc-3'`).pluck().get()).toBe('{"room":"lab"}');
  db.close();
});

it('never writes over a file', async () => {
  await expect(repairDatabase(damaged, whole)).rejects.toThrow('there already');
});

it.each([
  ['its header', 0, 100],
  ['its schema', 0, PAGE],
])('takes all samples where %s is zeroed', async (_what, at, length) => {
  overwrite(damaged, at, Buffer.alloc(length));
  expect((await repaired()).samples).toBe(ALL);
});

it('takes what a truncated file still holds', async () => {
  const { size } = statSync(damaged);
  truncateSync(damaged, size - 1);
  expect((await repaired()).samples).toBeGreaterThan(ALL * 0.9);
  truncateSync(damaged, Math.floor(size * 0.6));
  copyFileSync(damaged, `${damaged}-60`);
  fresh += '-60';
  expect((await repaired()).samples).toBeGreaterThan(0);
});

it.each(['device', 'series'])(
  'takes all samples, and knows whose they are, where all rows of the table %s are zeroed',
  async (table) => {
    const db = openDatabase(whole);
    const pages = db.prepare('SELECT pageno FROM dbstat WHERE name = ?').pluck().all(table) as number[];
    db.close();
    for (const page of pages) overwrite(damaged, (page - 1) * PAGE, Buffer.alloc(PAGE));
    expect(await repaired()).toMatchObject({
      devices: DEVICES,
      samples: ALL,
      brokenTables: [table],
      namelessDevices: 0,
    });
  },
);

it('whichever page is zeroed, the rest is saved and no number is wrong', async () => {
  const pages = statSync(whole).size / PAGE;
  const step = process.env['DEVICE_METRICS_LONG'] ? 1 : Math.ceil(pages / 4);
  for (let page = 1; page < pages; page += step) {
    copyFileSync(whole, damaged);
    fresh = join(folder, `fresh-page-${page}.db`);
    overwrite(damaged, page * PAGE, Buffer.alloc(PAGE));
    expect((await repaired()).samples).toBeGreaterThan(ALL * 0.5);
  }
});
