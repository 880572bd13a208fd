export {
  BatchShapeError,
  BatchTooLongError,
  MAX_ITEMS,
  decodeBatch,
  decodeCandidates,
  formOf,
  rejectedItems,
  type BatchCandidates,
  type DecodedBatch,
  type RejectedItem,
} from './batch-decoder.js';
export { BatchResultDto, RejectedItemDto } from './batch.dto.js';
export { DeviceReadingDto, MetricDto, RunDto } from './metric.dto.js';
export { Obeys, Optional } from './obeys.js';
export { FieldErrorDto, ProblemDto } from './problem.dto.js';
export {
  deviceName as deviceNameRule,
  metricName as metricNameRule,
  labels as labelsRule,
  unit as unitRule,
  parseTime,
  quote,
  toRfc3339,
  EARLIEST_TIMESTAMP,
  MAX_AHEAD,
  UNPRINTABLE,
  type Rule,
} from './rules.js';
