export type { Labels, Reading, Sample } from './sample.js';
export { labelsKey, type Series } from './series.js';
export { metricCatalogue, metricDefinition, type MetricDefinition, type MetricKind } from './metric-catalogue.js';
export { parseBytes, parseDuration, showDuration } from './quantities.js';
export { MAX_HOURS, parseHours, type TimeRange } from './time-range.js';
export { autoStep, isTimeZone, MAX_STEPS, stepBounds, stepOf, TooManyStepsError, type Step } from './time-steps.js';
export { quantilesOf, quantilesOfSorted } from './quantiles.js';
export { aggregateSteps, parseAggregation, type Aggregation, type Samples } from './step-aggregation.js';
export {
  hasAll,
  like,
  matchesAny,
  selectsDevice,
  selectsSeries,
  type DeviceSelector,
  type PairPattern,
  type Pattern,
  type Selector,
  type SeriesSelector,
} from './selector.js';
export { addValue, mergeSummaries, summaryOf, type Summary } from './summary.js';
