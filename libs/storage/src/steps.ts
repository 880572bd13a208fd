import { quantilesOf, type Summary, type TimeRange } from '@device-metrics/domain';
import { includeSummary, summarizePart, type Column } from './column.js';
import type { Step, StepQuery } from './sample-store.js';

interface OpenStep {
  readonly start: number;
  readonly summary: Summary;
  /** The values, while quantiles of them are asked for. */
  readonly values: Float64Array[];
  /** Whether only the summary of some of its samples was there. */
  summarized: boolean;
}

/** Takes in the samples of one series in order of time and makes steps of them. */
export class StepAggregator {
  private readonly steps: Step[] = [];
  private readonly step: number;
  private readonly quantiles: readonly number[];
  private open: OpenStep | undefined;

  constructor(
    private readonly range: TimeRange,
    query: StepQuery,
  ) {
    if (!(query.step > 0)) throw new RangeError(`step must be greater than 0 ms, got ${query.step}`);
    this.step = query.step;
    this.quantiles = query.quantiles ?? [];
  }

  /** Adds the samples of an hour, or of a part of it, that begins at `hourStart`. */
  addColumn(hourStart: number, column: Column): void {
    const { times, values } = column;
    for (let from = 0; from < times.length;) {
      const start = this.startOf(hourStart + times[from]);
      const end = start + this.step - hourStart;
      let to = from + 1;
      while (to < times.length && times[to] < end) to += 1;
      const open = this.include(start, summarizePart(column, from, to, hourStart));
      if (this.quantiles.length > 0) open.values.push(values.slice(from, to));
      from = to;
    }
  }

  /** Adds an hour of which only the summary is there, to the step of its start. */
  addSummary(hourStart: number, summary: Readonly<Summary>): void {
    this.include(this.startOf(hourStart), { ...summary }).summarized = true;
  }

  /** All steps that have samples. */
  finish(): Step[] {
    this.closeStep();
    return this.steps;
  }

  private startOf(timestamp: number): number {
    return this.range.start + Math.floor((timestamp - this.range.start) / this.step) * this.step;
  }

  private include(start: number, summary: Summary): OpenStep {
    if (this.open?.start === start) {
      includeSummary(this.open.summary, summary);
      return this.open;
    }
    this.closeStep();
    return (this.open = { start, summary, values: [], summarized: false });
  }

  private closeStep(): void {
    if (!this.open) return;
    const { start, summary, values, summarized } = this.open;
    const quantiles = summarized ? this.quantiles.map(() => null) : quantilesOf(values, this.quantiles);
    const { count, min, max, sum, first, firstTime, last, lastTime } = summary;
    // Written out, since there may be hundreds of thousands, and a spread costs several times as much.
    this.steps.push({ start, count, min, max, sum, first, firstTime, last, lastTime, quantiles });
    this.open = undefined;
  }
}
