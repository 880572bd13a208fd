export type { Labels, Reading, Sample } from './sample.js';
export { labelsKey, type Series } from './series.js';
export { metricCatalogue, metricDefinition, type MetricDefinition, type MetricKind } from './metric-catalogue.js';
export type { TimeRange } from './time-range.js';
export { addValue, mergeSummaries, summaryOf, type Summary } from './summary.js';
