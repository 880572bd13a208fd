import type { DataSource } from 'typeorm';
import { sqlOf, type Statement } from '../sql.js';

/** What a sender says of a metric. */
export interface MetricDescription {
  /** Of the metric or, as Prometheus has it, of the family that its series are called after. */
  readonly name: string;
  /** As the sender writes it, as in `counter`; empty where it does not say. */
  readonly type: string;
  /** Empty where it does not say. */
  readonly unit: string;
  /** Empty where it does not say. */
  readonly help: string;
}

/** A series has no value from a time on, Unix ms, until its next sample. */
export interface SeriesEnd {
  readonly seriesId: number;
  readonly at: number;
}

/** What senders say beside samples. */
export interface MetadataStore {
  descriptions(): Promise<MetricDescription[]>;
  /** Puts them in the place of those of the same names. */
  describe(descriptions: readonly MetricDescription[]): Promise<void>;
  ends(): Promise<SeriesEnd[]>;
  /** Of two ends of a series the later one counts. */
  end(ends: readonly SeriesEnd[]): Promise<void>;
  /** Equal as long as nothing new is said, by any process. Undefined where there are no others. */
  readonly state?: (() => Promise<string>) | undefined;
}

const DESCRIBE =
  'INSERT INTO metric_description (name, type, unit, help) VALUES (?, ?, ?, ?) ON CONFLICT (name) ' +
  'DO UPDATE SET type = excluded.type, unit = excluded.unit, help = excluded.help';
const END =
  'INSERT INTO series_end (series_id, at) VALUES (?, ?) ON CONFLICT (series_id) ' +
  'DO UPDATE SET at = excluded.at WHERE excluded.at > series_end.at';
/** An end of a series only ever goes to a later time. */
const STATE = `SELECT (SELECT coalesce(md5(string_agg(concat_ws(chr(1), name, type, unit, help), chr(2) ORDER BY name)), '') FROM metric_description)
  || (SELECT concat_ws(' ', '', count(*), sum(at)) FROM series_end) AS state`;

/** On a DataSource of `openDataSource`. */
export function openMetadataStore(dataSource: DataSource): MetadataStore {
  const sql = sqlOf(dataSource);
  return {
    descriptions: () => sql.rows<MetricDescription>('SELECT name, type, unit, help FROM metric_description'),
    describe: (descriptions) =>
      sql.together(descriptions.map(({ name, type, unit, help }): Statement => [DESCRIBE, name, type, unit, help])),
    ends: async () => {
      // PostgreSQL gives large integers as texts.
      const rows = await sql.rows<{ series_id: unknown; at: unknown }>('SELECT series_id, at FROM series_end');
      return rows.map(({ series_id: id, at }) => ({ seriesId: Number(id), at: Number(at) }));
    },
    end: (ends) => sql.together(ends.map(({ seriesId, at }): Statement => [END, seriesId, at])),
    state:
      dataSource.options.type === 'postgres'
        ? async () => (await sql.rows<{ state: string }>(STATE))[0].state
        : undefined,
  };
}
