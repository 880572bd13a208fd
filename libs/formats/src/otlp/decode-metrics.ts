import { BodyKeys, ByteMap, isAt, KeptBytes } from '../byte-map.js';
import { BYTES, FIXED64, ProtoReader, ProtobufError, tag, textOf, VARINT } from '../protobuf/reader.js';
import { readAttributes } from './attributes.js';
import { addExplicit, addExponential, type Buckets, type HistogramPoint } from './histogram.js';

export type OtlpType = 'gauge' | 'sum' | 'histogram' | 'exponential' | 'summary';

/** A metric as it was sent, without its points. */
export interface OtlpMetric {
  readonly name: string;
  /** Empty where the sender does not say. */
  readonly unit: string;
  /** Empty where the sender does not say; of the first time that the metric came. */
  readonly description: string;
  readonly type: OtlpType;
  /** Whether points say what has come since the one before, and not since the start. */
  readonly isDelta: boolean;
  /** Whether a sum never falls but at a new start. */
  readonly isMonotonic: boolean;
}

/** A series of OTLP: the points of one metric with the same attributes. */
export type MakeSeries<S extends object> = (
  resource: ReadonlyMap<string, string>,
  metric: OtlpMetric,
  attributes: ReadonlyMap<string, string>,
) => S;

/** Series whose points come together again and again. */
export interface PointGroup<S> {
  readonly series: readonly S[];
}

/** Takes points, in their order. Times are Unix ms. */
export interface PointSink<S extends object, G> {
  /**
   * Takes so many numbers of series that come together again and again, of gauges or cumulative sums. Left out: each is given alone.
   * Times and values are valid until this returns.
   */
  readonly group?: (group: G, times: Float64Array, values: Float64Array, count: number) => void;
  number(series: S, metric: OtlpMetric, time: number, value: number, start: number): void;
  /** @param point is valid until this returns. */
  histogram(series: S, metric: OtlpMetric, time: number, point: HistogramPoint, start: number): void;
  summary(series: S, metric: OtlpMetric, time: number, point: SummaryPoint): void;
  /** A point that says that there is no value now. */
  missing(series: S, metric: OtlpMetric, time: number): void;
  /** A point that cannot be read, and why. */
  refuse(reason: string): void;
  exemplar(): void;
}

export interface SummaryPoint {
  count: number;
  sum: number;
  readonly quantiles: number[];
  readonly values: number[];
}

/** Points and other parts of a body that are read before others may get their turn. */
const PIECE = 256;

/** A point of more bytes is refused: it is read in one piece, and nobody has points of even a tenth of it. */
const MOST_BYTES = 1 << 20;

/** A histogram of more buckets is refused. */
const MOST_BUCKETS = 1_000;

/** What stands before the data of a metric is not kept where it has more bytes. */
const LONGEST_HEAD = 256;

/** Nor are attributes of a point that have more. */
const LONGEST_ATTRIBUTES = 1_024;

/** Metrics of one name that are remembered. */
const MOST_OF_NAME = 16;

const RESOURCE_METRICS = tag(1, BYTES);
/** Of `ResourceMetrics`. */
const RESOURCE = tag(1, BYTES);
const SCOPE_METRICS = tag(2, BYTES);
/** What has the same form, and is from before OTLP 0.15: the field was given another number later. */
const LIBRARY_METRICS = tag(1000, BYTES);
/** Of `Resource`. */
const RESOURCE_ATTRIBUTES = tag(1, BYTES);
/** Of `ScopeMetrics`. */
const METRICS = tag(2, BYTES);
/** Of `Metric`. */
const NAME = tag(1, BYTES);
const DESCRIPTION = tag(2, BYTES);
const UNIT = tag(3, BYTES);
const GAUGE = tag(5, BYTES);
const SUMS = tag(7, BYTES);
const HISTOGRAM = tag(9, BYTES);
const EXPONENTIAL = tag(10, BYTES);
const SUMMARY = tag(11, BYTES);
/** Of the kinds of data. */
const DATA_POINTS = tag(1, BYTES);
const TEMPORALITY = tag(2, VARINT);
const IS_MONOTONIC = tag(3, VARINT);
const DELTA = 1;
const CUMULATIVE = 2;
/** Of every point. */
const START = tag(2, FIXED64);
const TIME = tag(3, FIXED64);
/** Of `NumberDataPoint`. */
const NUMBER_ATTRIBUTES = tag(7, BYTES);
const AS_DOUBLE = tag(4, FIXED64);
const AS_INT = tag(6, FIXED64);
const NUMBER_EXEMPLARS = tag(5, BYTES);
const NUMBER_FLAGS = tag(8, VARINT);
/** Of `HistogramDataPoint`. */
const HISTOGRAM_ATTRIBUTES = tag(9, BYTES);
const COUNT = tag(4, FIXED64);
const SUM = tag(5, FIXED64);
const BUCKET_COUNTS = tag(6, BYTES);
const BUCKET_COUNT = tag(6, FIXED64);
const BOUNDS = tag(7, BYTES);
const BOUND = tag(7, FIXED64);
const HISTOGRAM_EXEMPLARS = tag(8, BYTES);
const HISTOGRAM_FLAGS = tag(10, VARINT);
/** Of `ExponentialHistogramDataPoint`. */
const EXPONENTIAL_ATTRIBUTES = tag(1, BYTES);
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
const SUMMARY_ATTRIBUTES = tag(7, BYTES);
const SUMMARY_FLAGS = tag(8, VARINT);
const QUANTILE_VALUES = tag(6, BYTES);
const QUANTILE = tag(1, FIXED64);
const QUANTILE_VALUE = tag(2, FIXED64);

interface Resource<S, G> {
  readonly id: number;
  /** Or why they cannot be read. */
  readonly attributes: ReadonlyMap<string, string> | string;
  usual: UsualPoints<S, G> | undefined;
  /** How often others have come since these were last all. */
  misses: number;
}

/** What a point says of its series, beside its resource. */
interface PointKey {
  readonly metric: Metric;
  /** The fields that have them, one after the other; undefined without any. */
  readonly attributes: KeptBytes | undefined;
}

/** All points of a resource as they came, where they were numbers. */
interface UsualPoints<S, G> {
  readonly keys: readonly PointKey[];
  /** Their series; a group once they have come again. */
  group: G | undefined;
  series: readonly S[] | undefined;
}

/** More points of a resource are no group: to make one would hold up others. */
const MOST_GROUPED = 1_000;

/** Points of the resource that is read. */
class ResourceRun<S extends object, G extends PointGroup<S>> {
  /** As long as points come as usual: how they do, and how many have. */
  usual: UsualPoints<S, G> | undefined;
  count = 0;
  readonly times = new Float64Array(MOST_GROUPED);
  readonly values = new Float64Array(MOST_GROUPED);
  private readonly starts = new Float64Array(MOST_GROUPED);
  /** What has come, where that may become the usual. */
  keys: PointKey[] | undefined;
  series: S[] = [];

  begin({ usual, misses }: Resource<S, G>): void {
    this.usual = usual;
    this.count = 0;
    // Where it is another each time, it is learned ever more seldom.
    this.keys = (misses & (misses - 1)) === 0 ? [] : undefined;
    this.series = [];
  }

  /** What the next point is of, if it comes as usual. */
  get expected(): PointKey | undefined {
    return this.usual?.keys[this.count];
  }

  /** Whether all points have come as usual. */
  get isWhole(): boolean {
    return this.count === this.usual?.keys.length;
  }

  add(time: number, value: number, start: number): void {
    const at = this.count++;
    this.times[at] = time;
    this.values[at] = value;
    this.starts[at] = start;
  }

  /** Gives those that came as usual one by one: what comes now does not. */
  leave(sink: PointSink<S, G>): void {
    const { usual, count, times, values, starts } = this;
    if (!usual) return;
    this.usual = undefined;
    if (this.keys) this.keys = usual.keys.slice(0, count);
    const series = usual.series ?? usual.group?.series ?? [];
    this.series = series.slice(0, count);
    for (let at = 0; at < count; at += 1) {
      const { metric } = (usual.keys[at] as PointKey).metric;
      sink.number(series[at] as S, metric, times[at] as number, values[at] as number, starts[at] as number);
    }
  }
}

interface Metric {
  readonly id: number;
  readonly form: number;
  /** Its unit as it was sent. */
  readonly unit: Uint8Array;
  readonly metric: OtlpMetric;
  /** What stood before its data when it came first, with the tag of the data, where nothing stood after it. */
  head: KeptBytes | undefined;
  /** The one that came after it the last time. */
  next: Metric | undefined;
}

/**
 * Reads `ExportMetricsServiceRequest`, and remembers resources, metrics and series by the bytes that named them: what comes
 * again costs no text.
 */
export class MetricsDecoder<S extends object, G extends PointGroup<S>> {
  private readonly resources: ByteMap<Resource<S, G>>;
  /** By name; those of one name differ in kind, form or unit. */
  private readonly metrics: ByteMap<Metric[]>;
  private readonly known: ByteMap<S>;
  /** Those of the body that is decoded. */
  private ofBody: BodyKeys<S>;
  private readonly pointKeys: ByteMap<PointKey>;
  /** Lists of them by their length: resources with the same points have one, which then is at hand for each of them. */
  private readonly lists = new Map<number, readonly PointKey[]>();
  /** Series of groups that were made since `known` has forgotten them the last time. */
  private grouped = 0;
  /** Series of all usual points. */
  private usualSeries = 0;
  /** Its memory need not be made for each body. */
  private spareRun: ResourceRun<S, G> | undefined;
  private nextId = 1;
  private last: Metric | undefined;
  /** The bytes that name a series. */
  private key = new Uint8Array(1024);
  private keyView = new DataView(this.key.buffer);

  // Of the point that is read.
  private reader = new ProtoReader(new Uint8Array());
  private from = -1;
  private to = -1;
  private isTogether = true;
  private start = 0;
  private time = 0;
  private flags = 0;

  constructor(
    private readonly make: MakeSeries<S>,
    private readonly groupOf: (series: readonly S[], again: () => readonly S[]) => G,
    private readonly mostSeries: number,
  ) {
    this.known = new ByteMap(mostSeries);
    this.ofBody = this.seriesOfBody();
    this.pointKeys = new ByteMap(mostSeries);
    this.resources = new ByteMap(mostSeries, mostSeries * 32);
    this.metrics = new ByteMap(10_000);
  }

  /** Its series, with those that the body names first. */
  seriesOfBody(): BodyKeys<S> {
    return new BodyKeys(this.known);
  }

  /** @throws ProtobufError where the bytes are no such message; some points may have been given then. */
  decode(body: Uint8Array, sink: PointSink<S, G>): void {
    for (const pieces = this.pieces(body, sink); !pieces.next().done;);
  }

  /**
   * The same piece by piece: others may decode between two of them.
   *
   * @param series where the series of the body are found; it is up to the caller to keep what is new among them.
   */
  *pieces(body: Uint8Array, sink: PointSink<S, G>, series = this.seriesOfBody()): Generator<void, void> {
    const reader = new ProtoReader(body);
    this.reader = reader;
    this.ofBody = series;
    const bodyEnd = reader.end;
    const run = this.spareRun ?? new ResourceRun<S, G>();
    this.spareRun = undefined;
    let left = PIECE;
    // One loop within the other: a generator for each metric would take longer than what it reads.
    for (let ofBody = reader.next(); ofBody !== 0; ofBody = reader.next()) {
      if (ofBody === RESOURCE_METRICS) {
        const resourceEnd = (reader.end = reader.length());
        const first = reader.at;
        let [start, end] = [first, first];
        for (let field = reader.next(); field !== 0; field = reader.next()) {
          if (field === RESOURCE) {
            end = reader.length();
            start = reader.at;
            reader.at = end;
          } else {
            reader.skip(field);
          }
          if ((left -= 1) > 0) continue;
          left = yield* this.pause(reader, series);
        }
        const resource = this.resourceOf(start, end);
        run.begin(resource);
        reader.at = first;
        for (let ofResource = reader.next(); ofResource !== 0; ofResource = reader.next()) {
          if (ofResource === SCOPE_METRICS || ofResource === LIBRARY_METRICS) {
            const scopeEnd = (reader.end = reader.length());
            for (let ofScope = reader.next(); ofScope !== 0; ofScope = reader.next()) {
              if (ofScope === METRICS) {
                const metricEnd = (reader.end = reader.length());
                const metric = this.guessMetric(run.expected?.metric) ?? this.readMetric();
                for (let field = metric ? reader.next() : 0; metric && field !== 0; field = reader.next()) {
                  if (field === DATA_POINTS) this.readPoint(resource, metric, run, sink);
                  else reader.skip(field);
                  if ((left -= 1) > 0) continue;
                  left = yield* this.pause(reader, series);
                }
                reader.at = metricEnd;
                reader.end = scopeEnd;
              } else {
                reader.skip(ofScope);
              }
              if ((left -= 1) > 0) continue;
              left = yield* this.pause(reader, series);
            }
            reader.end = resourceEnd;
          } else {
            reader.skip(ofResource);
          }
          if ((left -= 1) > 0) continue;
          left = yield* this.pause(reader, series);
        }
        this.finish(resource, run, sink);
        reader.end = bodyEnd;
      } else {
        reader.skip(ofBody);
      }
      if ((left -= 1) > 0) continue;
      left = yield* this.pause(reader, series);
    }
    this.spareRun = run;
  }

  /** Afterwards goes on with what is read by `reader`, whatever was decoded meanwhile. */
  private *pause(reader: ProtoReader, series: BodyKeys<S>): Generator<void, number> {
    yield;
    this.reader = reader;
    this.ofBody = series;
    return PIECE;
  }

  private within(read: () => void): void {
    const { reader } = this;
    const outer = reader.end;
    const end = reader.length();
    reader.end = end;
    read();
    reader.at = end;
    reader.end = outer;
  }

  private resourceOf(start: number, end: number): Resource<S, G> {
    const { bytes } = this.reader;
    const known = this.resources.get(bytes, start, end);
    if (known) return known;
    const attributes = attributesOf(bytes, start, end, RESOURCE_ATTRIBUTES);
    const resource = { id: this.nextId++, attributes, usual: undefined, misses: 0 };
    this.resources.set(bytes, start, end, resource);
    return resource;
  }

  /** All of a resource is read. */
  private finish(resource: Resource<S, G>, run: ResourceRun<S, G>, sink: PointSink<S, G>): void {
    const { usual } = run;
    if (usual && run.isWhole && sink.group) {
      resource.misses = 0;
      usual.group ??= this.makeGroup(resource, usual);
      sink.group(usual.group, run.times, run.values, run.count);
      return;
    }
    run.leave(sink);
    const { keys, series } = run;
    // Of a body that names some for the first time it is not known yet whether they will be stored.
    if (keys && keys.length > 0 && this.ofBody.size === 0) this.learn(resource, keys, series);
    resource.misses += 1;
  }

  /** A group that gives its series once more where it does not keep them, since nothing else does. */
  private makeGroup({ attributes }: Resource<S, G>, usual: UsualPoints<S, G>): G {
    const { keys, series = [] } = usual;
    const ofResource = attributes as ReadonlyMap<string, string>;
    const group = this.groupOf(series, () => keys.map((key) => this.make(ofResource, key.metric.metric, ownOf(key))));
    usual.series = undefined;
    this.grouped += keys.length;
    if (this.grouped > this.mostSeries / 500 + this.known.size / 2) {
      // Most are found by their groups: the others are named once more.
      this.known.clear();
      this.grouped = 0;
    }
    return group;
  }

  private learn(resource: Resource<S, G>, keys: readonly PointKey[], series: readonly S[]): void {
    this.usualSeries += series.length - (resource.usual?.keys.length ?? 0);
    if (this.usualSeries > this.mostSeries) {
      this.resources.clear();
      this.pointKeys.clear();
      this.lists.clear();
      this.usualSeries = series.length;
    }
    const list = this.lists.get(keys.length);
    const isKnown = list?.every((key, place) => key === keys[place]) === true;
    if (!isKnown) this.lists.set(keys.length, keys);
    resource.usual = { keys: isKnown ? list : keys, series, group: undefined };
  }

  /**
   * The metric that is expected, or followed the one before the last time, if it is here again; afterwards the reader is at its data.
   */
  private guessMetric(expected: Metric | undefined): Metric | undefined {
    const { reader } = this;
    const { at, end } = reader;
    const metric = expected ?? this.last?.next;
    if (!metric?.head?.isAt(reader.view, end, at)) return undefined;
    reader.at = at + metric.head.length;
    if (reader.length() === end) {
      const first = reader.at;
      const form = this.formOf(metric.metric.type);
      reader.at = first;
      if (form === metric.form) return (this.last = metric);
    }
    reader.at = at;
    return undefined;
  }

  /** What a metric is, or why there is none; afterwards the reader is at its data. Undefined where there are none. */
  private readMetric(): Metric | string | undefined {
    const { reader } = this;
    const { at: first, end: last } = reader;
    let headEnd = 0;
    let nameStart = 0;
    let nameEnd = 0;
    let unitStart = 0;
    let unitEnd = 0;
    let helpStart = 0;
    let helpEnd = 0;
    let dataStart = 0;
    let dataEnd = 0;
    let type: OtlpType | undefined;
    for (let field = reader.next(); field !== 0; field = reader.next()) {
      if ((field & 7) !== BYTES) {
        reader.skip(field);
        continue;
      }
      const tagEnd = reader.at;
      const end = reader.length();
      const start = reader.at;
      reader.at = end;
      if (field === NAME) {
        nameStart = start;
        nameEnd = end;
      } else if (field === UNIT) {
        unitStart = start;
        unitEnd = end;
      } else if (field === DESCRIPTION) {
        helpStart = start;
        helpEnd = end;
      } else {
        const found = typeOf(field);
        if (found === undefined) continue;
        type = found;
        headEnd = tagEnd;
        dataStart = start;
        dataEnd = end;
      }
    }
    if (type === undefined) return undefined;
    reader.at = dataStart;
    reader.end = dataEnd;
    const form = this.formOf(type);
    const metric = this.metricOf(type, form, nameStart, nameEnd, unitStart, unitEnd, helpStart, helpEnd);
    reader.at = dataStart;
    reader.end = dataEnd;
    if (typeof metric === 'string') return metric;
    if (dataEnd === last && headEnd - first <= LONGEST_HEAD) {
      metric.head ??= new KeptBytes(Uint8Array.from(reader.bytes.subarray(first, headEnd)));
    }
    if (this.last) this.last.next = metric;
    return (this.last = metric);
  }

  /** Temporality and whether it is monotonic, as one number. */
  private formOf(type: OtlpType): number {
    if (type === 'gauge' || type === 'summary') return CUMULATIVE;
    const { reader } = this;
    let temporality = 0;
    let isMonotonic = 0;
    for (let field = reader.next(); field !== 0; field = reader.next()) {
      if (field === TEMPORALITY) temporality = reader.int64();
      else if (field === IS_MONOTONIC) isMonotonic = reader.int64() === 0 ? 0 : 1;
      else reader.skip(field);
    }
    return (temporality === DELTA || temporality === CUMULATIVE ? temporality : 0) + 4 * isMonotonic;
  }

  private metricOf(
    type: OtlpType,
    form: number,
    nameStart: number,
    nameEnd: number,
    unitStart: number,
    unitEnd: number,
    helpStart: number,
    helpEnd: number,
  ): Metric | string {
    const { bytes } = this.reader;
    let ofName = this.metrics.get(bytes, nameStart, nameEnd);
    if (ofName) {
      for (let at = 0; at < ofName.length; at += 1) {
        const one = ofName[at] as Metric;
        if (one.form === form && one.metric.type === type && isAt(one.unit, bytes, unitStart, unitEnd)) return one;
      }
    }
    const [name, unit] = [textOf(bytes, nameStart, nameEnd), textOf(bytes, unitStart, unitEnd)];
    if (name === undefined || unit === undefined) return 'the name and the unit of a metric must be UTF-8';
    const temporality = form & 3;
    if (temporality === 0) {
      return `the aggregation temporality of ${JSON.stringify(name.slice(0, 99))} must be 1 (delta) or 2 (cumulative)`;
    }
    const description = textOf(bytes, helpStart, helpEnd) ?? '';
    const isMonotonic = form >= 4 || type === 'histogram' || type === 'exponential';
    const metric: Metric = {
      id: this.nextId++,
      form,
      unit: Uint8Array.from(bytes.subarray(unitStart, unitEnd)),
      metric: { name, unit, description, type, isDelta: temporality === DELTA, isMonotonic },
      head: undefined,
      next: undefined,
    };
    if (!ofName) this.metrics.set(bytes, nameStart, nameEnd, (ofName = []));
    // Nobody has so many; to go through them must not take long.
    if (ofName.length >= MOST_OF_NAME) ofName.length = 0;
    ofName.push(metric);
    return metric;
  }

  private readPoint(
    resource: Resource<S, G>,
    metric: Metric | string,
    run: ResourceRun<S, G>,
    sink: PointSink<S, G>,
  ): void {
    const { reader } = this;
    const outer = reader.end;
    const end = reader.length();
    reader.end = end;
    if (this.readUsual(metric, run)) {
      reader.at = end;
      reader.end = outer;
      return;
    }
    run.leave(sink);
    const start = reader.at;
    this.from = -1;
    this.to = -1;
    this.isTogether = true;
    this.start = 0;
    this.time = 0;
    this.flags = 0;
    if (typeof metric === 'string') {
      run.keys = undefined;
      sink.refuse(metric);
    } else if (end - start > MOST_BYTES) {
      sink.refuse(`a point may have at most ${MOST_BYTES} bytes, and one of ${metric.metric.name} has ${end - start}`);
      run.keys = undefined;
    } else {
      const { type } = metric.metric;
      if (type === 'gauge' || type === 'sum') {
        if (!this.readNumber(resource, metric, run, sink, start)) run.keys = undefined;
      } else {
        run.keys = undefined;
        if (type === 'summary') this.readSummary(resource, metric, sink, start);
        else this.readHistogram(resource, metric, sink, start, type === 'exponential');
      }
    }
    reader.at = end;
    reader.end = outer;
  }

  /** Reads a point that comes as usual; false where it does not, of which nothing is read. */
  private readUsual(metric: Metric | string, run: ResourceRun<S, G>): boolean {
    const { expected } = run;
    if (expected === undefined || expected.metric !== metric) return false;
    const { attributes } = expected;
    const { reader } = this;
    const { bytes, view, at: first, end } = reader;
    let [time, start, value] = [0, 0, NaN];
    let isNamed = attributes === undefined;
    let at = first;
    while (at < end) {
      const field = bytes[at];
      if (field === NUMBER_ATTRIBUTES) {
        if (isNamed || !attributes?.isAt(view, end, at)) break;
        isNamed = true;
        at += attributes.length;
        continue;
      }
      const next = at + 9;
      if (next > end) break;
      reader.at = at + 1;
      if (field === TIME) time = reader.nanosAsMs();
      else if (field === START) start = reader.nanosAsMs();
      else if (field === AS_DOUBLE) value = reader.double();
      else if (field === AS_INT) value = reader.sfixed64();
      else break;
      at = next;
    }
    reader.at = first;
    // Of a point without a value the other way knows what to say.
    if (at < end || !isNamed || Number.isNaN(value)) return false;
    run.add(time, value, start);
    return true;
  }

  /** Reads a field that every kind of point has; false where it is none. */
  private readCommon(field: number, at: number, attributes: number): boolean {
    const { reader } = this;
    if (field === attributes) {
      reader.at = reader.length();
      if (this.from < 0) this.from = at;
      else if (this.to !== at) this.isTogether = false;
      this.to = reader.at;
    } else if (field === TIME) {
      this.time = reader.nanosAsMs();
    } else if (field === START) {
      this.start = reader.nanosAsMs();
    } else {
      return false;
    }
    return true;
  }

  /** Whether it is one that may come as usual. */
  private readNumber(
    resource: Resource<S, G>,
    metric: Metric,
    run: ResourceRun<S, G>,
    sink: PointSink<S, G>,
    start: number,
  ): boolean {
    const { reader } = this;
    let value = NaN;
    let hasValue = false;
    for (let at = reader.at, field = reader.next(); field !== 0; at = reader.at, field = reader.next()) {
      if (this.readCommon(field, at, NUMBER_ATTRIBUTES)) continue;
      if (field === AS_DOUBLE || field === AS_INT) {
        value = field === AS_INT ? reader.sfixed64() : reader.double();
        hasValue = true;
      } else if (field === NUMBER_FLAGS) {
        this.flags = reader.uint32();
      } else {
        if (field === NUMBER_EXEMPLARS) sink.exemplar();
        reader.skip(field);
      }
    }
    const series = this.seriesOf(resource, metric, start, NUMBER_ATTRIBUTES);
    if (typeof series === 'string') sink.refuse(series);
    else if (this.hasNoValue() || (hasValue && Number.isNaN(value))) sink.missing(series, metric.metric, this.time);
    else if (!hasValue) sink.refuse(`a point of ${metric.metric.name} must have asDouble or asInt`);
    else {
      sink.number(series, metric.metric, this.time, value, this.start);
      return !metric.metric.isDelta && this.isTogether && this.note(metric, series, run);
    }
    return false;
  }

  /** Takes note of a point that may come again; false where there are too many, or it is too long. */
  private note(metric: Metric, series: S, { keys, series: noted }: ResourceRun<S, G>): boolean {
    if (!keys) return true;
    const length = Math.max(0, this.to - this.from);
    if (keys.length === MOST_GROUPED || length > LONGEST_ATTRIBUTES) return false;
    keys.push(this.pointKeyOf(metric, length));
    noted.push(series);
    return true;
  }

  private pointKeyOf(metric: Metric, length: number): PointKey {
    const { bytes } = this.reader;
    const from = Math.max(0, this.from);
    this.room(length + 4);
    this.keyView.setUint32(0, metric.id, true);
    const end = copy(bytes, from, from + length, this.key, 4);
    let key = this.pointKeys.get(this.key, 0, end);
    if (!key) {
      key = { metric, attributes: length === 0 ? undefined : new KeptBytes(this.key.slice(4, end)) };
      this.pointKeys.set(this.key, 0, end, key);
    }
    return key;
  }

  private readHistogram(
    resource: Resource<S, G>,
    metric: Metric,
    sink: PointSink<S, G>,
    start: number,
    isExponential: boolean,
  ): void {
    const { reader } = this;
    const [attributes, exemplars, flags] = isExponential
      ? [EXPONENTIAL_ATTRIBUTES, EXPONENTIAL_EXEMPLARS, EXPONENTIAL_FLAGS]
      : [HISTOGRAM_ATTRIBUTES, HISTOGRAM_EXEMPLARS, HISTOGRAM_FLAGS];
    const point: HistogramPoint = { count: 0, sum: undefined, bounds: [], atMost: [] };
    const bounds: number[] = [];
    const counts: number[] = [];
    const positive: Buckets = { offset: 0, counts: [] };
    const negative: Buckets = { offset: 0, counts: [] };
    let [scale, zeroCount, zeroThreshold] = [0, 0, 0];
    for (let at = reader.at, field = reader.next(); field !== 0; at = reader.at, field = reader.next()) {
      if (this.readCommon(field, at, attributes)) continue;
      if (field === COUNT) point.count = reader.fixed64();
      else if (field === SUM) point.sum = reader.double();
      else if (field === flags) this.flags = reader.uint32();
      else if (field === exemplars) {
        sink.exemplar();
        reader.skip(field);
      } else if (isExponential) {
        if (field === SCALE) scale = reader.sint32();
        else if (field === ZERO_COUNT) zeroCount = reader.fixed64();
        else if (field === POSITIVE) this.readBuckets(positive);
        else if (field === NEGATIVE) this.readBuckets(negative);
        else if (field === ZERO_THRESHOLD) zeroThreshold = reader.double();
        else reader.skip(field);
      } else if (field === BUCKET_COUNTS) {
        for (const last = reader.length(); reader.at < last;) take(counts, reader.fixed64());
      } else if (field === BOUNDS) {
        for (const last = reader.length(); reader.at < last;) take(bounds, reader.double());
      } else if (field === BUCKET_COUNT) take(counts, reader.fixed64());
      else if (field === BOUND) take(bounds, reader.double());
      else reader.skip(field);
    }
    const series = this.seriesOf(resource, metric, start, attributes);
    if (typeof series === 'string') {
      sink.refuse(series);
      return;
    }
    if (this.hasNoValue()) {
      sink.missing(series, metric.metric, this.time);
      return;
    }
    const wrong = isExponential
      ? addExponential(point, { scale, zeroCount, zeroThreshold, positive, negative })
      : addExplicit(point, bounds, counts);
    const tooMany = Math.max(counts.length, positive.counts.length, negative.counts.length) > MOST_BUCKETS;
    if (tooMany)
      sink.refuse(`a histogram may have at most ${MOST_BUCKETS} buckets, and ${metric.metric.name} has more`);
    else if (wrong !== undefined) sink.refuse(`${metric.metric.name}: ${wrong}`);
    else sink.histogram(series, metric.metric, this.time, point, this.start);
  }

  private readBuckets(buckets: Buckets): void {
    const { reader } = this;
    this.within(() => {
      for (let field = reader.next(); field !== 0; field = reader.next()) {
        if (field === OFFSET) buckets.offset = reader.sint32();
        else if (field === ONE_COUNT) take(buckets.counts, reader.int64());
        else if (field === COUNTS) {
          for (const last = reader.length(); reader.at < last;) take(buckets.counts, reader.int64());
        } else reader.skip(field);
      }
    });
  }

  private readSummary(resource: Resource<S, G>, metric: Metric, sink: PointSink<S, G>, start: number): void {
    const { reader } = this;
    const point: SummaryPoint = { count: 0, sum: 0, quantiles: [], values: [] };
    for (let at = reader.at, field = reader.next(); field !== 0; at = reader.at, field = reader.next()) {
      if (this.readCommon(field, at, SUMMARY_ATTRIBUTES)) continue;
      if (field === COUNT) point.count = reader.fixed64();
      else if (field === SUM) point.sum = reader.double();
      else if (field === SUMMARY_FLAGS) this.flags = reader.uint32();
      else if (field === QUANTILE_VALUES) this.within(() => this.readQuantile(point));
      else reader.skip(field);
    }
    const series = this.seriesOf(resource, metric, start, SUMMARY_ATTRIBUTES);
    if (typeof series === 'string') sink.refuse(series);
    else if (this.hasNoValue()) sink.missing(series, metric.metric, this.time);
    else if (point.quantiles.length > MOST_BUCKETS) sink.refuse(`a summary may have at most ${MOST_BUCKETS} quantiles`);
    else sink.summary(series, metric.metric, this.time, point);
  }

  private readQuantile(point: SummaryPoint): void {
    const { reader } = this;
    let [quantile, value] = [0, 0];
    for (let field = reader.next(); field !== 0; field = reader.next()) {
      if (field === QUANTILE) quantile = reader.double();
      else if (field === QUANTILE_VALUE) value = reader.double();
      else reader.skip(field);
    }
    take(point.quantiles, quantile);
    take(point.values, value);
  }

  private hasNoValue(): boolean {
    return (this.flags & 1) === 1;
  }

  private seriesOf({ id, attributes }: Resource<S, G>, metric: Metric, start: number, field: number): S | string {
    const { bytes } = this.reader;
    if (typeof attributes === 'string') return attributes;
    const others = this.isTogether ? undefined : gathered(bytes, start, this.reader.end, field);
    const named = others ?? bytes;
    const from = others ? 0 : Math.max(0, this.from);
    const to = others ? others.length : Math.max(0, this.to);
    const next = this.known.following(id, metric.id, named, from, to);
    if (next) return next;
    this.room(to - from + 8);
    const { key, keyView } = this;
    keyView.setUint32(0, id, true);
    keyView.setUint32(4, metric.id, true);
    const end = copy(named, from, to, key, 8);
    const known = this.ofBody.get(key, 0, end);
    if (known) return known;
    const own = attributesOf(named, from, to, field);
    if (typeof own === 'string') return own;
    const series = this.make(attributes, metric.metric, own);
    this.ofBody.set(key, 0, end, series);
    return series;
  }

  private room(bytes: number): void {
    if (bytes <= this.key.length) return;
    this.key = new Uint8Array(bytes * 2);
    this.keyView = new DataView(this.key.buffer);
  }
}

/** What a point says of its series that came as usual. */
const ownOf = ({ attributes }: PointKey): ReadonlyMap<string, string> =>
  attributes ? readAttributes(attributes.bytes, 0, attributes.length, NUMBER_ATTRIBUTES) : new Map();

function typeOf(field: number): OtlpType | undefined {
  switch (field) {
    case GAUGE:
      return 'gauge';
    case SUMS:
      return 'sum';
    case HISTOGRAM:
      return 'histogram';
    case EXPONENTIAL:
      return 'exponential';
    case SUMMARY:
      return 'summary';
    default:
      return undefined;
  }
}

/** The attributes, or why they cannot be read: that costs the points that have them, and no others. */
function attributesOf(bytes: Uint8Array, start: number, end: number, field: number): Map<string, string> | string {
  try {
    return readAttributes(bytes, start, end, field);
  } catch (error) {
    if (error instanceof ProtobufError) return error.message;
    throw error;
  }
}

/** Keeps one number more than may come, so that it shows. */
function take(numbers: number[], number: number): void {
  if (numbers.length <= MOST_BUCKETS) numbers.push(number);
}

/** The fields of a tag, one after the other, where others stand between them. */
function gathered(bytes: Uint8Array, start: number, end: number, wanted: number): Uint8Array {
  const reader = new ProtoReader(bytes, start, end);
  const parts: Uint8Array[] = [];
  for (let at = start, field = reader.next(); field !== 0; at = reader.at, field = reader.next()) {
    reader.skip(field);
    if (field === wanted) parts.push(bytes.subarray(at, reader.at));
  }
  return Buffer.concat(parts);
}

/** Copies bytes, and gives where they end. */
function copy(from: Uint8Array, start: number, end: number, to: Uint8Array, at: number): number {
  let next = at;
  for (let index = start; index < end; index += 1) to[next++] = from[index] as number;
  return next;
}
