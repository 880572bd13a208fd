import type { Sample, Series, Summary, TimeRange } from '@device-metrics/domain';

/** Which series; what is left out does not restrict. */
export interface SeriesFilter {
  readonly deviceName?: string;
  readonly metricName?: string;
}

/** Samples of one series, in ascending order of time, one per timestamp. */
export interface SeriesSamples {
  readonly series: Series;
  /** Unix milliseconds. */
  readonly timestamps: ArrayLike<number>;
  readonly values: ArrayLike<number>;
}

export interface SeriesSummary {
  readonly series: Series;
  readonly summary: Readonly<Summary>;
}

/**
 * Keeps samples for years. A series and a timestamp are the natural key: the last write wins, so that a resend changes
 * nothing. It knows no SQL dialect: every implementation passes the suite in `sample-store.suite.ts`.
 */
export interface SampleStore {
  /**
   * Resolves once all the samples are on disk, fsynced; on a rejection none of them is. Within one call, too, the later
   * sample of a key wins. Unknown devices and series come into being with their first sample.
   *
   * @throws StoreFullError when the disk or the database has no room.
   */
  append(samples: readonly Sample[]): Promise<void>;

  /** The series that match, by device, metric and labels; an unknown device has none. */
  findSeries(filter: SeriesFilter): Promise<readonly Series[]>;

  /** The samples of each series within the range, in the order of `series`; a series without any is left out. */
  readSamples(series: readonly Series[], range: TimeRange): AsyncIterable<SeriesSamples>;

  /** The summary of each series over the range, in the order of `series`; a series without samples there is left out. */
  summarize(series: readonly Series[], range: TimeRange): Promise<SeriesSummary[]>;

  /** Resolves if the store answers. */
  ping(): Promise<void>;

  /** Ends what is under way; afterwards every call is rejected. */
  close(): Promise<void>;
}

/** The disk or the database has no room for what was to be appended; once it has, the same call succeeds. */
export class StoreFullError extends Error {
  override readonly name = 'StoreFullError';
}
