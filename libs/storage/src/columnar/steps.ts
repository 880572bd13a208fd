import { grownBy, type Summary } from '@device-metrics/domain';
import type { Column } from './column.js';
import type { StepAggregate, StepQuery } from '../store.js';

/** Where each number of a step stands. */
const PLACES: Readonly<Record<StepAggregate, number>> = {
  ...{ count: 0, min: 1, max: 2, sum: 3, first: 4, firstTime: 5, last: 6, lastTime: 7, grown: 8 },
};

/** Steps for which there is room at first, at most: many series are collected at a time. */
const ROOM = 64;

/** Takes in the samples of one series in order of time and makes steps of them. */
export class StepAggregator {
  private readonly rangeStart: number;
  private readonly step: number;
  /** Of each aggregate. */
  private readonly places: readonly number[];
  /** When the step begins that is open; NaN while none is. */
  private openStart = NaN;
  // In an object each number would be an object of its own, made anew for each step.
  private readonly open = new Float64Array(Object.keys(PLACES).length);
  private readonly ofGrowth: boolean;
  private length = 0;
  // There may be hundreds of thousands of steps: an object for each costs more than to read its samples.
  private starts: Float64Array;
  private readonly columns: Float64Array[];

  /** @throws RangeError when the step has no length. */
  constructor({ range, step, aggregates }: StepQuery) {
    if (!(step > 0)) throw new RangeError(`step must be greater than 0 ms, got ${step}`);
    this.rangeStart = range.start;
    this.step = step;
    this.places = aggregates.map((aggregate) => PLACES[aggregate]);
    this.ofGrowth = aggregates.includes('grown');
    const room = Math.min(ROOM, Math.max(0, Math.ceil((range.end - range.start) / step)));
    this.starts = new Float64Array(room);
    this.columns = aggregates.map(() => new Float64Array(room));
  }

  /** Adds the samples of an hour, or of a part of it, that begins at `hourStart`. */
  addColumn(hourStart: number, column: Column): void {
    const { times } = column;
    for (let from = 0; from < times.length;) {
      const start = this.startOf(hourStart + times[from]);
      const end = start + this.step - hourStart;
      let to = from + 1;
      while (to < times.length && times[to] < end) to += 1;
      if (this.openStart !== start) this.beginStep(start);
      this.addPart(hourStart, column, from, to);
      from = to;
    }
  }

  /** Adds an hour of which only the summary is there, to the step of its start. */
  addSummary(hourStart: number, summary: Readonly<Summary>): void {
    const start = this.startOf(hourStart);
    if (this.openStart !== start) this.beginStep(start);
    const { count, min, max, sum, first, firstTime, last, lastTime } = summary;
    this.include(count, min, max, sum, first, firstTime, last, lastTime, this.ofGrowth ? grownOf(summary) : 0);
  }

  /** Adds samples of the open step. */
  private addPart(hourStart: number, column: Column, from: number, to: number): void {
    const { times, values } = column;
    const first = values[from];
    let [min, max, sum] = [first, first, 0];
    for (let index = from; index < to; index += 1) {
      const value = values[index];
      if (value < min) min = value;
      if (value > max) max = value;
      sum += value;
    }
    const grown = this.ofGrowth ? grownIn(column, from, to) : 0;
    const last = to - 1;
    this.include(
      to - from,
      min,
      max,
      sum,
      first,
      hourStart + times[from],
      values[last],
      hourStart + times[last],
      grown,
    );
  }

  /** Takes the numbers of a summary, and what a counter grew in it, into the open step, as `includeSummary` does. */
  private include(
    count: number,
    min: number,
    max: number,
    sum: number,
    first: number,
    firstTime: number,
    last: number,
    lastTime: number,
    grown: number,
  ): void {
    const { open } = this;
    const isFirst = open[0] === 0;
    open[8] = isFirst ? grown : open[8] + (this.ofGrowth ? grownBy(open[6], first) + grown : 0);
    open[0] += count;
    if (isFirst || min < open[1]) open[1] = min;
    if (isFirst || max > open[2]) open[2] = max;
    open[3] = isFirst ? sum : open[3] + sum;
    if (isFirst || firstTime < open[5]) {
      open[4] = first;
      open[5] = firstTime;
    }
    if (isFirst || lastTime >= open[7]) {
      open[6] = last;
      open[7] = lastTime;
    }
  }

  /** All steps that have samples, when they begin and what they have of each aggregate. */
  finish(): { starts: Float64Array; columns: Float64Array[] } {
    this.closeStep();
    const { length } = this;
    return {
      starts: this.starts.subarray(0, length),
      columns: this.columns.map((column) => column.subarray(0, length)),
    };
  }

  /** Steps that there are, that which is open left out. */
  get count(): number {
    return this.length;
  }

  private startOf(timestamp: number): number {
    return this.rangeStart + Math.floor((timestamp - this.rangeStart) / this.step) * this.step;
  }

  private beginStep(start: number): void {
    this.closeStep();
    this.openStart = start;
    this.open[0] = 0;
  }

  private closeStep(): void {
    if (Number.isNaN(this.openStart)) return;
    const { places, columns, open, length } = this;
    if (length === this.starts.length) this.makeRoom();
    this.starts[length] = this.openStart;
    for (let index = 0; index < places.length; index += 1) columns[index][length] = open[places[index]];
    this.length += 1;
    this.openStart = NaN;
  }

  private makeRoom(): void {
    this.starts = twiceAsLong(this.starts);
    this.columns.forEach((column, index) => (this.columns[index] = twiceAsLong(column)));
  }
}

function twiceAsLong(column: Float64Array): Float64Array {
  const longer = new Float64Array(Math.max(ROOM, 2 * column.length));
  longer.set(column);
  return longer;
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
