export { BodyKeys, ByteMap, isAt, KeptBytes, PartedMap } from './byte-map.js';
export { DecimalReader, EXACT_DIGITS } from './decimal.js';
export {
  parseLineProtocol,
  PRECISIONS,
  type Field,
  type Precision,
  type SaidPrecision,
} from './influx/line-protocol.js';
export type { FieldMeaning, LineMeaning, MakeLineGroup } from './influx/known-lines.js';
export { LineScanner, TooManyFieldsError, type ScannedLines, type WrongLine } from './influx/scan-lines.js';
export { EVERYTHING, exporterReadings, type Taken } from './prometheus/exporter-readings.js';
export { LineError, type ParseOptions } from './lines.js';
export { distinctNames, type DistinctName } from './names.js';
export type { ExposedSample } from './prometheus/exposition.js';
export { exposedUnit } from './prometheus/exposed-unit.js';
export { parseOpenMetrics } from './prometheus/parse-openmetrics.js';
export { parseText } from './prometheus/parse-text.js';
export { parseSampleSelector, type SampleSelector } from './prometheus/sample-selector.js';
export { ProtobufError } from './protobuf/reader.js';
export { ProtoWriter } from './protobuf/writer.js';
export { writeRequestPieces } from './remote-write/decode-v1.js';
export { writeRequestV2Pieces } from './remote-write/decode-v2.js';
export { endOfFirstLabel, readLabels } from './remote-write/read-labels.js';
export type { MetricMetadata, MetricType, WriteReader, WriteRequest } from './remote-write/write-request.js';
export { SnappyError, unsnap } from './snappy.js';
export { spareOf, type SpareColumns } from './spare-columns.js';
export { MetricsDecoder } from './otlp/decode-metrics.js';
export type { HistogramPoint } from './otlp/histogram.js';
export type { OtlpMetric, PointSink, SummaryPoint } from './otlp/metric-points.js';
export { metricsFromJson, OtlpJsonError } from './otlp/metrics-json.js';
