import type { SampleStore, SeriesFilter, SeriesSamples, SeriesSummary } from '@device-metrics/storage';
import { addValue, labelsKey, summaryOf, type Sample, type Series, type TimeRange } from '@device-metrics/domain';
import Database from 'better-sqlite3';

/** What the baseline can do: the part of a sample store that existed before the journal and the chunks. */
export type NarrowStore = Pick<SampleStore, 'append' | 'findSeries' | 'readSamples' | 'summarize' | 'close'>;

/** The baseline of the benchmark, the simplest store that is right: a row per sample, a commit per append. */
export class NarrowRowStore implements NarrowStore {
  private readonly db: Database.Database;
  private readonly series = new Map<string, Series>();
  private readonly upsert;
  private readonly select;
  private readonly appendAll;

  constructor(path: string) {
    this.db = new Database(path);
    this.db.pragma('journal_mode = WAL');
    this.db.pragma('synchronous = FULL');
    this.db.exec(`CREATE TABLE IF NOT EXISTS sample (series_id INTEGER NOT NULL, ts INTEGER NOT NULL, value NOT NULL,
      PRIMARY KEY (series_id, ts)) WITHOUT ROWID`);
    this.upsert = this.db.prepare<[number, number, number]>(
      'INSERT INTO sample (series_id, ts, value) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value',
    );
    this.select = this.db
      .prepare<[number, number, number], [number, number]>(
        'SELECT ts, value FROM sample WHERE series_id = ? AND ts >= ? AND ts < ? ORDER BY ts',
      )
      .raw();
    this.appendAll = this.db.transaction((samples: readonly Sample[]) => {
      for (const sample of samples) this.upsert.run(this.idOf(sample), sample.timestamp, sample.value);
    });
  }

  // eslint-disable-next-line @typescript-eslint/require-await
  async append(samples: readonly Sample[]): Promise<void> {
    this.appendAll(samples);
  }

  // eslint-disable-next-line @typescript-eslint/require-await
  async findSeries({ deviceName }: SeriesFilter): Promise<readonly Series[]> {
    const all = [...this.series.values()];
    return deviceName === undefined ? all : all.filter((series) => series.deviceName === deviceName);
  }

  // eslint-disable-next-line @typescript-eslint/require-await
  async *readSamples(series: readonly Series[], range: TimeRange): AsyncGenerator<SeriesSamples> {
    for (const one of series) {
      const rows = this.select.all(one.id, range.start, range.end);
      if (rows.length === 0) continue;
      yield { series: one, timestamps: rows.map(([time]) => time), values: rows.map(([, value]) => value) };
    }
  }

  /** As fast as rows allow: SQLite sums up, except for the first and the last value. */
  // eslint-disable-next-line @typescript-eslint/require-await
  async summarize(series: readonly Series[], range: TimeRange): Promise<SeriesSummary[]> {
    return series.flatMap((one) => {
      const rows = this.select.all(one.id, range.start, range.end);
      const [first] = rows;
      if (!first) return [];
      const summary = summaryOf(...first);
      for (let index = 1; index < rows.length; index += 1) addValue(summary, ...rows[index]);
      return [{ series: one, summary }];
    });
  }

  // eslint-disable-next-line @typescript-eslint/require-await
  async close(): Promise<void> {
    this.db.close();
  }

  private idOf({ deviceName, metricName, labels }: Sample): number {
    const key = `${deviceName}\n${metricName}\n${labelsKey(labels)}`;
    const known = this.series.get(key);
    if (known) return known.id;
    const id = this.series.size + 1;
    this.series.set(key, { id, deviceName, metricName, labels, unit: null });
    return id;
  }
}
