import { grownBy, includeSummary, type Summary } from '@device-metrics/domain';
import { summarizePart, type Column } from './column.js';
import type { StepAggregate, StepQuery } from '../store.js';

/** Steps for which there is room at first, at most: many series are collected at a time. */
const ROOM = 64;

/** Takes in the samples of one series in order of time and makes steps of them. */
export class StepAggregator {
  private readonly rangeStart: number;
  private readonly step: number;
  private readonly aggregates: readonly StepAggregate[];
  /** When the step begins that is open; NaN while none is. */
  private openStart = NaN;
  private readonly open: Summary & { grown: number } = {
    ...{ count: 0, min: 0, max: 0, sum: 0, first: 0, firstTime: 0, last: 0, lastTime: 0, grown: 0 },
  };
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
    this.aggregates = aggregates;
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
      const grown = this.ofGrowth ? grownIn(column, from, to) : 0;
      if (this.openStart === start) {
        this.include(summarizePart(column, from, to, hourStart), grown);
      } else {
        this.beginStep(start);
        summarizePart(column, from, to, hourStart, this.open);
        this.open.grown = grown;
      }
      from = to;
    }
  }

  /** Adds an hour of which only the summary is there, to the step of its start. */
  addSummary(hourStart: number, summary: Readonly<Summary>): void {
    const start = this.startOf(hourStart);
    const grown = this.ofGrowth ? grownOf(summary) : 0;
    if (this.openStart === start) return this.include(summary, grown);
    this.beginStep(start);
    Object.assign(this.open, summary);
    this.open.grown = grown;
  }

  private include(summary: Readonly<Summary>, grown: number): void {
    if (this.ofGrowth) this.open.grown += grownBy(this.open.last, summary.first) + grown;
    includeSummary(this.open, summary);
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
  }

  private closeStep(): void {
    if (Number.isNaN(this.openStart)) return;
    const { aggregates, columns, length } = this;
    if (length === this.starts.length) this.makeRoom();
    this.starts[length] = this.openStart;
    for (let index = 0; index < aggregates.length; index += 1) {
      columns[index][length] = this.open[aggregates[index]];
    }
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
