import { quote } from '@device-metrics/domain';
import { ProtoWriter } from '../protobuf/writer.js';

/** What is wrong with JSON that is no message of OTLP, and where. */
export class OtlpJsonError extends Error {
  override readonly name = 'OtlpJsonError';
}

type Scalar =
  | 'string'
  | 'bool'
  | 'enum'
  | 'int64'
  | 'uint32'
  | 'uint64'
  | 'sint'
  | 'fixed64'
  | 'nanos'
  | 'sfixed64'
  | 'double'
  | 'bytes';
type MessageName = keyof typeof MESSAGES;
interface Field {
  readonly number: number;
  readonly type: Scalar | (string & {});
  readonly repeated?: true;
}

const field = (number: number, type: string): Field => ({ number, type });
const list = (number: number, type: string): Field => ({ number, type, repeated: true });

/** The messages of `ExportMetricsServiceRequest` with the names that JSON has for their fields. */
const MESSAGES = {
  ExportMetricsServiceRequest: { resourceMetrics: list(1, 'ResourceMetrics') },
  ResourceMetrics: {
    resource: field(1, 'Resource'),
    scopeMetrics: list(2, 'ScopeMetrics'),
    // As senders called it before OTLP 0.15.
    instrumentationLibraryMetrics: list(2, 'ScopeMetrics'),
  },
  Resource: { attributes: list(1, 'KeyValue') },
  ScopeMetrics: { metrics: list(2, 'Metric') },
  Metric: {
    name: field(1, 'string'),
    description: field(2, 'string'),
    unit: field(3, 'string'),
    gauge: field(5, 'Gauge'),
    sum: field(7, 'Sum'),
    histogram: field(9, 'Histogram'),
    exponentialHistogram: field(10, 'ExponentialHistogram'),
    summary: field(11, 'Summary'),
  },
  Gauge: { dataPoints: list(1, 'NumberDataPoint') },
  Sum: {
    dataPoints: list(1, 'NumberDataPoint'),
    aggregationTemporality: field(2, 'enum'),
    isMonotonic: field(3, 'bool'),
  },
  Histogram: { dataPoints: list(1, 'HistogramDataPoint'), aggregationTemporality: field(2, 'enum') },
  ExponentialHistogram: {
    dataPoints: list(1, 'ExponentialHistogramDataPoint'),
    aggregationTemporality: field(2, 'enum'),
  },
  Summary: { dataPoints: list(1, 'SummaryDataPoint') },
  NumberDataPoint: {
    labels: list(1, 'OlderLabel'),
    startTimeUnixNano: field(2, 'nanos'),
    timeUnixNano: field(3, 'nanos'),
    asDouble: field(4, 'double'),
    exemplars: list(5, 'Exemplar'),
    asInt: field(6, 'sfixed64'),
    attributes: list(7, 'KeyValue'),
    flags: field(8, 'uint32'),
  },
  HistogramDataPoint: {
    labels: list(1, 'OlderLabel'),
    startTimeUnixNano: field(2, 'nanos'),
    timeUnixNano: field(3, 'nanos'),
    count: field(4, 'fixed64'),
    sum: field(5, 'double'),
    bucketCounts: list(6, 'fixed64'),
    explicitBounds: list(7, 'double'),
    exemplars: list(8, 'Exemplar'),
    attributes: list(9, 'KeyValue'),
    flags: field(10, 'uint32'),
  },
  ExponentialHistogramDataPoint: {
    attributes: list(1, 'KeyValue'),
    startTimeUnixNano: field(2, 'nanos'),
    timeUnixNano: field(3, 'nanos'),
    count: field(4, 'fixed64'),
    sum: field(5, 'double'),
    scale: field(6, 'sint'),
    zeroCount: field(7, 'fixed64'),
    positive: field(8, 'Buckets'),
    negative: field(9, 'Buckets'),
    flags: field(10, 'uint32'),
    exemplars: list(11, 'Exemplar'),
    zeroThreshold: field(14, 'double'),
  },
  Buckets: { offset: field(1, 'sint'), bucketCounts: list(2, 'uint64') },
  SummaryDataPoint: {
    labels: list(1, 'OlderLabel'),
    startTimeUnixNano: field(2, 'nanos'),
    timeUnixNano: field(3, 'nanos'),
    count: field(4, 'fixed64'),
    sum: field(5, 'double'),
    quantileValues: list(6, 'ValueAtQuantile'),
    attributes: list(7, 'KeyValue'),
    flags: field(8, 'uint32'),
  },
  ValueAtQuantile: { quantile: field(1, 'double'), value: field(2, 'double') },
  Exemplar: {},
  // That there are some is all that counts.
  OlderLabel: {},
  KeyValue: { key: field(1, 'string'), value: field(2, 'AnyValue') },
  AnyValue: {
    stringValue: field(1, 'string'),
    boolValue: field(2, 'bool'),
    intValue: field(3, 'int64'),
    doubleValue: field(4, 'double'),
    arrayValue: field(5, 'ArrayValue'),
    kvlistValue: field(6, 'KeyValueList'),
    bytesValue: field(7, 'bytes'),
  },
  ArrayValue: { values: list(1, 'AnyValue') },
  KeyValueList: { values: list(1, 'KeyValue') },
} as const satisfies Record<string, Record<string, Field>>;

/** Names that ProtoJSON has for the numbers of enums, of which metrics have one; OTLP has numbers only, and not all senders do. */
const ENUM_NAMES: ReadonlyMap<unknown, number> = new Map([
  ['AGGREGATION_TEMPORALITY_UNSPECIFIED', 0],
  ['AGGREGATION_TEMPORALITY_DELTA', 1],
  ['AGGREGATION_TEMPORALITY_CUMULATIVE', 2],
]);

/** Integers of each type, from the least to the greatest. */
const RANGES = {
  enum: [-(2n ** 31n), 2n ** 31n - 1n],
  uint32: [0n, 2n ** 32n - 1n],
  sint: [-(2n ** 31n), 2n ** 31n - 1n],
  int64: [-(2n ** 63n), 2n ** 63n - 1n],
  uint64: [0n, 2n ** 64n - 1n],
  fixed64: [0n, 2n ** 64n - 1n],
  nanos: [0n, 2n ** 64n - 1n],
  sfixed64: [-(2n ** 63n), 2n ** 63n - 1n],
} as const satisfies Record<string, readonly [bigint, bigint]>;
type IntegerType = keyof typeof RANGES;

/** Takes what could not be read of a request, and how many points it has. */
export type RefusePoints = (reason: string, points: number) => void;

/**
 * The request of OTLP/HTTP in JSON as the message of Protocol Buffers that it stands for, so that both are read in one way.
 * Fields that are not known are left out, null is as good as nothing, and a name may have underscores, as ProtoJSON allows.
 *
 * @param json parsed, and of a depth that somebody has checked.
 * @param refuse takes points and metrics with values of a wrong type; they are left out. Without it the first one is an error.
 * @throws OtlpJsonError at the first value of a wrong type anywhere else.
 */
export function metricsFromJson(json: unknown, refuse?: RefusePoints): Uint8Array {
  const writer = new ProtoWriter();
  new JsonWriter(refuse).message(writer, 'ExportMetricsServiceRequest', json, '');
  return writer.finish();
}

const camelCase = (name: string): string => name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());

class JsonWriter {
  constructor(private readonly refuse: RefusePoints | undefined) {}

  message(writer: ProtoWriter, name: MessageName, json: unknown, path: string): void {
    if (typeof json !== 'object' || json === null || Array.isArray(json)) throw wrong(path, 'an object', json);
    const fields: Readonly<Record<string, Field>> = MESSAGES[name];
    for (const [given, value] of Object.entries(json)) {
      const key = Object.hasOwn(fields, given) ? given : camelCase(given);
      const known = Object.hasOwn(fields, key) ? fields[key] : undefined;
      if (!known && name === 'Metric') assertNoPoints(given, value, path);
      if (!known || value === null) continue;
      const at = path === '' ? key : `${path}.${key}`;
      if (!known.repeated) {
        this.field(writer, known, value, at);
        continue;
      }
      if (!Array.isArray(value)) throw wrong(at, 'an array', value);
      value.forEach((item: unknown, index) => {
        if (item !== null) this.item(writer, known, item, `${at}[${index}]`);
      });
    }
  }

  /** A bad point or metric does not cost the others. */
  private item(writer: ProtoWriter, known: Field, item: unknown, path: string): void {
    try {
      this.field(writer, known, item, path);
    } catch (error) {
      const points = pointsOf(known.type, item);
      if (!(error instanceof OtlpJsonError) || !this.refuse || points === 0) throw error;
      this.refuse(error.message, points);
    }
  }

  private field(writer: ProtoWriter, { number, type }: Field, value: unknown, path: string): void {
    switch (type) {
      case 'string':
        if (typeof value !== 'string') throw wrong(path, 'a string', value);
        writer.text(number, value);
        return;
      case 'bool':
        if (typeof value !== 'boolean') throw wrong(path, 'true or false', value);
        writer.varint(number, value ? 1 : 0);
        return;
      case 'enum':
        writer.varint(number, ENUM_NAMES.get(value) ?? integer(value, 'enum', path));
        return;
      case 'uint32':
      case 'int64':
      case 'uint64':
        writer.varint(number, integer(value, type as IntegerType, path));
        return;
      case 'sint':
        writer.sint(number, Number(integer(value, type as IntegerType, path)));
        return;
      case 'fixed64':
      case 'nanos':
      case 'sfixed64':
        writer.fixed64(number, integer(value, type as IntegerType, path));
        return;
      case 'double':
        writer.double(number, double(value, path));
        return;
      case 'bytes':
        if (typeof value !== 'string') throw wrong(path, 'base64', value);
        writer.data(number, Buffer.from(value, 'base64'));
        return;
      default:
        writer.message(number, (inner) => this.message(inner, type as MessageName, value, path));
    }
  }
}

const SCOPE_LISTS = [
  'scopeMetrics',
  'scope_metrics',
  'instrumentationLibraryMetrics',
  'instrumentation_library_metrics',
];

/** Senders from before OTLP 0.9 have points in `intGauge` and others. */
function assertNoPoints(given: string, value: unknown, path: string): void {
  if (Array.isArray((value as { dataPoints?: unknown } | null)?.dataPoints)) {
    throw wrong(path, 'gauge, sum, histogram, exponentialHistogram or summary where it has points', given);
  }
}

/** How many points are lost with an item of a list; 0 where it is none that has points. */
function pointsOf(type: string, item: unknown): number {
  if (type.endsWith('DataPoint')) return 1;
  if (type === 'ResourceMetrics') return pointsOfAll('ScopeMetrics', item, ...SCOPE_LISTS);
  if (type === 'ScopeMetrics') return pointsOfAll('Metric', item, 'metrics');
  if (type !== 'Metric') return 0;
  const lists = Object.values(item ?? {}).map((data: { dataPoints?: unknown } | null) => data?.dataPoints);
  return lists.reduce<number>((most, points) => Math.max(most, Array.isArray(points) ? points.length : 0), 1);
}

function pointsOfAll(type: string, item: unknown, ...keys: readonly string[]): number {
  const lists = keys.map((key) => (item as Readonly<Record<string, unknown>> | null)?.[key]);
  return lists.flat().reduce<number>((sum, one) => sum + (one === undefined ? 0 : pointsOf(type, one)), 0);
}

function integer(value: unknown, type: IntegerType, path: string): bigint {
  const isNumber = typeof value === 'number' && Number.isInteger(value);
  if (!isNumber && !(typeof value === 'string' && /^-?\d{1,20}$/.test(value))) {
    throw wrong(path, 'an integer, or a string with one', value);
  }
  // As a number a time has been rounded to some 256 ns: what was a whole millisecond must not become the one before.
  const isRounded = type === 'nanos' && isNumber && !Number.isSafeInteger(value);
  const found = isRounded ? BigInt(Math.round(value / 1000)) * 1000n : BigInt(value);
  const [least, most] = RANGES[type];
  if (found < least || found > most) throw wrong(path, `an integer from ${least} to ${most}`, value);
  return found;
}

function double(value: unknown, path: string): number {
  if (typeof value === 'number') return value;
  if (value === 'NaN' || value === 'Infinity' || value === '-Infinity') return Number(value);
  if (typeof value === 'string' && value.trim() !== '' && Number.isFinite(Number(value))) return Number(value);
  throw wrong(path, 'a number', value);
}

const wrong = (path: string, allowed: string, value: unknown): OtlpJsonError =>
  new OtlpJsonError(`${path || 'the body'} must be ${allowed}, got ${quote(value)}`);
