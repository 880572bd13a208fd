import { emptySummary, type Summary } from '@device-metrics/domain';
import type { SummaryPart } from '../store.js';

/** Numbers of a series: those of a summary, in the order of `of`. */
const NUMBERS = 8;

/** Summaries of series, each in the place that its series has among those that were asked for, without an object for each. */
export class SummaryRows implements SummaryPart {
  from = 0;
  to = 0;
  private numbers = new Float64Array(0);
  private readonly summary = emptySummary();

  /** Begins anew, without samples, for the series from one place to before another. */
  begin(from: number, to: number): void {
    this.from = from;
    this.to = to;
    const length = (to - from) * NUMBERS;
    if (this.numbers.length < length) this.numbers = new Float64Array(length);
    else for (let at = 0; at < length; at += NUMBERS) this.numbers[at] = 0;
  }

  /** As `includeSummary`, for the series in a place. */
  include(place: number, { count, min, max, sum, first, firstTime, last, lastTime }: Readonly<Summary>): void {
    const { numbers } = this;
    const at = (place - this.from) * NUMBERS;
    const isFirst = numbers[at] === 0;
    numbers[at] += count;
    if (isFirst || min < numbers[at + 1]) numbers[at + 1] = min;
    if (isFirst || max > numbers[at + 2]) numbers[at + 2] = max;
    numbers[at + 3] = isFirst ? sum : numbers[at + 3] + sum;
    if (isFirst || firstTime < numbers[at + 5]) {
      numbers[at + 4] = first;
      numbers[at + 5] = firstTime;
    }
    if (isFirst || lastTime >= numbers[at + 7]) {
      numbers[at + 6] = last;
      numbers[at + 7] = lastTime;
    }
  }

  countOf(place: number): number {
    return this.numbers[(place - this.from) * NUMBERS];
  }

  of(place: number): Readonly<Summary> | undefined {
    const { numbers, summary } = this;
    const at = (place - this.from) * NUMBERS;
    if (numbers[at] === 0) return undefined;
    summary.count = numbers[at];
    summary.min = numbers[at + 1];
    summary.max = numbers[at + 2];
    summary.sum = numbers[at + 3];
    summary.first = numbers[at + 4];
    summary.firstTime = numbers[at + 5];
    summary.last = numbers[at + 6];
    summary.lastTime = numbers[at + 7];
    return summary;
  }
}
