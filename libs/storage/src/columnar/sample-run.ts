/** Room of a run at first. */
const ROOM = 64;

/** The samples of one series, collected hour by hour in order of time. */
export class SampleRun {
  count = 0;
  private timestamps = new Float64Array(ROOM);
  private values = new Float64Array(ROOM);

  /** Adds a copy of samples whose times are milliseconds from `start` on. */
  add(start: number, times: ArrayLike<number>, values: ArrayLike<number>): void {
    const { length } = times;
    if (this.count + length > this.timestamps.length) this.makeRoom(this.count + length);
    const { timestamps, count } = this;
    for (let index = 0; index < length; index += 1) timestamps[count + index] = start + times[index];
    this.values.set(values, count);
    this.count += length;
  }

  /** What has been collected. */
  finish(): { timestamps: Float64Array; values: Float64Array } {
    return { timestamps: this.timestamps.slice(0, this.count), values: this.values.slice(0, this.count) };
  }

  private makeRoom(least: number): void {
    const room = Math.max(least, 2 * this.timestamps.length);
    const [timestamps, values] = [new Float64Array(room), new Float64Array(room)];
    timestamps.set(this.timestamps);
    values.set(this.values);
    this.timestamps = timestamps;
    this.values = values;
  }
}
