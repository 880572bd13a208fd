import type { Series } from '@device-metrics/domain';
import type { SeriesSummary } from '@device-metrics/storage';

/** Samples that are in memory at a time, about. */
export const AT_ONCE = 1_000_000;

export interface Group {
  readonly series: Series[];
  /** Samples, of all its series. */
  count: number;
}

/**
 * Series that follow each other and have at most `most` samples together, or one that has more. Series that are read
 * together cost their device's chunks once.
 */
export function inGroups(summaries: readonly SeriesSummary[], most: number): Group[] {
  const groups: Group[] = [];
  for (const { series, summary } of summaries) {
    const last = groups.at(-1);
    if (last && last.count + summary.count <= most) {
      last.series.push(series);
      last.count += summary.count;
    } else {
      groups.push({ series: [series], count: summary.count });
    }
  }
  return groups;
}
