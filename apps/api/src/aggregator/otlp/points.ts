import type { NamedSeries } from '@device-metrics/domain';
import type { HistogramPoint, OtlpMetric, PointSink, SummaryPoint } from '@device-metrics/formats';
import { Refusals } from '../refusals.js';
import type { OtlpSeries } from './otlp-series.js';

/** A sample of a point; of a delta, `value` is what has come since the point before. */
export interface PointSample {
  readonly series: NamedSeries;
  readonly time: number;
  readonly value: number;
}

/** What a request has: whole points, of which each is stored whole or not at all. */
export class RequestPoints implements PointSink<OtlpSeries> {
  /** Values as they are, position by position. */
  readonly series: NamedSeries[] = [];
  readonly times: number[] = [];
  readonly values: number[] = [];
  /** Where each point ends in them. */
  readonly ends: number[] = [];
  /** Points of what has come since the point before. */
  readonly deltas: PointSample[][] = [];
  /** Series without a value from a time on. */
  readonly withoutValue: { readonly series: NamedSeries; readonly timestamp: number }[] = [];
  readonly refusals = new Refusals();
  exemplars = 0;

  number(series: OtlpSeries, { name, type, isDelta, isMonotonic }: OtlpMetric, time: number, value: number): void {
    if (isDelta && type === 'sum') {
      if (isMonotonic && value < 0) return this.refuse(`a delta of ${name}, which never falls, is ${value}`);
      this.deltas.push([{ series: series.value, time, value }]);
      return;
    }
    this.push(series.value, time, value);
    this.ends.push(this.series.length);
  }

  histogram(series: OtlpSeries, { isDelta }: OtlpMetric, time: number, point: HistogramPoint): void {
    const { count, sum, bounds, atMost } = point;
    if (isDelta) this.deltas.push([]);
    const add = (of: NamedSeries, value: number): void => {
      if (isDelta) this.deltas[this.deltas.length - 1]?.push({ series: of, time, value });
      else this.push(of, time, value);
    };
    add(series.count, count);
    if (sum !== undefined) add(series.sum, sum);
    if (bounds.length > 0) {
      for (let at = 0; at < bounds.length; at += 1) add(series.bucket(bounds[at] as number), atMost[at] as number);
      add(series.bucket(Infinity), count);
    }
    if (!isDelta) this.ends.push(this.series.length);
  }

  summary(
    series: OtlpSeries,
    _metric: OtlpMetric,
    time: number,
    { count, sum, quantiles, values }: SummaryPoint,
  ): void {
    this.push(series.count, time, count);
    this.push(series.sum, time, sum);
    for (let at = 0; at < quantiles.length; at += 1) {
      const value = values[at] as number;
      // A summary of nothing has no quantiles.
      if (!Number.isNaN(value)) this.push(series.quantile(quantiles[at] as number), time, value);
    }
    this.ends.push(this.series.length);
  }

  missing(series: OtlpSeries, { type }: OtlpMetric, timestamp: number): void {
    const named = type === 'gauge' || type === 'sum' ? series.value : series.count;
    this.withoutValue.push({ series: named, timestamp });
  }

  /** Adds a point as it is to be stored. */
  add(samples: readonly PointSample[]): void {
    for (const { series, time, value } of samples) this.push(series, time, value);
    this.ends.push(this.series.length);
  }

  refuse(reason: string): void {
    this.refusals.add(reason);
  }

  exemplar(): void {
    this.exemplars += 1;
  }

  private push(series: NamedSeries, time: number, value: number): void {
    this.series.push(series);
    this.times.push(time);
    this.values.push(value);
  }
}
