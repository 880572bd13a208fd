import { emptySummary, HOUR, type Summary } from '@device-metrics/domain';
import { RowCursor, type Rows } from './rows.js';
import type { SortedSamples } from './sorted-samples.js';

/** Doubles of a slot: min, max, sum, first, last. */
const DOUBLES = 5;
/** Integers of a slot: count, and its first and last time, ms since the hour began. */
const INTEGERS = 3;

/**
 * Summaries of the samples of a head, slot by slot, made of them as they came: nothing is put in order for it. In memory that is
 * used again, for looks that are over before the next one begins.
 */
export class SlotSummaries {
  private slots = 0;
  private doubles = new Float64Array(0);
  private integers = new Uint32Array(0);
  /** Which slots count. */
  private wanted = new Uint8Array(0);
  private readonly summary = emptySummary();

  /** Begins anew, without samples, for so many slots of which none counts. */
  begin(slots: number): void {
    this.slots = slots;
    if (this.wanted.length < slots) {
      this.doubles = new Float64Array(slots * DOUBLES);
      this.integers = new Uint32Array(slots * INTEGERS);
      this.wanted = new Uint8Array(slots);
      return;
    }
    this.wanted.fill(0, 0, slots);
    this.integers.fill(0, 0, slots * INTEGERS);
  }

  want(slot: number): void {
    this.wanted[slot] = 1;
  }

  /** Makes room for so many slots, all of which count; what is there stays. */
  wantAll(slots: number): void {
    if (slots <= this.slots) return;
    const { doubles, integers } = this;
    this.doubles = new Float64Array(slots * DOUBLES);
    this.doubles.set(doubles);
    this.integers = new Uint32Array(slots * INTEGERS);
    this.integers.set(integers);
    this.wanted = new Uint8Array(slots).fill(1);
    this.slots = slots;
  }

  /**
   * Adds samples from one time to before another: those that are in order, and rows that the cursor has not gone through.
   *
   * @returns false where those of a series do not come one after the other; then it holds nothing of use.
   */
  addAll(inOrder: SortedSamples | undefined, row: RowCursor, first: number, end: number): boolean {
    if (inOrder) this.addSorted(inOrder, first, end);
    while (row.next()) if (row.time >= first && row.time < end && !this.addRow(row)) return false;
    return true;
  }

  private addSorted({ column: { times, values }, starts, ends }: SortedSamples, first: number, end: number): void {
    for (let slot = 0; slot < starts.length; slot += 1) {
      if (this.wanted[slot] === 0) continue;
      for (let at = starts[slot]; at < ends[slot]; at += 1) {
        if (times[at] >= first && times[at] < end) this.add(slot, times[at], values[at]);
      }
    }
  }

  private addRow({ time, slots, slotsFrom, values, valuesFrom, count }: RowCursor): boolean {
    for (let place = 0; place < count; place += 1) {
      const slot = slots[slotsFrom + place];
      // Mostly few are wanted: of the others nothing else is read.
      if (this.wanted[slot] !== 0 && !this.add(slot, time, values[valuesFrom + place])) return false;
    }
    return true;
  }

  /** False where the sample is not behind those of its series. */
  private add(slot: number, time: number, value: number): boolean {
    const { doubles, integers } = this;
    const double = slot * DOUBLES;
    const integer = slot * INTEGERS;
    if (integers[integer] === 0) {
      doubles[double] = value;
      doubles[double + 1] = value;
      // As a sum that begins at 0: that of -0 is 0.
      doubles[double + 2] = 0 + value;
      doubles[double + 3] = value;
      integers[integer + 1] = time;
    } else {
      if (time <= integers[integer + 2]) return false;
      if (value < doubles[double]) doubles[double] = value;
      if (value > doubles[double + 1]) doubles[double + 1] = value;
      doubles[double + 2] += value;
    }
    doubles[double + 4] = value;
    integers[integer] += 1;
    integers[integer + 2] = time;
    return true;
  }

  /** Of the newest sample, ms since the hour began; 0 without one. */
  lastTime(): number {
    const { integers, slots } = this;
    let last = 0;
    for (let slot = 0; slot < slots; slot += 1) last = Math.max(last, integers[slot * INTEGERS + 2]);
    return last;
  }

  /** Calls `visit` for each slot that has samples; the summary is the same object each time. */
  visit(hourStart: number, visit: (slot: number, summary: Readonly<Summary>) => void): void {
    const { doubles, integers, slots, summary } = this;
    for (let slot = 0; slot < slots; slot += 1) {
      const [double, integer] = [slot * DOUBLES, slot * INTEGERS];
      if (integers[integer] === 0) continue;
      summary.count = integers[integer];
      summary.min = doubles[double];
      summary.max = doubles[double + 1];
      summary.sum = doubles[double + 2];
      summary.first = doubles[double + 3];
      summary.firstTime = hourStart + integers[integer + 1];
      summary.last = doubles[double + 4];
      summary.lastTime = hourStart + integers[integer + 2];
      visit(slot, summary);
    }
  }
}

/** Summaries of all samples of a head: whoever looks at them adds what has come since somebody did before. */
export class RunningSummaries {
  private readonly sums = new SlotSummaries();
  private readonly row: RowCursor;
  private isInOrder = true;

  /** @param inOrder what is to be added before the rows. */
  constructor(
    private inOrder: SortedSamples | undefined,
    rows: Rows,
  ) {
    this.row = new RowCursor(rows);
  }

  /** Undefined where the samples of a series do not come one after the other. */
  of(slots: number): SlotSummaries | undefined {
    const { sums } = this;
    sums.wantAll(slots);
    this.isInOrder &&= sums.addAll(this.inOrder, this.row, 0, HOUR);
    this.inOrder = undefined;
    return this.isInOrder ? sums : undefined;
  }
}
