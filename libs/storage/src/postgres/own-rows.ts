import { countOf, isColumns, type SampleBatch } from '@device-metrics/domain';
import type { SeriesEntry } from '../columnar/series-entry.js';

/** Samples that a commit takes, position by position, in memory that is used again: what lives for long is dear to collect. */
export class OwnSamples {
  readonly entries: SeriesEntry[] = [];
  length = 0;
  private times: Float64Array = new Float64Array(0);
  private all: Float64Array = new Float64Array(0);

  get timestamps(): Float64Array {
    return this.times.subarray(0, this.length);
  }

  get values(): Float64Array {
    return this.all.subarray(0, this.length);
  }

  /** @param series of the samples, position by position. */
  add(samples: SampleBatch, series: readonly SeriesEntry[]): void {
    const start = this.length;
    this.length += countOf(samples);
    if (this.length > this.times.length) {
      this.times = grown(this.times, this.length);
      this.all = grown(this.all, this.length);
    }
    for (let at = 0; at < series.length; at += 1) this.entries[start + at] = series[at];
    if (isColumns(samples)) {
      this.times.set(samples.timestamps, start);
      this.all.set(samples.values, start);
      return;
    }
    const { times, all } = this;
    for (let at = 0; at < samples.length; at += 1) {
      const { timestamp, value } = samples[at];
      times[start + at] = timestamp;
      all[start + at] = value;
    }
  }

  clear(): void {
    this.length = 0;
  }
}

function grown(array: Float64Array, length: number): Float64Array {
  const larger = new Float64Array(Math.max(length, array.length * 2));
  larger.set(array);
  return larger;
}

/** Samples that memory is kept for: those that may wait to be taken in. */
const MOST_KEPT = 1 << 17;

/** Memory for samples that is free. */
export class OwnSamplesPool {
  private readonly free: OwnSamples[] = [];
  private kept = 0;

  take(): OwnSamples {
    const samples = this.free.pop();
    if (!samples) return new OwnSamples();
    this.kept -= samples.entries.length;
    return samples;
  }

  giveBack(samples: OwnSamples): void {
    samples.clear();
    if (this.kept + samples.entries.length > MOST_KEPT) return;
    this.kept += samples.entries.length;
    this.free.push(samples);
  }
}
