import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DataSource } from 'typeorm';
import { sqliteOptions } from './data-source.js';
import { openSampleStore } from '../open-sample-store.js';
import { sampleAt, SERIES } from '../testing/numbered-samples.mjs';
import { runIngest, type Said } from '../testing/run-ingest.js';
import { EVER } from '../testing/test-store.js';

const long = process.env['DEVICE_METRICS_LONG'] !== undefined;
const KILLS = long ? 200 : 2;
const KILLED_SAMPLES = long ? 1_000_000 : 20_000;
const FLAT_SAMPLES = long ? 10_000_000 : 300_000;
const HOUR_SAMPLES = long ? 1_000_000 : 250_000;

/** These tests run the built store in a process of its own: as it will run, and so that it can be killed. */
describe('the store as a process', () => {
  let folder: string;
  let path: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'process-'));
    path = join(folder, 'metrics.db');
  });
  afterEach(() => rm(folder, { recursive: true }));

  it(`has every acknowledged sample, and each once, after ${KILLS} kills at random moments`, async () => {
    const BATCH = 200;
    let acknowledged = 0;
    for (let kill = 0; kill < KILLS && acknowledged < KILLED_SAMPLES; kill += 1) {
      const before = acknowledged;
      const share = ((KILLED_SAMPLES - before) / (KILLS - kill)) * 2 * Math.random();
      // Every other time with so few open samples that parts are made all the time, and chunks of them.
      const settings = kill % 2 === 0 ? { maxOpenSamples: 3000 } : {};
      const rest = { path, first: before, count: KILLED_SAMPLES - before, batch: BATCH, settings };
      await runIngest(rest, (said, child) => {
        // The batch that was under way at the kill may be there as a whole, or not at all.
        if (said.found !== undefined) expect([before, before + BATCH]).toContain(said.found);
        acknowledged = said.acknowledged ?? acknowledged;
        if (acknowledged - before > share) setTimeout(() => child.kill('SIGKILL'), Math.random() * 10);
      });
    }
    await runIngest({ path, first: acknowledged, count: KILLED_SAMPLES - acknowledged, batch: BATCH }, () => undefined);

    const dataSource = await new DataSource(sqliteOptions(path)).initialize();
    const store = await openSampleStore(dataSource, { sealInterval: 0, rawRetention: 0, hourlyRetention: 0 });
    const series = await store.findSeries({});
    let count = 0;
    let wrong = 0;
    for await (const { series: one, timestamps, values } of store.readSamples(series, EVER)) {
      for (let index = 0; index < timestamps.length; index += 1) {
        const expected = sampleAt(values[index] * 4);
        if (expected.timestamp !== timestamps[index] || expected.metricName !== one.metricName) wrong += 1;
        if (index > 0 && timestamps[index] <= timestamps[index - 1]) wrong += 1;
        count += 1;
      }
    }
    expect({ series: series.length, count, wrong }).toEqual({ series: SERIES, count: KILLED_SAMPLES, wrong: 0 });
    expect(await store.health()).toMatchObject({ damaged: 0 });
    await store.close();
    await dataSource.destroy();
  }, 1_200_000);

  it(`takes no more memory after ${FLAT_SAMPLES} samples than after two thirds of them`, async () => {
    const said: Said[] = [];
    await runIngest({ path, first: 0, count: FLAT_SAMPLES, batch: 10_000 }, (line) => said.push(line));
    const most = (some: readonly Said[]): number => Math.max(...some.map(({ rss }) => rss ?? 0)) / 2 ** 20;
    // Heads and the heap have grown to their bounds by then.
    const [from, to] = [Math.floor(said.length / 3), Math.floor((said.length * 2) / 3)];
    expect(most(said.slice(to))).toBeLessThan(most(said.slice(from, to)) + 50);
  }, 1_200_000);

  it(`bounds the memory of one device that sends ${HOUR_SAMPLES} samples for one hour`, async () => {
    const settings = { maxHeadSamples: 50_000, maxOpenSamples: 100_000, sealInterval: 0 };
    let most = 0;
    await runIngest(
      { path, first: 0, count: HOUR_SAMPLES, batch: 10_000, settings, oneHour: true },
      ({ headSamples }) => {
        most = Math.max(most, headSamples ?? 0);
      },
    );
    expect(most).toBeGreaterThan(50_000);
    expect(most).toBeLessThanOrEqual(135_000);
  });
});
