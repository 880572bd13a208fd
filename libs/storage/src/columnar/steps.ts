import { grownBy, type Summary } from '@device-metrics/domain';
import type { Column } from './column.js';
import type { StepAggregate, StepQuery } from '../store.js';

/** Where each number of a step stands. */
const PLACES: Readonly<Record<StepAggregate, number>> = {
  ...{ count: 0, min: 1, max: 2, sum: 3, first: 4, firstTime: 5, last: 6, lastTime: 7, grown: 8 },
};

/** Numbers of the step that is open. */
const OPEN = Object.keys(PLACES).length;

/** What is added to the open step, in the same places: as arguments of a function most numbers would be objects. */
const ADDED = new Float64Array(OPEN);

/** Steps for which there is room at first, at most: many series are collected at a time. */
const ROOM = 64;

/** Begins no step: an integer, as all others are. */
const NONE = Number.MIN_SAFE_INTEGER;

/** Numbers that series get their memory from together: that of each by itself takes longer to get than to fill. */
const TOGETHER = 4096;

/** What the series of a query have in common. */
export class StepDivision {
  readonly rangeStart: number;
  readonly step: number;
  /** Of each aggregate. */
  readonly places: readonly number[];
  readonly ofGrowth: boolean;
  readonly ofExtremes: boolean;
  /** Steps for which a series has room at first. */
  readonly room: number;
  /** Of the samples that were divided last: when each step begins, and the index behind its last sample. */
  starts = new Float64Array(0);
  ends = new Uint32Array(0);
  /** How many steps these are. */
  count = 0;
  private hourStart = NaN;
  private times: Uint32Array = new Uint32Array(0);
  private memory = new Float64Array(0);
  private used = 0;

  /** @throws RangeError when the step has no length. */
  constructor({ range, step, aggregates }: StepQuery) {
    if (!(step > 0)) throw new RangeError(`step must be greater than 0 ms, got ${step}`);
    this.rangeStart = range.start;
    this.step = step;
    this.places = aggregates.map((aggregate) => PLACES[aggregate]);
    this.ofGrowth = aggregates.includes('grown');
    this.ofExtremes = aggregates.includes('min') || aggregates.includes('max');
    this.room = Math.min(ROOM, Math.max(0, Math.ceil((range.end - range.start) / step)));
  }

  startOf(timestamp: number): number {
    return this.rangeStart + Math.floor((timestamp - this.rangeStart) / this.step) * this.step;
  }

  /** Divides the samples of an hour, ms since it began, into `starts` and `ends`: series of a device mostly have the same times. */
  divide(hourStart: number, times: Uint32Array): void {
    if (hourStart === this.hourStart && areSame(times, this.times)) return;
    this.times = times;
    this.hourStart = hourStart;
    // No more than samples.
    if (this.starts.length < times.length) {
      this.starts = new Float64Array(times.length);
      this.ends = new Uint32Array(times.length);
    }
    const { starts, ends } = this;
    let count = 0;
    for (let at = 0; at < times.length; count += 1) {
      const start = this.startOf(hourStart + times[at]);
      const end = start + this.step - hourStart;
      do at += 1;
      while (at < times.length && times[at] < end);
      starts[count] = start;
      ends[count] = at;
    }
    this.count = count;
  }

  /** Memory of zeros for one series with so much room. */
  memoryFor(room: number): Float64Array {
    const count = OPEN + room * (1 + this.places.length);
    if (this.used + count > this.memory.length) {
      this.memory = new Float64Array(Math.max(count, Math.min(TOGETHER, 2 * this.memory.length)));
      this.used = 0;
    }
    return this.memory.subarray(this.used, (this.used += count));
  }
}

/** Takes in the samples of one series in order of time and makes steps of them. */
export class StepAggregator {
  /** When the step begins that is open; NONE while none is. */
  private openStart = NONE;
  private length = 0;
  private room: number;
  /**
   * The step that is open, then when each begins, then each column: in an object each number would be an object of its own, made anew
   * for each step, and there may be hundreds of thousands of steps.
   */
  private memory: Float64Array;

  constructor(private readonly division: StepDivision) {
    this.room = division.room;
    this.memory = division.memoryFor(this.room);
  }

  /** Adds the samples of an hour, or of a part of it, that begins at `hourStart`. */
  addColumn(hourStart: number, column: Column): void {
    const { division } = this;
    division.divide(hourStart, column.times);
    const { starts, ends, count } = division;
    let from = 0;
    for (let index = 0; index < count; index += 1) {
      if (this.openStart !== starts[index]) this.beginStep(starts[index]);
      this.addPart(hourStart, column, from, ends[index]);
      from = ends[index];
    }
  }

  /** Adds an hour of which only the summary is there, to the step of its start. */
  addSummary(hourStart: number, summary: Readonly<Summary>): void {
    const { division } = this;
    const start = division.startOf(hourStart);
    if (this.openStart !== start) this.beginStep(start);
    const into = this.placesToFill();
    into[0] = summary.count;
    into[1] = summary.min;
    into[2] = summary.max;
    into[3] = summary.sum;
    into[4] = summary.first;
    into[5] = summary.firstTime;
    into[6] = summary.last;
    into[7] = summary.lastTime;
    into[8] = division.ofGrowth ? grownOf(summary) : 0;
    if (into === ADDED) this.include();
  }

  /** Adds samples of the open step. */
  private addPart(hourStart: number, column: Column, from: number, to: number): void {
    const { ofExtremes, ofGrowth } = this.division;
    const { times, values } = column;
    const first = values[from];
    let min = first;
    let max = first;
    let sum = 0;
    for (let index = from; index < to; index += 1) sum += values[index];
    for (let index = from; ofExtremes && index < to; index += 1) {
      const value = values[index];
      if (value < min) min = value;
      if (value > max) max = value;
    }
    const into = this.placesToFill();
    const last = to - 1;
    into[0] = to - from;
    into[1] = min;
    into[2] = max;
    into[3] = sum;
    into[4] = first;
    into[5] = hourStart + times[from];
    into[6] = values[last];
    into[7] = hourStart + times[last];
    into[8] = ofGrowth ? grownIn(column, from, to) : 0;
    if (into === ADDED) this.include();
  }

  /** Where the numbers go that are added to the open step: into it while it has none. */
  private placesToFill(): Float64Array {
    return this.memory[0] === 0 ? this.memory : ADDED;
  }

  /** Takes what was `ADDED` into the open step, as `includeSummary` does. */
  private include(): void {
    const open = this.memory;
    if (this.division.ofGrowth) open[8] += grownBy(open[6], ADDED[4]) + ADDED[8];
    open[0] += ADDED[0];
    if (ADDED[1] < open[1]) open[1] = ADDED[1];
    if (ADDED[2] > open[2]) open[2] = ADDED[2];
    open[3] += ADDED[3];
    if (ADDED[5] < open[5]) {
      open[4] = ADDED[4];
      open[5] = ADDED[5];
    }
    if (ADDED[7] >= open[7]) {
      open[6] = ADDED[6];
      open[7] = ADDED[7];
    }
  }

  /** All steps that have samples, when they begin and what they have of each aggregate. */
  finish(): { starts: Float64Array; columns: Float64Array[] } {
    this.closeStep();
    const column = (index: number): Float64Array => {
      const from = OPEN + index * this.room;
      return this.memory.subarray(from, from + this.length);
    };
    const columns: Float64Array[] = [];
    for (let index = 1; index <= this.division.places.length; index += 1) columns.push(column(index));
    return { starts: column(0), columns };
  }

  /** Steps that there are, that which is open left out. */
  get count(): number {
    return this.length;
  }

  private beginStep(start: number): void {
    this.closeStep();
    this.openStart = start;
    this.memory[0] = 0;
  }

  private closeStep(): void {
    if (this.openStart === NONE) return;
    if (this.length === this.room) this.makeRoom();
    const { memory, room } = this;
    const { places } = this.division;
    let at = OPEN + this.length;
    memory[at] = this.openStart;
    for (let index = 0; index < places.length; index += 1) memory[(at += room)] = memory[places[index]];
    this.length += 1;
    this.openStart = NONE;
  }

  private makeRoom(): void {
    const { memory, room, division } = this;
    this.room = Math.max(ROOM, 2 * room);
    this.memory = division.memoryFor(this.room);
    this.memory.set(memory.subarray(0, OPEN));
    for (let index = 0; index <= division.places.length; index += 1) {
      const from = OPEN + index * room;
      this.memory.set(memory.subarray(from, from + room), OPEN + index * this.room);
    }
  }
}

function areSame(a: Uint32Array, b: Uint32Array): boolean {
  if (a.length !== b.length) return false;
  for (let index = 0; index < a.length; index += 1) if (a[index] !== b[index]) return false;
  return true;
}

/** What a counter grew between the samples from index `from` to before `to`. */
function grownIn({ values }: Column, from: number, to: number): number {
  let grown = 0;
  for (let index = from + 1; index < to; index += 1) grown += grownBy(values[index - 1], values[index]);
  return grown;
}

/** The same of samples of which the summary is left, as `samplesOfSummary` has them; exact where the values never fall. */
function grownOf({ first, last, min, max }: Readonly<Summary>): number {
  const between = max > last ? max : min;
  return grownBy(first, between) + grownBy(between, last);
}
