export type { Labels, Reading, Sample } from './sample.js';
export { countOfCandidates, passColumns, passColumnsInSlices, type ColumnCandidates } from './column-gate.js';
export { NamedSeries, SeriesGroup, type SeriesFault, type SeriesNames } from './named-series.js';
export {
  ColumnsOfGroups,
  countOf,
  eachSample,
  inColumns,
  isColumns,
  partOf,
  type SampleBatch,
  type SampleColumns,
} from './sample-columns.js';
export {
  NO_LABELS,
  passSamples,
  passSamplesInSlices,
  type Candidate,
  type Candidates,
  type Receipt,
  type Refusal,
} from './sample-gate.js';
export {
  deviceNameRule,
  EARLIEST_TIMESTAMP,
  labelsRule,
  MAX_AHEAD,
  MAX_DEVICE_NAME,
  MAX_METRIC_NAME,
  MAX_UNIT,
  metricNameRule,
  quote,
  otherUnit,
  timeRule,
  toRfc3339,
  unitRule,
  UNPRINTABLE,
  visible,
  visibleRule,
  valueRule,
  wrong,
  type Rule,
} from './sample-rules.js';
export { labelsKey, type Series } from './series.js';
export {
  labelMeaning,
  metricCatalogue,
  fromCatalogueUnit,
  metricDefinition,
  metricKind,
  oneNumber,
  stateLabel,
  stateLabels,
} from './metrics/catalogue.js';
export type { LabelDefinition, LabelMeaning, MetricDefinition, MetricKind, OneNumber } from './metrics/definition.js';
export { labelCatalogue } from './metrics/labels.js';
export { didYouMean, misspeltFor } from './did-you-mean.js';
export { DAY, HOUR, MINUTE, SECOND } from './durations.js';
export { reasonOf } from './reason.js';
export { parseBytes, parseDecimal, parseDuration, showDuration } from './quantities.js';
export { MAX_HOURS, parseHours, type TimeRange } from './time-range.js';
export {
  autoStep,
  MAX_STEPS,
  nominalLength,
  parseStep,
  stepBounds,
  stepOf,
  TooManyStepsError,
  type Step,
  type StepLength,
} from './time-steps.js';
export { isTimeZone, isUtc, ZoneClock } from './zone-clock.js';
export { addSorted, interpolated, quantileOfSorted, quantilesOf, quantilesOfSorted } from './quantiles.js';
export { aggregateSteps, grownBy, parseAggregation, type Aggregation, type Samples } from './step-aggregation.js';
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
export { toMetricName } from './metric-name.js';
export {
  conversionBetween,
  convert,
  type Conversion,
  convertibleUnits,
  inBaseUnit,
  scaled,
  toBaseUnit,
  unitByPattern,
  type UnitPatterns,
} from './units.js';
export { copyOfSummary, emptySummary, includeSummary, type Summary } from './summary.js';
export { lowerBound } from './lower-bound.js';
export { finishInSlices, inSlices, orderInSlices, Slices } from './slices.js';
export { codeOfBytes, codeOfFingerprint, formatJoinCode, parseJoinCode, type JoinCode } from './join-code.js';
export { saidKind, sayKind } from './metrics/said-kinds.js';
export { isNewer } from './version-order.js';
export { packageStatement, type PackageFacts } from './package-statement.js';
