import { ColumnsOfGroups, SeriesGroup, Slices, type ColumnCandidates, type NamedSeries } from '@device-metrics/domain';
import type {
  BodyKeys,
  HistogramPoint,
  OtlpMetric,
  PointSink,
  SpareColumns,
  SummaryPoint,
} from '@device-metrics/formats';
import type { Refusals } from '../refusals.js';
import { partsOf, valueOf, type OtlpSeries } from './otlp-series.js';

/** A sample of a point; of a delta, `value` is what has come since the point before. */
export interface PointSample {
  readonly series: NamedSeries;
  readonly time: number;
  readonly value: number;
}

/** Samples that there is room for from the start, at most. */
const USUAL_SAMPLES = 1 << 16;

/** What a request has: whole points, of which each is stored whole or not at all. */
export class RequestPoints implements PointSink<OtlpSeries, SeriesGroup> {
  /** Values as they are, position by position, and their series and groups of series. */
  private readonly series: (NamedSeries | SeriesGroup)[] = [];
  private groups = 0;
  private count = 0;
  private timestamps: Float64Array;
  private values: Float64Array;
  /** Where each point ends in them; undefined as long as each has one sample. */
  private ends: number[] | undefined;
  /** Points of what has come since the point before. */
  readonly deltas: PointSample[][] = [];
  /** Series without a value from a time on. */
  readonly withoutValue: { readonly series: NamedSeries; readonly timestamp: number }[] = [];
  exemplars = 0;

  /**
   * @param refusals take what is refused of it.
   * @param bytes of the request.
   * @param named where its series are found, with those that it names first.
   * @param spare memory that nobody uses any more, for times and values.
   */
  constructor(
    readonly refusals: Refusals,
    bytes: number,
    readonly named: BodyKeys<OtlpSeries>,
    spare?: SpareColumns,
  ) {
    const usual = Math.max(64, Math.min(USUAL_SAMPLES, bytes >> 4));
    this.timestamps = spare?.timestamps ?? new Float64Array(usual);
    this.values = spare?.values ?? new Float64Array(usual);
  }

  /** All but deltas, for the gate. */
  async columns(): Promise<ColumnCandidates> {
    const { series, groups, timestamps, values, ends } = this;
    const columns =
      groups === series.length
        ? new ColumnsOfGroups(series as SeriesGroup[], timestamps, values)
        : { series: await this.seriesOfAll(), timestamps, values };
    return Object.assign(columns, ends && { ends });
  }

  /** The series of every position, in slices: those of groups may have to be named for it. */
  private async seriesOfAll(): Promise<NamedSeries[]> {
    if (this.groups === 0) return this.series as NamedSeries[];
    const all: NamedSeries[] = [];
    const slices = new Slices();
    for (const one of this.series) {
      if (!(one instanceof SeriesGroup)) {
        all.push(one);
        continue;
      }
      for (const named of one.series) all.push(named);
      if (slices.isOver()) await slices.next();
    }
    return all;
  }

  group(group: SeriesGroup, times: Float64Array, values: Float64Array, count: number): void {
    this.series.push(group);
    this.groups += 1;
    for (let at = 0; at < count; at += 1) {
      this.place(times[at] as number, values[at] as number);
      this.endPoint();
    }
  }

  number(series: OtlpSeries, { name, type, isDelta, isMonotonic }: OtlpMetric, time: number, value: number): void {
    if (isDelta && type === 'sum') {
      if (isMonotonic && value < 0) return this.refuse(`a delta of ${name}, which never falls, is ${value}`);
      this.deltas.push([{ series: valueOf(series), time, value }]);
      return;
    }
    this.push(valueOf(series), time, value);
    this.ends?.push(this.count);
  }

  histogram(series: OtlpSeries, { isDelta }: OtlpMetric, time: number, point: HistogramPoint): void {
    const { count, sum, bounds, atMost } = point;
    const parts = partsOf(series);
    if (isDelta) this.deltas.push([]);
    else this.beginPoint();
    const add = (of: NamedSeries, value: number): void => {
      if (isDelta) this.deltas[this.deltas.length - 1]?.push({ series: of, time, value });
      else this.push(of, time, value);
    };
    add(parts.count, count);
    if (sum !== undefined && !Number.isNaN(sum)) add(parts.sum, sum);
    if (bounds.length > 0) {
      for (let at = 0; at < bounds.length; at += 1) add(parts.bucket(bounds[at] as number), atMost[at] as number);
      add(parts.bucket(Infinity), count);
    }
    if (!isDelta) this.endPoint();
  }

  summary(
    series: OtlpSeries,
    _metric: OtlpMetric,
    time: number,
    { count, sum, quantiles, values }: SummaryPoint,
  ): void {
    const parts = partsOf(series);
    this.beginPoint();
    this.push(parts.count, time, count);
    if (!Number.isNaN(sum)) this.push(parts.sum, time, sum);
    for (let at = 0; at < quantiles.length; at += 1) {
      const value = values[at] as number;
      // A summary of nothing has no quantiles.
      if (!Number.isNaN(value)) this.push(parts.quantile(quantiles[at] as number), time, value);
    }
    this.endPoint();
  }

  missing(series: OtlpSeries, { type }: OtlpMetric, timestamp: number): void {
    const named = type === 'gauge' || type === 'sum' ? valueOf(series) : partsOf(series).count;
    this.withoutValue.push({ series: named, timestamp });
  }

  /** Adds a point as it is to be stored. */
  add(samples: readonly PointSample[]): void {
    this.beginPoint();
    for (const { series, time, value } of samples) this.push(series, time, value);
    this.endPoint();
  }

  refuse(reason: string): void {
    this.refusals.add(reason);
  }

  exemplar(): void {
    this.exemplars += 1;
  }

  /** A point that has any number of samples. */
  private beginPoint(): void {
    this.ends ??= Array.from({ length: this.count }, (_, at) => at + 1);
  }

  private endPoint(): void {
    this.ends?.push(this.count);
  }

  private push(series: NamedSeries, time: number, value: number): void {
    this.series.push(series);
    this.place(time, value);
  }

  private place(time: number, value: number): void {
    if (this.count === this.values.length) this.grow();
    this.timestamps[this.count] = time;
    this.values[this.count++] = value;
  }

  private grow(): void {
    for (const column of ['timestamps', 'values'] as const) {
      const grown = new Float64Array(2 * this[column].length);
      grown.set(this[column]);
      this[column] = grown;
    }
  }
}
