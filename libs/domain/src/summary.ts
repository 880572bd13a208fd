/** What is kept of the samples of one span of time. There is no summary of no samples: `count` is at least 1. */
export interface Summary {
  count: number;
  min: number;
  max: number;
  sum: number;
  first: number;
  /** Of `first`, Unix milliseconds. */
  firstTime: number;
  last: number;
  /** Of `last`, Unix milliseconds. */
  lastTime: number;
}

/**
 * One that is still to be filled. All summaries are made here, so that to V8 they are of one shape: what goes through very many of
 * them boxes each of their numbers otherwise.
 */
export const emptySummary = (): Summary => {
  return { count: 0, min: 0, max: 0, sum: 0, first: 0, firstTime: 0, last: 0, lastTime: 0 };
};

export function copyOfSummary({ count, min, max, sum, first, firstTime, last, lastTime }: Readonly<Summary>): Summary {
  return { count, min, max, sum, first, firstTime, last, lastTime };
}

/** Takes another summary into `summary`, in place; of equal times `summary` keeps `first` and `other` gives `last`. */
export function includeSummary(summary: Summary, other: Readonly<Summary>): void {
  summary.count += other.count;
  if (other.min < summary.min) summary.min = other.min;
  if (other.max > summary.max) summary.max = other.max;
  summary.sum += other.sum;
  if (other.firstTime < summary.firstTime) {
    summary.first = other.first;
    summary.firstTime = other.firstTime;
  }
  if (other.lastTime >= summary.lastTime) {
    summary.last = other.last;
    summary.lastTime = other.lastTime;
  }
}
