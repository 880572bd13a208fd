import { FAR_AHEAD } from './hour.js';

/**
 * Time and value of the latest sample of each series, by series id, whether sealed or not. Where a clock has been ahead, its samples are
 * of a time yet to come: they stay the latest only until one of now comes.
 */
export class LatestSamples {
  private times = new Float64Array(1024).fill(-Infinity);
  private values = new Float64Array(1024);

  /** Makes room for a series; must come before anything else is asked of it. */
  add(seriesId: number): void {
    if (seriesId < this.times.length) return;
    const capacity = Math.max(seriesId + 1, this.times.length * 2);
    const times = new Float64Array(capacity).fill(-Infinity);
    const values = new Float64Array(capacity);
    times.set(this.times);
    values.set(this.values);
    this.times = times;
    this.values = values;
  }

  /**
   * Takes note of a sample; of equal times the one that came later counts.
   *
   * @param bound times beyond it are those of a clock that was ahead, Unix ms.
   */
  note(seriesId: number, timestamp: number, value: number, bound = Infinity): void {
    if (isBefore(timestamp, this.times[seriesId], bound)) return;
    this.times[seriesId] = timestamp;
    this.values[seriesId] = value;
  }

  /**
   * Takes note of many samples, position by position.
   *
   * @param series of the samples, from `offset` on.
   */
  noteColumns(
    series: readonly { readonly id: number }[],
    offset: number,
    timestamps: Float64Array,
    values: Float64Array,
    bound = Infinity,
  ): void {
    const { times, values: latest } = this;
    for (let index = 0; index < timestamps.length; index += 1) {
      const { id } = series[offset + index];
      if (isBefore(timestamps[index], times[id], bound)) continue;
      times[id] = timestamps[index];
      latest[id] = values[index];
    }
  }

  /**
   * The same of series by their ids, from one place to before another.
   *
   * @param offset where the sample of the first of all ids is.
   */
  noteIds(
    ids: Float64Array,
    from: number,
    to: number,
    offset: number,
    timestamps: Float64Array,
    values: Float64Array,
    bound = Infinity,
  ): void {
    const { times, values: latest } = this;
    for (let index = from; index < to; index += 1) {
      const id = ids[index];
      const timestamp = timestamps[offset + index];
      if (isBefore(timestamp, times[id], bound)) continue;
      times[id] = timestamp;
      latest[id] = values[offset + index];
    }
  }

  /** Unix milliseconds; -Infinity while there is none. */
  timeOf(seriesId: number): number {
    return this.times[seriesId];
  }

  valueOf(seriesId: number): number {
    return this.values[seriesId];
  }

  /** The latest time of all, Unix milliseconds; undefined without any sample. */
  newest(): number | undefined {
    let newest = -Infinity;
    const { times } = this;
    for (let id = 0; id < times.length; id += 1) if (times[id] > newest) newest = times[id];
    return newest === -Infinity ? undefined : newest;
  }

  /** What is known of a series that never came to be. */
  drop(seriesId: number): void {
    this.times[seriesId] = -Infinity;
  }
}

/**
 * Whether a sample is older than the latest that is known. One of now is not where that is beyond `bound`; one of long ago is, since
 * others may lie between.
 */
const isBefore = (timestamp: number, latest: number, bound: number): boolean =>
  timestamp < latest && (latest <= bound || timestamp < bound - 2 * FAR_AHEAD);
