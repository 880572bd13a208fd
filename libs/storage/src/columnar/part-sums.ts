import { emptySummary, type Summary } from '@device-metrics/domain';

/** Doubles of a series: min, max, sum, first, last. */
const DOUBLES = 5;
/** Integers of a series: id, count, and its first and last time, ms since the hour began. */
const INTEGERS = 4;

/**
 * What all parts of a device and hour have of each series together. An hour that is being filled has many of them, and whoever
 * looks at it need not read them.
 */
export class PartSums {
  /** Series of those that were made last: a fleet's devices mostly have as many, and nothing has to grow. */
  private static usual = 16;

  /** Whether samples of one part may stand between, or for, those of an earlier one: then this is of no use. */
  overlap = false;
  /** Of the oldest and the newest sample, Unix milliseconds. */
  firstTime = Infinity;
  lastTime = -Infinity;
  /** The last journal row that has samples of them. */
  sealedThrough = 0;
  private length = 0;
  private doubles = new Float64Array(0);
  private integers = new Uint32Array(0);
  /** Where the series was that was looked for last: they mostly come in their order. */
  private place = -1;

  constructor(
    /** Of the hour, Unix milliseconds. */
    private readonly start: number,
  ) {}

  /** Takes in what the next part has of a series. */
  add(seriesId: number, summary: Readonly<Summary>): void {
    const { count, min, max, sum, first, last, firstTime, lastTime } = summary;
    if (firstTime < this.firstTime) this.firstTime = firstTime;
    if (lastTime > this.lastTime) this.lastTime = lastTime;
    if (this.overlap) return;
    const found = this.find(seriesId);
    const place = found < 0 ? this.insert(-found - 1, seriesId) : found;
    const { doubles, integers } = this;
    const [at, whole] = [place * DOUBLES, place * INTEGERS];
    if (found < 0) {
      doubles[at] = min;
      doubles[at + 1] = max;
      // What is added to it keeps its sign.
      doubles[at + 2] = -0;
      doubles[at + 3] = first;
      integers[whole + 2] = firstTime - this.start;
    } else if (firstTime - this.start <= integers[whole + 3]) {
      this.overlap = true;
      this.length = 0;
      this.resize(0);
      return;
    }
    if (min < doubles[at]) doubles[at] = min;
    if (max > doubles[at + 1]) doubles[at + 1] = max;
    doubles[at + 2] += sum;
    doubles[at + 4] = last;
    integers[whole + 1] += count;
    integers[whole + 3] = lastTime - this.start;
  }

  /** Calls `visit` for each series, by id, or only for those that are wanted; the summary is the same object each time. */
  visit(
    visit: (seriesId: number, summary: Readonly<Summary>) => void,
    wanted?: { has(seriesId: number): boolean },
  ): void {
    const { doubles, integers, start } = this;
    const summary = emptySummary();
    for (let place = 0; place < this.length; place += 1) {
      const [at, whole] = [place * DOUBLES, place * INTEGERS];
      const id = integers[whole];
      if (wanted && !wanted.has(id)) continue;
      summary.count = integers[whole + 1];
      summary.firstTime = start + integers[whole + 2];
      summary.lastTime = start + integers[whole + 3];
      summary.min = doubles[at];
      summary.max = doubles[at + 1];
      summary.sum = doubles[at + 2];
      summary.first = doubles[at + 3];
      summary.last = doubles[at + 4];
      visit(id, summary);
    }
  }

  /** The time of the newest sample of a series, Unix milliseconds; -Infinity without one. */
  lastTimeOf(seriesId: number): number {
    const place = this.find(seriesId);
    return place < 0 ? -Infinity : this.start + this.integers[place * INTEGERS + 3];
  }

  /** Gives back the memory that its series do not need. */
  trim(): void {
    if (this.length === 0 || this.length * INTEGERS === this.integers.length) return;
    PartSums.usual = this.length;
    this.resize(this.length);
  }

  /** The place of a series; where there is none, the place that it would have, less than 0: -1 - place. */
  private find(seriesId: number): number {
    const { integers, length } = this;
    const next = this.place + 1;
    if (next < length && integers[next * INTEGERS] === seriesId) return (this.place = next);
    let [from, to] = [0, length];
    while (from < to) {
      const middle = (from + to) >>> 1;
      if (integers[middle * INTEGERS] < seriesId) from = middle + 1;
      else to = middle;
    }
    this.place = from;
    return from < length && integers[from * INTEGERS] === seriesId ? from : -1 - from;
  }

  private insert(place: number, seriesId: number): number {
    if ((this.length + 1) * INTEGERS > this.integers.length) {
      this.resize(this.length === 0 ? PartSums.usual : Math.ceil(this.length * 1.5) + 16);
    }
    if (place < this.length) {
      this.doubles.copyWithin((place + 1) * DOUBLES, place * DOUBLES, this.length * DOUBLES);
      this.integers.copyWithin((place + 1) * INTEGERS, place * INTEGERS, this.length * INTEGERS);
    }
    this.length += 1;
    this.integers[place * INTEGERS] = seriesId;
    this.integers[place * INTEGERS + 1] = 0;
    return place;
  }

  private resize(capacity: number): void {
    const [doubles, integers] = [new Float64Array(capacity * DOUBLES), new Uint32Array(capacity * INTEGERS)];
    doubles.set(this.doubles.subarray(0, this.length * DOUBLES));
    integers.set(this.integers.subarray(0, this.length * INTEGERS));
    this.doubles = doubles;
    this.integers = integers;
  }
}
