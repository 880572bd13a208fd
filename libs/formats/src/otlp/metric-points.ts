import type { HistogramPoint } from './histogram.js';

export type OtlpType = 'gauge' | 'sum' | 'histogram' | 'exponential' | 'summary';

/** A metric as it was sent, without its points. */
export interface OtlpMetric {
  readonly name: string;
  /** Empty where the sender does not say. */
  readonly unit: string;
  /** Empty where the sender does not say; of the first time that the metric came. */
  readonly description: string;
  readonly type: OtlpType;
  /** Whether points say what has come since the one before, and not since the start. */
  readonly isDelta: boolean;
  /** Whether a sum never falls but at a new start. */
  readonly isMonotonic: boolean;
}

/** A series of OTLP: the points of one metric with the same attributes. */
export type MakeSeries<S extends object> = (
  resource: ReadonlyMap<string, string>,
  metric: OtlpMetric,
  attributes: ReadonlyMap<string, string>,
) => S;

/** Series whose points come together again and again. */
export interface PointGroup<S> {
  readonly series: readonly S[];
}

/** Takes points, in their order. Times are Unix ms. */
export interface PointSink<S extends object, G> {
  /**
   * Takes so many numbers of series that come together again and again, of gauges or cumulative sums. Left out: each is given alone.
   * Times and values are valid until this returns.
   */
  readonly group?: (group: G, times: Float64Array, values: Float64Array, count: number) => void;
  number(series: S, metric: OtlpMetric, time: number, value: number, start: number): void;
  /** @param point is valid until this returns. */
  histogram(series: S, metric: OtlpMetric, time: number, point: HistogramPoint, start: number): void;
  summary(series: S, metric: OtlpMetric, time: number, point: SummaryPoint): void;
  /** A point that says that there is no value now. */
  missing(series: S, metric: OtlpMetric, time: number): void;
  /** A point that cannot be read, and why. */
  refuse(reason: string): void;
  exemplar(): void;
}

export interface SummaryPoint {
  count: number;
  sum: number;
  readonly quantiles: number[];
  readonly values: number[];
}
