import type { Summary } from '@device-metrics/domain';
import { includeSummary, summarizePart, type Column } from './column.js';
import type { StepColumns, StepQuery } from './sample-store.js';

/** Takes in the samples of one series in order of time and makes steps of them. */
export class StepAggregator {
  /** Plain columns, since there may be hundreds of thousands of steps, and an object for each costs several times as much. */
  private readonly steps = columns();
  private readonly rangeStart: number;
  private readonly step: number;
  private open: { readonly start: number; readonly summary: Summary } | undefined;

  /** @throws RangeError when the step has no length. */
  constructor({ range, step }: StepQuery) {
    if (!(step > 0)) throw new RangeError(`step must be greater than 0 ms, got ${step}`);
    this.rangeStart = range.start;
    this.step = step;
  }

  /** Adds the samples of an hour, or of a part of it, that begins at `hourStart`. */
  addColumn(hourStart: number, column: Column): void {
    const { times } = column;
    for (let from = 0; from < times.length;) {
      const start = this.startOf(hourStart + times[from]);
      const end = start + this.step - hourStart;
      let to = from + 1;
      while (to < times.length && times[to] < end) to += 1;
      this.include(start, summarizePart(column, from, to, hourStart));
      from = to;
    }
  }

  /** Adds an hour of which only the summary is there, to the step of its start. */
  addSummary(hourStart: number, summary: Readonly<Summary>): void {
    this.include(this.startOf(hourStart), { ...summary });
  }

  /** All steps that have samples. */
  finish(): StepColumns {
    this.closeStep();
    return this.steps;
  }

  private startOf(timestamp: number): number {
    return this.rangeStart + Math.floor((timestamp - this.rangeStart) / this.step) * this.step;
  }

  private include(start: number, summary: Summary): void {
    if (this.open?.start === start) {
      includeSummary(this.open.summary, summary);
    } else {
      this.closeStep();
      this.open = { start, summary };
    }
  }

  private closeStep(): void {
    if (!this.open) return;
    const { steps } = this;
    const { start, summary } = this.open;
    steps.start.push(start);
    steps.count.push(summary.count);
    steps.min.push(summary.min);
    steps.max.push(summary.max);
    steps.sum.push(summary.sum);
    steps.first.push(summary.first);
    steps.last.push(summary.last);
    this.open = undefined;
  }
}

const columns = (): Record<keyof StepColumns, number[]> => ({
  start: [],
  count: [],
  min: [],
  max: [],
  sum: [],
  first: [],
  last: [],
});
