import type Database from 'better-sqlite3';
import { addValue, summaryOf, type Sample, type Series, type TimeRange } from '@device-metrics/domain';
import type { DataSource } from 'typeorm';
import { connectionOf } from './data-source.js';
import {
  StoreFullError,
  type SampleStore,
  type SeriesFilter,
  type SeriesSamples,
  type SeriesSummary,
} from './sample-store.js';
import { SeriesCatalogue } from './series-catalogue.js';

/** Opens the store over a DataSource that is initialized, which the caller destroys after it has closed the store. */
export async function openSampleStore(dataSource: DataSource): Promise<SampleStore> {
  return new NarrowRowStore(connectionOf(dataSource));
}

interface Waiting {
  readonly samples: readonly Sample[];
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** The simple store: one row for each sample. */
class NarrowRowStore implements SampleStore {
  private readonly catalogue: SeriesCatalogue;
  private readonly upsert: Database.Statement<[number, number, number]>;
  private readonly select: Database.Statement<[number, number, number], { timestamp: number; value: number }>;
  private readonly commit: (batches: readonly Waiting[]) => void;
  private waiting: Waiting[] = [];
  private closed = false;

  constructor(private readonly database: Database.Database) {
    this.catalogue = new SeriesCatalogue(database);
    this.upsert = database.prepare('INSERT OR REPLACE INTO sample (series_id, timestamp, value) VALUES (?, ?, ?)');
    this.select = database.prepare(
      'SELECT timestamp, value FROM sample WHERE series_id = ? AND timestamp >= ? AND timestamp < ? ORDER BY timestamp',
    );
    this.commit = database.transaction((batches: readonly Waiting[]) => {
      for (const { samples } of batches) {
        for (const sample of samples) this.upsert.run(this.catalogue.idOf(sample), sample.timestamp, sample.value);
      }
    });
  }

  async append(samples: readonly Sample[]): Promise<void> {
    this.assertOpen();
    return new Promise((resolve, reject) => {
      this.waiting.push({ samples, resolve, reject });
      // All that arrive before the next turn of the event loop share one commit.
      if (this.waiting.length === 1) setImmediate(() => this.commitWaiting());
    });
  }

  async findSeries({ deviceName, metricName }: SeriesFilter): Promise<readonly Series[]> {
    this.assertOpen();
    return this.catalogue
      .all()
      .filter(
        (series) =>
          (deviceName === undefined || series.deviceName === deviceName) &&
          (metricName === undefined || series.metricName === metricName),
      );
  }

  async *readSamples(series: readonly Series[], { start, end }: TimeRange): AsyncGenerator<SeriesSamples> {
    for (const one of series) {
      this.assertOpen();
      const rows = this.select.all(one.id, start, end);
      if (rows.length === 0) continue;
      yield { series: one, timestamps: rows.map((row) => row.timestamp), values: rows.map((row) => row.value) };
      await nextTurn();
    }
  }

  async summarize(series: readonly Series[], range: TimeRange): Promise<SeriesSummary[]> {
    const summaries: SeriesSummary[] = [];
    for await (const { series: one, timestamps, values } of this.readSamples(series, range)) {
      const summary = summaryOf(timestamps[0] as number, values[0] as number);
      for (let index = 1; index < timestamps.length; index += 1) {
        addValue(summary, timestamps[index] as number, values[index] as number);
      }
      summaries.push({ series: one, summary });
    }
    return summaries;
  }

  async ping(): Promise<void> {
    this.assertOpen();
    this.database.prepare('SELECT 1').get();
  }

  async close(): Promise<void> {
    this.commitWaiting();
    this.closed = true;
  }

  private commitWaiting(): void {
    const batches = this.waiting;
    if (batches.length === 0) return;
    this.waiting = [];
    try {
      this.commit(batches);
    } catch (error) {
      this.catalogue.reload();
      const reason = isFull(error) ? new StoreFullError('no room on the disk', { cause: error }) : (error as Error);
      for (const { reject } of batches) reject(reason);
      return;
    }
    for (const { resolve } of batches) resolve();
  }

  private assertOpen(): void {
    if (this.closed) throw new Error('the store is closed');
  }
}

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const isFull = (error: unknown): boolean =>
  ['SQLITE_FULL', 'SQLITE_IOERR_WRITE'].includes((error as { code?: string }).code ?? '');
