export { ByteMap, isAt } from './byte-map.js';
export { parseLineProtocol, PRECISIONS, type Field, type Precision } from './influx/line-protocol.js';
export {
  LineScanner,
  TooManyFieldsError,
  type FieldMeaning,
  type LineMeaning,
  type ScannedLines,
  type WrongLine,
} from './influx/scan-lines.js';
export { EVERYTHING, exporterReadings, type Taken } from './prometheus/exporter-readings.js';
export { LineError, type ParseOptions } from './lines.js';
export { distinctNames, type DistinctName } from './names.js';
export type { ExposedSample } from './prometheus/exposition.js';
export { exposedUnit } from './prometheus/exposed-unit.js';
export { parseOpenMetrics } from './prometheus/parse-openmetrics.js';
export { parseText } from './prometheus/parse-text.js';
export { parseSampleSelector, type SampleSelector } from './prometheus/sample-selector.js';
