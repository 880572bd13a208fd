import type { Store, SeriesSamples, SeriesSummary } from '@device-metrics/storage';
import { selectsSeries, type Sample, type SeriesSelector, type Series, type TimeRange } from '@device-metrics/domain';
import { openDatabase } from '@device-metrics/sqlite';
import type Database from 'better-sqlite3';

/** What the baseline can do: the part of a sample store that existed before the journal and the chunks. */
export type NarrowStore = Pick<Store, 'append' | 'findSeries' | 'readSamples' | 'summarize' | 'close'>;

/** The baseline of the benchmark, the simplest store that is right: a row per sample, a commit per append. */
export class NarrowRowStore implements NarrowStore {
  private readonly db: Database.Database;
  private readonly series = new Map<string, Series>();
  private readonly upsert;
  private readonly select;
  private readonly aggregate;
  private readonly first;
  private readonly last;
  private readonly grouped;
  private readonly appendAll;

  constructor(path: string) {
    this.db = openDatabase(path);
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
    const inRange = 'FROM sample WHERE series_id = ? AND ts >= ? AND ts < ?';
    this.aggregate = this.db.prepare(`SELECT count(*), min(value), max(value), sum(value) ${inRange}`).raw();
    this.first = this.db.prepare(`SELECT ts, value ${inRange} ORDER BY ts LIMIT 1`).raw();
    this.last = this.db.prepare(`SELECT ts, value ${inRange} ORDER BY ts DESC LIMIT 1`).raw();
    this.grouped = this.db
      .prepare(
        `SELECT CAST(ts / ? AS INTEGER) AS step, count(*), min(value), max(value), sum(value) ${inRange} GROUP BY step`,
      )
      .raw();
    this.appendAll = this.db.transaction((samples: readonly Sample[]) => {
      for (const sample of samples) this.upsert.run(this.idOf(sample), sample.timestamp, sample.value);
    });
  }

  async append(samples: readonly Sample[]): Promise<void> {
    this.appendAll(samples);
  }

  async findSeries(selector: SeriesSelector): Promise<readonly Series[]> {
    return [...this.series.values()].filter(selectsSeries(selector));
  }

  async *readSamples(series: readonly Series[], range: TimeRange): AsyncGenerator<SeriesSamples> {
    for (const one of series) {
      const rows = this.select.all(one.id, range.start, range.end);
      if (rows.length === 0) continue;
      yield { series: one, timestamps: rows.map(([time]) => time), values: rows.map(([, value]) => value) };
    }
  }

  async summarize(series: readonly Series[], { start, end }: TimeRange): Promise<SeriesSummary[]> {
    return series.flatMap((one) => {
      const [count, min, max, sum] = this.aggregate.get(one.id, start, end) as [number, number, number, number];
      if (count === 0) return [];
      const [firstTime, first] = this.first.get(one.id, start, end) as [number, number];
      const [lastTime, last] = this.last.get(one.id, start, end) as [number, number];
      return [{ series: one, summary: { count, min, max, sum, first, firstTime, last, lastTime } }];
    });
  }

  /** Count, min, max and sum of each step: what the steps of the real store are compared with. */
  steps(series: readonly Series[], { start, end }: TimeRange, step: number): unknown[] {
    return series.map((one) => this.grouped.all(step, one.id, start, end));
  }

  async close(): Promise<void> {
    this.db.close();
  }

  private idOf({ deviceName, metricName, labels }: Sample): number {
    const key = `${deviceName}\n${metricName}`;
    const known = this.series.get(key);
    if (known) return known.id;
    const id = this.series.size + 1;
    this.series.set(key, { id, deviceName, metricName, labels, unit: null });
    return id;
  }
}
