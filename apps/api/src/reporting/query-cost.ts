import type { Series, TimeRange } from '@device-metrics/domain';
import type { SampleStore } from '@device-metrics/storage';
import type { ApiSettings } from '../settings.js';
import { invalidInput } from '../http/problem.js';

/** How many samples an answer may take. */
export type QueryLimit = Pick<ApiSettings, 'maxQuerySamples'>;

/** For those who have counted already. */
export const NO_LIMIT: QueryLimit = { maxQuerySamples: Infinity };

/** Samples of the series in the range that are kept as such, not as hourly values only. */
export async function countSamples(store: SampleStore, series: readonly Series[], range: TimeRange): Promise<number> {
  let count = 0;
  for (const some of byDevice(series)) {
    const start = (await store.hourlyUntil(some[0]?.deviceName ?? '', range)) ?? range.start;
    for (const { summary } of await store.summarize(some, { start, end: range.end })) count += summary.count;
  }
  return count;
}

/**
 * @param field the parameter that the problem names.
 * @param advice what would fit.
 * @throws Problem when there are more samples than one answer may take.
 */
export function refuseBeyond(limit: QueryLimit, count: number, field: string, advice: string, range: TimeRange): void {
  if (count <= limit.maxQuerySamples) return;
  const fitting = ((range.end - range.start) * limit.maxQuerySamples) / count;
  const reason =
    `must keep this answer within ${limit.maxQuerySamples} samples (QUERY_MAX_SAMPLES), but it would read ${count}: ` +
    `${advice}, or ask for about ${duration(fitting)} at a time`;
  throw invalidInput([{ field, reason }]);
}

/** Rounded down to something that reads well. */
function duration(milliseconds: number): string {
  const units = [
    ['d', 86_400_000],
    ['h', 3_600_000],
    ['m', 60_000],
    ['s', 1_000],
  ] as const;
  const [unit, length] = units.find(([, length]) => milliseconds >= 2 * length) ?? ['s', 1_000];
  return `${Math.max(1, Math.floor(milliseconds / length))}${unit}`;
}

/** Series that follow each other and are of one device. */
function byDevice(series: readonly Series[]): Series[][] {
  const groups: Series[][] = [];
  for (const one of series) {
    const last = groups.at(-1);
    if (last?.[0]?.deviceName === one.deviceName) last.push(one);
    else groups.push([one]);
  }
  return groups;
}
