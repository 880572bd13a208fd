import {
  autoStep,
  MAX_STEPS,
  parseAggregation,
  nominalLength,
  parseStep,
  stepBounds,
  stepOf,
  TooManyStepsError,
  type Aggregation,
  type StepLength,
  type TimeRange,
} from '@device-metrics/domain';
import { QueryRefusal } from './refusal.js';

/** The parameters of a query that say how samples are aggregated. */
export interface StepParameters {
  readonly step: string;
  readonly aggregation?: string[];
  readonly fill?: 'none' | 'null' | 'previous';
  readonly timezone?: string;
}

/** How a range is divided, and what becomes of the samples of a step. */
export interface Steps {
  /** Milliseconds; of months and years about. */
  readonly length: number;
  readonly bounds: readonly number[];
  /** Of the aggregations, as the query has them. */
  readonly names: readonly string[];
  readonly aggregations: readonly Aggregation[];
  readonly fill: 'none' | 'null' | 'previous';
}

/** How many points a step of `auto` gives, about. */
const POINTS = 500;

/** @throws QueryRefusal when there would be more steps than anybody could look at, or the time zone has no such steps. */
export function divide(query: StepParameters, range: TimeRange): Steps {
  const length: StepLength =
    query.step === 'auto'
      ? { unit: 'millisecond', count: autoStep(range, POINTS) }
      : (parseStep(query.step) as StepLength);
  const names = query.aggregation ?? ['mean'];
  return {
    length: nominalLength(length),
    bounds: boundsOf(range, length, query),
    names,
    aggregations: names.map((name) => parseAggregation(name) as Aggregation),
    fill: query.fill ?? 'none',
  };
}

/** The range in whole steps. */
export const rangeOf = ({ bounds }: Steps): TimeRange => ({
  start: bounds[0] as number,
  end: bounds.at(-1) as number,
});

function boundsOf(range: TimeRange, length: StepLength, { step, timezone = 'UTC' }: StepParameters): number[] {
  const unit = stepOf(length, timezone);
  if (!unit) {
    const reason = `must be whole days, or fit into a day a whole number of times, in a time zone such as ${timezone}, got "${step}"`;
    throw new QueryRefusal('step', reason);
  }
  try {
    return stepBounds(range, unit);
  } catch (error) {
    if (!(error instanceof TooManyStepsError)) throw error;
    const fitting = autoStep(range, MAX_STEPS / 2) / 1000;
    const reason = `must divide the range into at most ${MAX_STEPS} steps, as ${fitting}s would, got "${step}"`;
    throw new QueryRefusal('step', reason);
  }
}
