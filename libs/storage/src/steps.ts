import { quantilesOf, type Summary, type TimeRange } from '@device-metrics/domain';
import { includeSummary, lowerBound, summarizeColumn, type Column } from './column.js';
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
      const to = times[times.length - 1] < end ? times.length : lowerBound(times, end);
      const part = { times: times.subarray(from, to), values: values.subarray(from, to) };
      this.include(start, summarizeColumn(part, hourStart), part.values);
      from = to;
    }
  }

  /** Adds an hour of which only the summary is there, to the step of its start. */
  addSummary(hourStart: number, summary: Readonly<Summary>): void {
    this.include(this.startOf(hourStart), { ...summary }, undefined);
  }

  /** All steps that have samples. */
  finish(): Step[] {
    this.closeStep();
    return this.steps;
  }

  private startOf(timestamp: number): number {
    return this.range.start + Math.floor((timestamp - this.range.start) / this.step) * this.step;
  }

  private include(start: number, summary: Summary, values: Float64Array | undefined): void {
    if (this.open?.start !== start) {
      this.closeStep();
      this.open = { start, summary, values: [], summarized: false };
    } else {
      includeSummary(this.open.summary, summary);
    }
    if (!values) this.open.summarized = true;
    else if (this.quantiles.length > 0) this.open.values.push(values.slice());
  }

  private closeStep(): void {
    if (!this.open) return;
    const { start, summary, values, summarized } = this.open;
    const quantiles = summarized ? this.quantiles.map(() => null) : quantilesOf(values, this.quantiles);
    this.steps.push({ start, ...summary, quantiles });
    this.open = undefined;
  }
}
