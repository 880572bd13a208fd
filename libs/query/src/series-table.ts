import type { Series } from '@device-metrics/domain';

/**
 * One series of an answer: rows of a time and one number for each column. Raw samples have the one column `value`,
 * steps have one for each aggregation. A series of very many rows comes as several tables, one after the other.
 */
export interface SeriesTable {
  readonly series: Series;
  readonly columnNames: readonly string[];
  /** Unix milliseconds, ascending. */
  readonly timestamps: ArrayLike<number>;
  /** As long as `timestamps`, each. */
  readonly columns: readonly ArrayLike<number | null>[];
}

/** The sample of a series that an answer goes on after. */
export interface Position {
  readonly seriesId: number;
  /** Unix milliseconds. */
  readonly timestamp: number;
}
