import 'reflect-metadata';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { HOUR, MINUTE, SECOND } from '@device-metrics/domain';
import { dataSourceOptions, openSampleStore, type Store } from '@device-metrics/storage';
import { DataSource } from 'typeorm';
import { DeviceRhythms } from './device-rhythms.js';

const T0 = Date.UTC(2026, 0, 15, 10);

let store: Store;
let dataSource: DataSource;
let folder: string;
let now: number;

beforeEach(async () => {
  now = T0 + 9 * HOUR;
  folder = await mkdtemp(join(tmpdir(), 'device-rhythms-'));
  dataSource = await new DataSource(dataSourceOptions(join(folder, 'metrics.db'))).initialize();
  store = await openStore();
});

const openStore = (): Promise<Store> =>
  openSampleStore(dataSource, { now: () => now, sealInterval: 0, rawRetention: 0, hourlyRetention: 0 });

afterEach(async () => {
  await store.close();
  await dataSource.destroy();
  await rm(folder, { recursive: true });
});

async function read(deviceName: string, start: number, end: number, interval: number): Promise<void> {
  const samples = [];
  for (let timestamp = start; timestamp < end; timestamp += interval) {
    samples.push({ deviceName, metricName: 'm', unit: undefined, labels: {}, timestamp, value: 1 });
  }
  await store.append(samples);
}

it('a fleet that is asked for together has the rhythms that its devices have one by one, as they change', async () => {
  const rhythms = new DeviceRhythms(store);
  const intervals = async (): Promise<(number | undefined)[]> =>
    (await rhythms.ofAll(await store.devices())).map((rhythm) => rhythm?.interval);

  await read('a', T0, T0 + 10 * MINUTE, 10 * SECOND);
  await read('b', T0, T0 + 10 * MINUTE, MINUTE);
  await read('c slow', T0 - 9 * HOUR, T0 + HOUR, HOUR);
  await read('d gone', T0 - 8 * HOUR, T0 - 7 * HOUR, 10 * SECOND);
  await read('e once', T0, T0 + 1, SECOND);
  expect(await intervals()).toEqual([10 * SECOND, MINUTE, HOUR, 10 * SECOND, undefined]);

  await read('a', T0 + 10 * MINUTE, T0 + 50 * MINUTE, 30 * SECOND);
  await read('b', T0 + 10 * MINUTE, T0 + 50 * MINUTE, MINUTE);
  await read('c slow', T0 + HOUR, T0 + HOUR + 1, SECOND);
  await read('e once', T0 + 10 * SECOND, T0 + 2 * MINUTE, 10 * SECOND);
  await read('new', T0 + 45 * MINUTE, T0 + 50 * MINUTE, 15 * SECOND);
  expect(await intervals()).toEqual([30 * SECOND, MINUTE, HOUR, 10 * SECOND, 10 * SECOND, 15 * SECOND]);

  const fresh = new DeviceRhythms(store);
  for (const device of await store.devices()) expect(await rhythms.of(device)).toEqual(await fresh.of(device));
});

it('a fleet that is new has its rhythms without any of its series being read', async () => {
  const reads: string[] = [];
  const counting = new Proxy(store, {
    get: (target, key) => {
      const member: unknown = Reflect.get(target, key);
      if (key === 'summarize' || key === 'readSamples') reads.push(key);
      return typeof member === 'function' ? (member.bind(target) as unknown) : member;
    },
  });
  const rhythms = new DeviceRhythms(counting);
  const intervals: (number | undefined)[] = [];
  for (let at = T0; at < T0 + MINUTE; at += 10 * SECOND) {
    await read('a', at, at + 1, SECOND);
    const [rhythm] = await rhythms.ofAll(await counting.devices());
    intervals.push(rhythm?.interval);
  }
  expect(intervals).toEqual([undefined, undefined, undefined, 10 * SECOND, 10 * SECOND, 10 * SECOND]);
  expect(reads).toEqual([]);
});

it('a device that was there before a start is not new, though its first reading came last and is at hand', async () => {
  now = T0 + 30 * MINUTE;
  await read('a', T0 + MINUTE, T0 + 10 * MINUTE, 10 * SECOND);
  now += 30 * MINUTE + HOUR;
  await store.maintain();
  await read('a', T0, T0 + 1, SECOND);
  await read('a', T0 + 10 * MINUTE, T0 + 10 * MINUTE + 1, SECOND);
  now += 2 * HOUR;
  await store.close();
  store = await openStore();
  expect(await store.recentReadings?.([{ name: 'a' }])).toEqual([[T0, T0 + 10 * MINUTE]]);

  const rhythms = new DeviceRhythms(store);
  rhythms.onApplicationBootstrap();
  const [rhythm] = await rhythms.ofAll(await store.devices());
  expect(rhythm).toEqual({ interval: 10 * SECOND, pause: 10 * SECOND });
});

it('whoever asks right after the start waits for what is found out already, and it is not found out twice', async () => {
  await read('a', T0, T0 + 10 * MINUTE, 10 * SECOND);
  await read('b', T0, T0 + 10 * MINUTE, MINUTE);
  const asked: string[] = [];
  const recentReadings: NonNullable<Store['recentReadings']> = (devices) => {
    asked.push(...devices.map(({ name }) => name));
    return (store.recentReadings as typeof recentReadings)(devices);
  };
  const counting = new Proxy(store, {
    get: (target, key) => {
      const member: unknown = key === 'recentReadings' ? recentReadings : Reflect.get(target, key);
      return typeof member === 'function' ? (member.bind(target) as unknown) : member;
    },
  });
  const rhythms = new DeviceRhythms(counting);
  rhythms.onApplicationBootstrap();
  const found = await rhythms.ofAll(await counting.devices());
  expect(found.map((rhythm) => rhythm?.interval)).toEqual([10 * SECOND, MINUTE]);
  expect(asked).toEqual(['a', 'b']);
});
