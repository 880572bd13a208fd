import { isColumns, type SampleBatch } from '@device-metrics/domain';
import { TooManySeriesError, type RefusedGroup, type SampleStore } from '@device-metrics/storage';

/** What of groups of samples is on disk, and which are not for a series too many. */
export interface WhatFits {
  readonly samples: SampleBatch;
  /** By the numbers that the groups had. */
  readonly refused: readonly RefusedGroup[];
}

/**
 * Stores samples but for the groups that have a series too many.
 *
 * @param ends where each group ends in the samples.
 * @throws TooManySeriesError where another process of the database has just made the last series that there may be.
 */
export async function appendWhatFits(store: SampleStore, all: SampleBatch, ends: readonly number[]): Promise<WhatFits> {
  const refused = new Map<number, RefusedGroup>();
  let groups = ends.map((_, group) => group);
  for (let samples = all; ;) {
    try {
      await store.append(samples);
      return { samples, refused: [...refused.values()].sort((a, b) => a.group - b.group) };
    } catch (error) {
      if (!(error instanceof TooManySeriesError)) throw error;
      const found = await store.refusedGroups(samples, endsOf(groups, ends));
      if (found.length === 0) throw error;
      for (const one of found) refused.set(groups[one.group] as number, { ...one, group: groups[one.group] as number });
      groups = groups.filter((group) => !refused.has(group));
      samples = pick(all, positionsOf(groups, ends));
    }
  }
}

function endsOf(groups: readonly number[], ends: readonly number[]): number[] {
  let end = 0;
  return groups.map((group) => (end += (ends[group] as number) - (ends[group - 1] ?? 0)));
}

function positionsOf(groups: readonly number[], ends: readonly number[]): number[] {
  const positions: number[] = [];
  for (const group of groups) {
    for (let at = ends[group - 1] ?? 0; at < (ends[group] as number); at += 1) positions.push(at);
  }
  return positions;
}

function pick(samples: SampleBatch, positions: readonly number[]): SampleBatch {
  const one = <T>(column: ArrayLike<T>) => positions.map((at) => column[at] as T);
  if (!isColumns(samples)) return one(samples);
  const { series, timestamps, values } = samples;
  return {
    series: one(series),
    timestamps: Float64Array.from(one(timestamps)),
    values: Float64Array.from(one(values)),
  };
}
