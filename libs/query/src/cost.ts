import type { TimeRange } from '@device-metrics/domain';
import { QueryRefusal } from './refusal.js';

/** How many samples an answer may take. */
export interface QueryLimit {
  readonly maxQuerySamples: number;
}

/** For those who have counted already. */
export const NO_LIMIT: QueryLimit = { maxQuerySamples: Infinity };

/**
 * @param field the parameter that the refusal names.
 * @param advice what would fit.
 * @throws QueryRefusal when there are more samples than one answer may take.
 */
export function refuseBeyond(limit: QueryLimit, count: number, field: string, advice: string, range: TimeRange): void {
  if (count <= limit.maxQuerySamples) return;
  const fitting = ((range.end - range.start) * limit.maxQuerySamples) / count;
  const reason =
    `must keep this answer within ${limit.maxQuerySamples} samples (QUERY_MAX_SAMPLES), but it would read ${count}: ` +
    `${advice}, or ask for about ${duration(fitting)} at a time`;
  throw new QueryRefusal(field, reason);
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
