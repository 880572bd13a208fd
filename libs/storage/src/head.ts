import type { Column } from './column.js';
import { HOUR } from './hour.js';

const FIRST_CAPACITY = 16;

/** The open samples of one series and hour: two arrays that grow at their end and are put in order when they are read. */
export class HeadColumn {
  private times: Uint32Array;
  private values: Float64Array;
  private length = 0;
  private inOrder = true;

  /** @param capacity how many samples are expected. */
  constructor(
    readonly head: Head,
    capacity = FIRST_CAPACITY,
  ) {
    this.times = new Uint32Array(capacity);
    this.values = new Float64Array(capacity);
  }

  /** Adds a sample at `time` milliseconds since the start of the hour. */
  push(time: number, value: number): void {
    if (this.length === this.times.length) this.makeRoom();
    const { length } = this;
    this.times[length] = time;
    this.values[length] = value;
    if (length > 0 && time <= this.times[length - 1]) this.inOrder = false;
    this.length = length + 1;
  }

  /** How many samples it holds, those counted twice that came twice since it was last read. */
  get size(): number {
    return this.length;
  }

  /** The samples so far. The arrays are the head's own: they hold until the next push. */
  column(): Column {
    if (!this.inOrder) this.putInOrder();
    return { times: this.times.subarray(0, this.length), values: this.values.subarray(0, this.length) };
  }

  private makeRoom(): void {
    if (!this.inOrder) this.putInOrder();
    // A column that was full of samples which came twice has room again.
    if (this.length <= this.times.length / 2) return;
    const capacity = Math.max(FIRST_CAPACITY, this.times.length * 2);
    const times = new Uint32Array(capacity);
    const values = new Float64Array(capacity);
    times.set(this.times.subarray(0, this.length));
    values.set(this.values.subarray(0, this.length));
    this.times = times;
    this.values = values;
  }

  /** Sorts by time and keeps the last sample of each. */
  private putInOrder(): void {
    const { times, values, length } = this;
    // One double holds a time and the position behind it, so that sorting numbers is enough.
    const keys = new Float64Array(length);
    for (let index = 0; index < length; index += 1) keys[index] = times[index] * 2 ** 31 + index;
    keys.sort();
    const sortedTimes = new Uint32Array(times.length);
    const sortedValues = new Float64Array(times.length);
    let kept = 0;
    for (let index = 0; index < length; index += 1) {
      const position = keys[index] % 2 ** 31;
      const time = times[position];
      if (kept > 0 && sortedTimes[kept - 1] === time) kept -= 1;
      sortedTimes[kept] = time;
      sortedValues[kept] = values[position];
      kept += 1;
    }
    this.times = sortedTimes;
    this.values = sortedValues;
    this.length = kept;
    this.inOrder = true;
  }
}

/** The samples of one device and hour that are not in a chunk yet; on disk they are in the journal. */
export class Head {
  /** By series id. */
  readonly columns = new Map<number, HeadColumn>();
  /** Of its hour, Unix milliseconds. */
  readonly start: number;
  /** How many samples came in, which bounds the memory that they take. */
  size = 0;
  /** No sample is added any more, since it is being sealed. */
  frozen = false;
  /** The last journal row that has samples of this head. */
  lastRow: number;
  /** When the last sample was added, Unix milliseconds. */
  lastPush: number;

  constructor(
    readonly deviceId: number,
    readonly hour: number,
    /** The first journal row that has samples of this head. */
    readonly firstRow: number,
    /** When it was opened, Unix milliseconds. */
    readonly openedAt: number,
  ) {
    this.start = hour * HOUR;
    this.lastRow = firstRow;
    this.lastPush = openedAt;
  }
}
