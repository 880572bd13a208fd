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

/** The summary of a single sample. */
export function summaryOf(timestamp: number, value: number): Summary {
  return {
    count: 1,
    min: value,
    max: value,
    sum: value,
    first: value,
    firstTime: timestamp,
    last: value,
    lastTime: timestamp,
  };
}

/** Takes one more sample into `summary`, in any order of time; of equal times the one that came later is `last`. */
export function addValue(summary: Summary, timestamp: number, value: number): void {
  summary.count += 1;
  if (value < summary.min) summary.min = value;
  if (value > summary.max) summary.max = value;
  summary.sum += value;
  if (timestamp < summary.firstTime) {
    summary.first = value;
    summary.firstTime = timestamp;
  }
  if (timestamp >= summary.lastTime) {
    summary.last = value;
    summary.lastTime = timestamp;
  }
}

/** The summary of both spans together; of equal times `a` keeps `first` and `b` gives `last`. */
export function mergeSummaries(a: Summary, b: Summary): Summary {
  const aIsFirst = a.firstTime <= b.firstTime;
  const bIsLast = b.lastTime >= a.lastTime;
  return {
    count: a.count + b.count,
    min: Math.min(a.min, b.min),
    max: Math.max(a.max, b.max),
    sum: a.sum + b.sum,
    first: aIsFirst ? a.first : b.first,
    firstTime: aIsFirst ? a.firstTime : b.firstTime,
    last: bIsLast ? b.last : a.last,
    lastTime: bIsLast ? b.lastTime : a.lastTime,
  };
}
