import { BYTES, FIXED64, type ProtoReader, tag, VARINT } from '../protobuf/reader.js';
import { addExplicit, addExponential, type Buckets, type HistogramPoint } from './histogram.js';
import type { SummaryPoint } from './metric-points.js';
import type { PointFields } from './point-fields.js';

/** A histogram of more buckets is refused. */
const MOST_BUCKETS = 1_000;

/** Of `HistogramDataPoint`. */
export const HISTOGRAM_ATTRIBUTES = tag(9, BYTES);
const COUNT = tag(4, FIXED64);
const SUM = tag(5, FIXED64);
const BUCKET_COUNTS = tag(6, BYTES);
const BUCKET_COUNT = tag(6, FIXED64);
const BOUNDS = tag(7, BYTES);
const BOUND = tag(7, FIXED64);
const HISTOGRAM_EXEMPLARS = tag(8, BYTES);
const HISTOGRAM_FLAGS = tag(10, VARINT);
/** Of `ExponentialHistogramDataPoint`. */
export const EXPONENTIAL_ATTRIBUTES = tag(1, BYTES);
const SCALE = tag(6, VARINT);
const ZERO_COUNT = tag(7, FIXED64);
const POSITIVE = tag(8, BYTES);
const NEGATIVE = tag(9, BYTES);
const EXPONENTIAL_FLAGS = tag(10, VARINT);
const EXPONENTIAL_EXEMPLARS = tag(11, BYTES);
const ZERO_THRESHOLD = tag(14, FIXED64);
/** Of `Buckets`. */
const OFFSET = tag(1, VARINT);
const COUNTS = tag(2, BYTES);
const ONE_COUNT = tag(2, VARINT);
/** Of `SummaryDataPoint`. */
export const SUMMARY_ATTRIBUTES = tag(7, BYTES);
const SUMMARY_FLAGS = tag(8, VARINT);
const QUANTILE_VALUES = tag(6, BYTES);
const QUANTILE = tag(1, FIXED64);
const QUANTILE_VALUE = tag(2, FIXED64);

const emptyHistogram = (): HistogramPoint => ({ count: 0, sum: undefined, bounds: [], atMost: [] });

/** Reads `HistogramDataPoint` of the metric of that name, or says why it is refused; the reader ends with the point. */
export function readHistogram(
  reader: ProtoReader,
  fields: PointFields,
  name: string,
  onExemplar: () => void,
): HistogramPoint | string {
  const point = emptyHistogram();
  const bounds: number[] = [];
  const counts: number[] = [];
  for (let at = reader.at, field = reader.next(); field !== 0; at = reader.at, field = reader.next()) {
    if (fields.read(reader, field, at, HISTOGRAM_ATTRIBUTES)) continue;
    if (field === COUNT) point.count = reader.fixed64();
    else if (field === SUM) point.sum = reader.double();
    else if (field === HISTOGRAM_FLAGS) fields.flags = reader.uint32();
    else if (field === BUCKET_COUNT) take(counts, reader.fixed64());
    else if (field === BOUND) take(bounds, reader.double());
    else if (field === BUCKET_COUNTS)
      for (const last = reader.length(); reader.at < last;) take(counts, reader.fixed64());
    else if (field === BOUNDS) for (const last = reader.length(); reader.at < last;) take(bounds, reader.double());
    else {
      if (field === HISTOGRAM_EXEMPLARS) onExemplar();
      reader.skip(field);
    }
  }
  return faultOf(name, counts.length, addExplicit(point, bounds, counts)) ?? point;
}

/** The same of `ExponentialHistogramDataPoint`. */
export function readExponential(
  reader: ProtoReader,
  fields: PointFields,
  name: string,
  onExemplar: () => void,
): HistogramPoint | string {
  const point = emptyHistogram();
  const positive: Buckets = { offset: 0, counts: [] };
  const negative: Buckets = { offset: 0, counts: [] };
  let [scale, zeroCount, zeroThreshold] = [0, 0, 0];
  for (let at = reader.at, field = reader.next(); field !== 0; at = reader.at, field = reader.next()) {
    if (fields.read(reader, field, at, EXPONENTIAL_ATTRIBUTES)) continue;
    if (field === COUNT) point.count = reader.fixed64();
    else if (field === SUM) point.sum = reader.double();
    else if (field === EXPONENTIAL_FLAGS) fields.flags = reader.uint32();
    else if (field === SCALE) scale = reader.sint32();
    else if (field === ZERO_COUNT) zeroCount = reader.fixed64();
    else if (field === POSITIVE) readBuckets(reader, positive);
    else if (field === NEGATIVE) readBuckets(reader, negative);
    else if (field === ZERO_THRESHOLD) zeroThreshold = reader.double();
    else {
      if (field === EXPONENTIAL_EXEMPLARS) onExemplar();
      reader.skip(field);
    }
  }
  const wrong = addExponential(point, { scale, zeroCount, zeroThreshold, positive, negative });
  return faultOf(name, Math.max(positive.counts.length, negative.counts.length), wrong) ?? point;
}

function faultOf(name: string, buckets: number, wrong: string | undefined): string | undefined {
  if (buckets > MOST_BUCKETS) return `a histogram may have at most ${MOST_BUCKETS} buckets, and ${name} has more`;
  return wrong === undefined ? undefined : `${name}: ${wrong}`;
}

function readBuckets(reader: ProtoReader, buckets: Buckets): void {
  reader.within(() => {
    for (let field = reader.next(); field !== 0; field = reader.next()) {
      if (field === OFFSET) buckets.offset = reader.sint32();
      else if (field === ONE_COUNT) take(buckets.counts, reader.int64());
      else if (field === COUNTS)
        for (const last = reader.length(); reader.at < last;) take(buckets.counts, reader.int64());
      else reader.skip(field);
    }
  });
}

/** The same of `SummaryDataPoint`. */
export function readSummary(reader: ProtoReader, fields: PointFields): SummaryPoint | string {
  const point: SummaryPoint = { count: 0, sum: 0, quantiles: [], values: [] };
  for (let at = reader.at, field = reader.next(); field !== 0; at = reader.at, field = reader.next()) {
    if (fields.read(reader, field, at, SUMMARY_ATTRIBUTES)) continue;
    if (field === COUNT) point.count = reader.fixed64();
    else if (field === SUM) point.sum = reader.double();
    else if (field === SUMMARY_FLAGS) fields.flags = reader.uint32();
    else if (field === QUANTILE_VALUES) readQuantile(reader, point);
    else reader.skip(field);
  }
  return point.quantiles.length > MOST_BUCKETS ? `a summary may have at most ${MOST_BUCKETS} quantiles` : point;
}

function readQuantile(reader: ProtoReader, point: SummaryPoint): void {
  let [quantile, value] = [0, 0];
  reader.within(() => {
    for (let field = reader.next(); field !== 0; field = reader.next()) {
      if (field === QUANTILE) quantile = reader.double();
      else if (field === QUANTILE_VALUE) value = reader.double();
      else reader.skip(field);
    }
  });
  take(point.quantiles, quantile);
  take(point.values, value);
}

/** Keeps one number more than may come, so that it shows. */
function take(numbers: number[], number: number): void {
  if (numbers.length <= MOST_BUCKETS) numbers.push(number);
}
