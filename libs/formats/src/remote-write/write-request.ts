import type { SpareColumns } from '../spare-columns.js';

/** What a sender says of a metric family. */
export interface MetricMetadata {
  /** Name of the family; in version 2 of a series. */
  readonly name: string;
  readonly type: MetricType;
  /** Empty where the sender does not say. */
  readonly help: string;
  /** As OpenMetrics writes it, as in `seconds`; empty where the sender does not say. */
  readonly unit: string;
}

/** In the order of the numbers that both versions give them. */
export const METRIC_TYPES = [
  'unknown',
  'counter',
  'gauge',
  'histogram',
  'gaugehistogram',
  'summary',
  'info',
  'stateset',
] as const;

export type MetricType = (typeof METRIC_TYPES)[number];

/** What a reader needs to make of a write request. */
export interface WriteReader<T extends object> {
  /**
   * The series whose labels stand from `start` to before `end`, written as the `labels` fields of version 1, one after the
   * other: `readLabels` reads them. The same bytes are the same series. A text says why there is none.
   */
  readonly series: (bytes: Uint8Array, start: number, end: number) => T | string;
  /** Hears of metadata before the series that they are about. */
  readonly metadata: (metadata: MetricMetadata) => void;
  /** Memory for times and values that nobody uses any more. */
  readonly spare?: SpareColumns | undefined;
}

/** A write request, position by position in the order in which its samples stand. */
export interface WriteRequest<T extends object> {
  readonly series: T[];
  /** Unix ms; at least as many as `series`. */
  readonly timestamps: Float64Array;
  /** Never NaN; at least as many as `series`. */
  readonly values: Float64Array;
  /** Samples whose value is NaN: stale markers, and what is not a number; the series has no value from then on. */
  readonly withoutValue: readonly { readonly series: T; readonly timestamp: number }[];
  /** Series of which nothing can be taken, each with the number of samples that it would have had. */
  readonly unreadable: readonly { readonly reason: string; readonly samples: number }[];
  /** How many native histograms each series has. */
  readonly histograms: readonly { readonly series: T; readonly count: number }[];
  readonly exemplars: number;
}

/** Samples of one request that there is room for from the start. */
const USUAL_SAMPLES = 1 << 16;

/** Grows while a request is read. */
export class WriteColumns<T extends object> implements WriteRequest<T> {
  readonly series: T[];
  timestamps: Float64Array;
  values: Float64Array;
  readonly withoutValue: { series: T; timestamp: number }[] = [];
  readonly unreadable: { reason: string; samples: number }[] = [];
  readonly histograms: { series: T; count: number }[] = [];
  exemplars = 0;
  /** Samples that are there; those from `closed` on are of the series that is read, while it is not known yet. */
  private count = 0;
  private closed = 0;

  /** @param expected samples; there may be more. */
  constructor(expected: number, spare: SpareColumns | undefined) {
    const usual = Math.min(expected, USUAL_SAMPLES);
    this.series = new Array<T>(usual);
    this.timestamps = spare?.timestamps ?? new Float64Array(usual);
    this.values = spare?.values ?? new Float64Array(usual);
  }

  /** Whether the series that is read has had no sample yet. */
  get isWithoutSamples(): boolean {
    return this.count === this.closed;
  }

  /** Adds a sample of the series that `close` will name. */
  push(timestamp: number, value: number): void {
    const at = this.count;
    if (at === this.timestamps.length) this.grow();
    this.timestamps[at] = timestamp;
    this.values[at] = value;
    this.count = at + 1;
  }

  /** Gives the samples since the last `close` their series, or drops them for a reason. */
  close(series: T | string, histograms: number): void {
    const { values, timestamps, count, closed } = this;
    if (typeof series === 'string') {
      this.drop(series, count - closed + histograms);
      return;
    }
    if (histograms > 0) this.histograms.push({ series, count: histograms });
    let kept = closed;
    for (let at = closed; at < count; at += 1) {
      const value = values[at] as number;
      // Only NaN differs from itself. Its bits need not be looked at, which reading them as a number might change.
      if (value !== value) {
        this.withoutValue.push({ series, timestamp: timestamps[at] as number });
        continue;
      }
      if (kept !== at) {
        values[kept] = value;
        timestamps[kept] = timestamps[at] as number;
      }
      this.series[kept] = series;
      kept += 1;
    }
    this.count = this.closed = kept;
  }

  /** All of the request is read. */
  finish(): this {
    this.series.length = this.closed;
    return this;
  }

  private drop(reason: string, samples: number): void {
    const last = this.unreadable.at(-1);
    if (last?.reason === reason) last.samples += samples;
    else this.unreadable.push({ reason, samples });
    this.count = this.closed;
  }

  private grow(): void {
    const length = Math.max(64, this.timestamps.length * 2);
    const { timestamps, values } = this;
    this.timestamps = new Float64Array(length);
    this.timestamps.set(timestamps);
    this.values = new Float64Array(length);
    this.values.set(values);
  }
}

/** Series and other parts of a request that are read before others may get their turn. */
export const PIECE = 256;

/** The request, once all its pieces are read. */
export function wholeOf<T>(pieces: Iterator<void, T>): T {
  for (let piece = pieces.next(); ; piece = pieces.next()) if (piece.done) return piece.value;
}
