import type { Column } from './column.js';
import { HOUR } from './hour.js';

const FIRST_CAPACITY = 16;
/** Samples that a late one is moved before at once; one that is later waits for the next sorting. */
const NEAR = 8;

/** The open samples of one series and hour: two arrays that grow at their end and are put in order when they are read. */
export class HeadColumn {
  private times: Uint32Array;
  private values: Float64Array;
  private length = 0;
  private inOrder = true;

  /** @param capacity how many samples are expected. */
  constructor(capacity = FIRST_CAPACITY) {
    this.times = new Uint32Array(capacity);
    this.values = new Float64Array(capacity);
  }

  /** Adds a sample at `time` milliseconds since the start of the hour. */
  push(time: number, value: number): void {
    if (this.length === this.times.length) this.makeRoom();
    const { length } = this;
    if (length > 0 && time <= this.times[length - 1] && this.inOrder) {
      if (this.insertNearEnd(time, value)) return;
      this.inOrder = false;
    }
    this.times[length] = time;
    this.values[length] = value;
    this.length = length + 1;
  }

  /** Puts a sample in its place if that is near the end, as when several connections send in turn; false if it is far. */
  private insertNearEnd(time: number, value: number): boolean {
    const { times, values, length } = this;
    let place = length;
    while (place > 0 && times[place - 1] > time) {
      if (length - place === NEAR) return false;
      place -= 1;
    }
    if (place > 0 && times[place - 1] === time) {
      values[place - 1] = value;
      return true;
    }
    for (let index = length; index > place; index -= 1) {
      times[index] = times[index - 1];
      values[index] = values[index - 1];
    }
    times[place] = time;
    values[place] = value;
    this.length = length + 1;
    return true;
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
    // Small columns grow faster: there are thousands of them, and to allocate is what they cost.
    const capacity = Math.max(FIRST_CAPACITY, this.times.length * (this.times.length < 128 ? 4 : 2));
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

/** Arrivals of a head: at first room for so many, and at the most for so many. */
const FIRST_ARRIVALS = 64;
const MOST_ARRIVALS = 2048;

/**
 * The samples of one device and hour that are not in a chunk yet; on disk they are in the journal. A sample is only noted
 * as it arrives, one behind the other whatever its series, and goes to the column of its series together with many others:
 * the columns of one device stay in the processor's cache meanwhile, those of all devices would not.
 */
export class Head {
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

  private readonly settled = new Map<number, HeadColumn>();
  private ids = new Uint32Array(FIRST_ARRIVALS);
  private times = new Uint32Array(FIRST_ARRIVALS);
  private values = new Float64Array(FIRST_ARRIVALS);
  private arrivals = 0;

  constructor(
    readonly deviceId: number,
    readonly hour: number,
    /** The first journal row that has samples of this head. */
    readonly firstRow: number,
    /** When it was opened, Unix milliseconds. */
    readonly openedAt: number,
    /** How many samples of a series are expected, where that is known. */
    private readonly usualLength: (seriesId: number) => number | undefined = () => undefined,
  ) {
    this.start = hour * HOUR;
    this.lastRow = firstRow;
    this.lastPush = openedAt;
  }

  /** Whether a sample of this time goes here. */
  takes(timestamp: number): boolean {
    return timestamp >= this.start && timestamp < this.start + HOUR && !this.frozen;
  }

  /** Adds a sample that is in journal row `row`. */
  push(seriesId: number, timestamp: number, value: number, row: number, now: number): void {
    if (this.arrivals === this.ids.length) this.makeRoom();
    this.ids[this.arrivals] = seriesId;
    this.times[this.arrivals] = timestamp - this.start;
    this.values[this.arrivals] = value;
    this.arrivals += 1;
    this.size += 1;
    this.lastRow = row;
    this.lastPush = now;
  }

  /** By series id. */
  get columns(): ReadonlyMap<number, HeadColumn> {
    this.settle();
    return this.settled;
  }

  private settle(): void {
    for (let index = 0; index < this.arrivals; index += 1) {
      const id = this.ids[index];
      let column = this.settled.get(id);
      if (!column) this.settled.set(id, (column = new HeadColumn(this.usualLength(id))));
      column.push(this.times[index], this.values[index]);
    }
    this.arrivals = 0;
  }

  private makeRoom(): void {
    this.settle();
    if (this.ids.length >= MOST_ARRIVALS) return;
    const capacity = this.ids.length * 2;
    this.ids = new Uint32Array(capacity);
    this.times = new Uint32Array(capacity);
    this.values = new Float64Array(capacity);
  }
}
