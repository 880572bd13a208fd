/** Room of a run at first: that many times what comes first, which is mostly an hour. */
const HOURS = 8;

const NONE = new Float64Array();

/** The samples of one series, collected hour by hour in order of time. */
export class SampleRun {
  count = 0;
  private timestamps = NONE;
  private values = NONE;

  /** Adds a copy of samples whose times are milliseconds from `start` on. */
  add(start: number, times: ArrayLike<number>, values: ArrayLike<number>): void {
    const { length } = times;
    if (this.count + length > this.timestamps.length) this.makeRoom(this.count + length);
    const { timestamps, count } = this;
    for (let index = 0; index < length; index += 1) timestamps[count + index] = start + times[index];
    this.values.set(values, count);
    this.count += length;
  }

  /** What has been collected, in at most twice the memory. */
  finish(): { timestamps: Float64Array; values: Float64Array } {
    const { count, timestamps, values } = this;
    if (timestamps.length > 2 * count)
      return { timestamps: timestamps.slice(0, count), values: values.slice(0, count) };
    return { timestamps: timestamps.subarray(0, count), values: values.subarray(0, count) };
  }

  private makeRoom(least: number): void {
    const room = this.count === 0 ? HOURS * least : Math.max(least, 2 * this.timestamps.length);
    const [timestamps, values] = [new Float64Array(room), new Float64Array(room)];
    timestamps.set(this.timestamps);
    values.set(this.values);
    this.timestamps = timestamps;
    this.values = values;
  }
}
