import type { TimeRange } from '@device-metrics/domain';

/** Points of the past at which a rule is looked at: `start + step`, `start + 2 × step`, … up to `end`. */
export interface LookPoints {
  readonly start: number;
  readonly step: number;
  readonly count: number;
}

export const pointsIn = ({ start, end }: TimeRange, step: number): LookPoints => ({
  start,
  step,
  count: Math.max(0, Math.floor((end - start) / step)),
});
