import { addValue, summaryOf, type Sample, type Series, type Summary, type TimeRange } from '@device-metrics/domain';
import type { Database, Statement } from 'better-sqlite3';
import { GroupCommit } from './group-commit.js';
import type { SampleStore, SeriesFilter, SeriesSamples, SeriesSummary } from './sample-store.js';
import { SeriesCatalogue } from './series-catalogue.js';
import { asStoreFull } from './store-full.js';

/** The simplest store: a row per sample. */
export class NarrowRowStore implements SampleStore {
  private readonly catalogue: SeriesCatalogue;
  private readonly commits = new GroupCommit<readonly Sample[]>((calls) => this.commit(calls));
  private readonly upsert: Statement<[number, number, number]>;
  private readonly select: Statement<[number, number, number], [number, number]>;
  private closed = false;

  constructor(private readonly db: Database) {
    this.catalogue = new SeriesCatalogue(db);
    this.upsert = db.prepare(
      'INSERT INTO sample (series_id, ts, value) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value',
    );
    this.select = db
      .prepare<[number, number, number], [number, number]>(
        'SELECT ts, value FROM sample WHERE series_id = ? AND ts >= ? AND ts < ? ORDER BY ts',
      )
      .raw();
  }

  async append(samples: readonly Sample[]): Promise<void> {
    this.assertOpen();
    if (samples.length > 0) await this.commits.add(samples);
  }

  // eslint-disable-next-line @typescript-eslint/require-await
  async findSeries(filter: SeriesFilter): Promise<readonly Series[]> {
    this.assertOpen();
    return this.catalogue.find(filter).map(({ series }) => series);
  }

  // eslint-disable-next-line @typescript-eslint/require-await
  async *readSamples(series: readonly Series[], range: TimeRange): AsyncIterable<SeriesSamples> {
    for (const one of series) {
      this.assertOpen();
      const rows = this.select.all(one.id, range.start, range.end);
      if (rows.length === 0) continue;
      yield { series: one, timestamps: rows.map(([time]) => time), values: rows.map(([, value]) => value) };
    }
  }

  // eslint-disable-next-line @typescript-eslint/require-await
  async summarize(series: readonly Series[], range: TimeRange): Promise<SeriesSummary[]> {
    this.assertOpen();
    return series.flatMap((one) => {
      const summary = this.summaryOf(one, range);
      return summary ? [{ series: one, summary }] : [];
    });
  }

  // eslint-disable-next-line @typescript-eslint/require-await
  async ping(): Promise<void> {
    this.assertOpen();
    this.db.prepare('SELECT 1').get();
  }

  // eslint-disable-next-line @typescript-eslint/require-await
  async close(): Promise<void> {
    this.commits.flush();
    this.closed = true;
  }

  private commit(calls: readonly (readonly Sample[])[]): void {
    try {
      this.db.transaction(() => {
        for (const samples of calls) {
          for (const sample of samples) {
            this.upsert.run(this.catalogue.entryOf(sample).series.id, sample.timestamp, sample.value);
          }
        }
      })();
      this.catalogue.keep();
    } catch (error) {
      this.catalogue.undo();
      throw asStoreFull(error, this.db.name);
    }
  }

  private summaryOf({ id }: Series, range: TimeRange): Summary | undefined {
    let summary: Summary | undefined;
    for (const [time, value] of this.select.iterate(id, range.start, range.end)) {
      if (summary) addValue(summary, time, value);
      else summary = summaryOf(time, value);
    }
    return summary;
  }

  private assertOpen(): void {
    if (this.closed) throw new Error('the sample store is closed');
  }
}
