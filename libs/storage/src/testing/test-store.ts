import type { Sample, Selector, Series, TimeRange } from '@device-metrics/domain';
import { openDatabase } from '@device-metrics/sqlite';
import type { Database } from 'better-sqlite3';
import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DataSource } from 'typeorm';
import { HOUR } from '@device-metrics/domain';
import { SqliteStore } from '../sqlite/sqlite-store.js';
import type { StoreSettings } from '../columnar/store-settings.js';
import { connectionOf, sqliteOptions } from '../sqlite/data-source.js';
import type { SampleStore, SeriesSummary } from '../store.js';
import { putEmptyDatabase } from './empty-database.js';

export const T0 = Date.UTC(2026, 0, 15, 10);
export const EVER: TimeRange = { start: 0, end: Date.UTC(2100, 0) };

export const sample = (timestamp: number, value: number, deviceName = 'lab-pc-1', metricName = 'm'): Sample => ({
  deviceName,
  metricName,
  unit: undefined,
  labels: {},
  timestamp,
  value,
});

/** A store on a file of its own, whose clock the test sets. Nothing happens by itself: `maintain` does it all. */
export class TestStore {
  /** What the store takes for the time, Unix ms. */
  now = T0;
  store!: SqliteStore;
  /** What the store said of problems in the background. */
  readonly problems: string[] = [];
  private dataSource!: DataSource;

  private constructor(
    readonly folder: string,
    private readonly settings: Partial<StoreSettings>,
  ) {}

  static async open(settings: Partial<StoreSettings> = {}): Promise<TestStore> {
    const opened = new TestStore(await mkdtemp(join(tmpdir(), 'store-')), settings);
    await putEmptyDatabase(opened.path, sqliteOptions);
    await opened.start();
    return opened;
  }

  get path(): string {
    return join(this.folder, 'metrics.db');
  }

  get db(): Database {
    return connectionOf(this.dataSource);
  }

  /** Closes the store and opens the file again; `damage` may change the database in between. */
  async reopen(damage: (db: Database) => void = () => undefined): Promise<void> {
    if (this.dataSource.isInitialized) {
      await this.store.close();
      damage(this.db);
      await this.dataSource.destroy();
    }
    await this.start();
  }

  /** A connection of its own, for a look at a file that no store has open. */
  reconnect(): Database {
    return openDatabase(this.path);
  }

  /** Does what docs/storage.md says about restoring a backup. */
  async restoreFrom(backup: string): Promise<void> {
    await this.store.close();
    await this.dataSource.destroy();
    for (const suffix of ['', '-wal', '-shm']) await rm(this.path + suffix, { force: true });
    await copyFile(backup, this.path);
    await this.start();
  }

  async close(): Promise<void> {
    await this.store.close();
    await this.dataSource.destroy();
    await rm(this.folder, { recursive: true });
  }

  /** Lets a day pass, so that everything is sealed. */
  async sealAll(): Promise<void> {
    this.now += 24 * HOUR;
    await this.store.maintain();
  }

  /** `[time, value]` of all samples that match, under `device/metric`. */
  async stored(selector: Selector = {}, range: TimeRange = EVER): Promise<Record<string, [number, number][]>> {
    return storedIn(this.store, selector, range);
  }

  private async start(): Promise<void> {
    this.dataSource = await new DataSource(sqliteOptions(this.path)).initialize();
    try {
      this.store = await SqliteStore.open(connectionOf(this.dataSource), {
        now: () => this.now,
        sealInterval: 0,
        onProblem: (problem) => this.problems.push(String(problem)),
        ...this.settings,
      });
    } catch (error) {
      await this.dataSource.destroy();
      throw error;
    }
  }
}

/** `[time, value]` of all samples that match, under `device/metric`. */
export async function storedIn(
  store: SampleStore,
  selector: Selector = {},
  range = EVER,
): Promise<Record<string, [number, number][]>> {
  const found: Record<string, [number, number][]> = {};
  for await (const { series, timestamps, values } of store.readSamples(await store.findSeries(selector), range)) {
    found[`${series.deviceName}/${series.metricName}`] = Array.from(timestamps, (time, at) => [time, values[at]]);
  }
  return found;
}

/** What `summarize` gives, as it comes in parts. */
export async function summariesInParts(
  store: SampleStore,
  series: readonly Series[],
  range: TimeRange,
): Promise<SeriesSummary[]> {
  const found: SeriesSummary[] = [];
  for await (const part of store.summarizeInParts(series, range)) {
    for (let place = part.from; place < part.to; place += 1) {
      const summary = part.of(place);
      if (summary) found.push({ series: series[place], summary: { ...summary } });
    }
  }
  return found;
}
