import { countOf, isColumns, type SampleBatch } from '@device-metrics/domain';
import type { SeriesOfSamples } from '../columnar/series-catalogue.js';
import { runsOf, type SeriesPlaces } from '../columnar/series-places.js';

/**
 * Samples that a commit takes, position by position up to `length`. Their memory is used again: what lives for long is dear to
 * collect.
 */
export class OwnSamples {
  length = 0;
  timestamps: Float64Array = new Float64Array(0);
  values: Float64Array = new Float64Array(0);
  /** Those of the samples, one behind the other. */
  places: SeriesPlaces[] = [];
  /** Memory for places of series that do not come in groups. */
  private ids = new Float64Array(0);
  private slots = new Uint32Array(0);

  add(samples: SampleBatch, { entries, groups }: SeriesOfSamples): void {
    const start = this.length;
    this.length += countOf(samples);
    if (this.length > this.timestamps.length) this.grow();
    if (groups) for (const group of groups) this.places.push(group);
    else this.addEntries(entries, start);
    const { timestamps, values } = this;
    if (isColumns(samples)) {
      timestamps.set(samples.timestamps, start);
      values.set(samples.values, start);
      return;
    }
    for (let at = 0; at < samples.length; at += 1) {
      const { timestamp, value } = samples[at];
      timestamps[start + at] = timestamp;
      values[start + at] = value;
    }
  }

  clear(): void {
    this.length = 0;
    this.places = [];
  }

  private addEntries(entries: SeriesOfSamples['entries'] & object, start: number): void {
    const end = start + entries.length;
    if (end > this.ids.length) {
      // What is there is read where it is.
      this.ids = new Float64Array(this.timestamps.length);
      this.slots = new Uint32Array(this.timestamps.length);
    }
    const [ids, slots] = [this.ids.subarray(start, end), this.slots.subarray(start, end)];
    for (let at = 0; at < entries.length; at += 1) {
      ids[at] = entries[at].id;
      slots[at] = entries[at].slot;
    }
    this.places.push({ ids, slots, runs: runsOf(entries) });
  }

  private grow(): void {
    const length = Math.max(this.length, this.timestamps.length * 2);
    this.timestamps = grown(this.timestamps, length);
    this.values = grown(this.values, length);
  }
}

function grown(array: Float64Array, length: number): Float64Array {
  const larger = new Float64Array(length);
  larger.set(array);
  return larger;
}

/** Samples that memory is kept for: twice those that may wait to be taken in, since it has grown by doubling. */
const MOST_KEPT = 1 << 18;

/** Memory for samples that is free. */
export class OwnSamplesPool {
  private readonly free: OwnSamples[] = [];
  private kept = 0;

  take(): OwnSamples {
    const samples = this.free.pop();
    if (!samples) return new OwnSamples();
    this.kept -= samples.timestamps.length;
    return samples;
  }

  giveBack(samples: OwnSamples): void {
    samples.clear();
    if (this.kept + samples.timestamps.length > MOST_KEPT) return;
    this.kept += samples.timestamps.length;
    this.free.push(samples);
  }
}
