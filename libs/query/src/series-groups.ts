import type { Series } from '@device-metrics/domain';

/** Samples that are in memory at a time, about. */
export const AT_ONCE = 1_000_000;

/** A series, and how many samples of it there are to read. */
export interface SeriesCount {
  readonly series: Series;
  readonly count: number;
}

export interface SeriesRun {
  readonly series: Series[];
  /** Samples, of all its series. */
  count: number;
}

/**
 * Series that follow each other and have at most `most` samples together, or one that has more. Series that are read
 * together cost their device's chunks once.
 */
export function inGroups(counts: readonly SeriesCount[], most: number): SeriesRun[] {
  const groups: SeriesRun[] = [];
  for (const { series, count } of counts) {
    const last = groups.at(-1);
    if (last && last.count + count <= most) {
      last.series.push(series);
      last.count += count;
    } else {
      groups.push({ series: [series], count });
    }
  }
  return groups;
}
