import { BodyKeys, ByteMap, KeptBytes } from '../byte-map.js';
import { BYTES, FIXED64, ProtoReader, ProtobufError, tag, VARINT } from '../protobuf/reader.js';
import { readAttributes } from './attributes.js';
import { KnownMetrics, type Metric } from './known-metrics.js';
import type { MakeSeries, PointGroup, PointSink } from './metric-points.js';
import { PointFields, START, TIME } from './point-fields.js';
import {
  EXPONENTIAL_ATTRIBUTES,
  HISTOGRAM_ATTRIBUTES,
  readExponential,
  readHistogram,
  readSummary,
  SUMMARY_ATTRIBUTES,
} from './read-distribution.js';
import { MOST_GROUPED, ResourceRun, type PointKey, type Resource, type UsualPoints } from './usual-points.js';

/** Points and other parts of a body that are read before others may get their turn. */
const PIECE = 256;

/** A point of more bytes is refused: it is read in one piece, and nobody has points of even a tenth of it. */
const MOST_BYTES = 1 << 20;

/** Attributes of a point that have more bytes are not kept. */
const LONGEST_ATTRIBUTES = 1_024;

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
/** Of the kinds of data. */
const DATA_POINTS = tag(1, BYTES);
/** Of `NumberDataPoint`. */
const NUMBER_ATTRIBUTES = tag(7, BYTES);
const AS_DOUBLE = tag(4, FIXED64);
const AS_INT = tag(6, FIXED64);
const NUMBER_EXEMPLARS = tag(5, BYTES);
const NUMBER_FLAGS = tag(8, VARINT);

/**
 * Reads `ExportMetricsServiceRequest`, and remembers resources, metrics and series by the bytes that named them: what comes
 * again costs no text.
 */
export class MetricsDecoder<S extends object, G extends PointGroup<S>> {
  private readonly resources: ByteMap<Resource<S, G>>;
  private readonly metrics = new KnownMetrics();
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
  private resourcesMade = 0;
  /** The bytes that name a series. */
  private key = new Uint8Array(1024);
  private keyView = new DataView(this.key.buffer);

  private reader = new ProtoReader(new Uint8Array());
  /** Of the point that is read. */
  private readonly fields = new PointFields();

  constructor(
    private readonly make: MakeSeries<S>,
    private readonly groupOf: (series: readonly S[], again: () => readonly S[]) => G,
    private readonly mostSeries: number,
  ) {
    this.known = new ByteMap(mostSeries);
    this.ofBody = this.seriesOfBody();
    this.pointKeys = new ByteMap(mostSeries);
    this.resources = new ByteMap(mostSeries, mostSeries * 32);
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
                const metric = this.metrics.guess(reader, run.expected?.metric) ?? this.metrics.read(reader);
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

  private resourceOf(start: number, end: number): Resource<S, G> {
    const { bytes } = this.reader;
    const known = this.resources.get(bytes, start, end);
    if (known) return known;
    const attributes = attributesOf(bytes, start, end, RESOURCE_ATTRIBUTES);
    const resource = { id: (this.resourcesMade += 1), attributes, usual: undefined, misses: 0 };
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
    this.fields.begin();
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
        else this.readHistogram(resource, metric, sink, start);
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

  /** Whether it is one that may come as usual. */
  private readNumber(
    resource: Resource<S, G>,
    metric: Metric,
    run: ResourceRun<S, G>,
    sink: PointSink<S, G>,
    start: number,
  ): boolean {
    const { reader, fields } = this;
    let value = NaN;
    let hasValue = false;
    for (let at = reader.at, field = reader.next(); field !== 0; at = reader.at, field = reader.next()) {
      if (fields.read(reader, field, at, NUMBER_ATTRIBUTES)) continue;
      if (field === AS_DOUBLE || field === AS_INT) {
        value = field === AS_INT ? reader.sfixed64() : reader.double();
        hasValue = true;
      } else if (field === NUMBER_FLAGS) {
        fields.flags = reader.uint32();
      } else {
        if (field === NUMBER_EXEMPLARS) sink.exemplar();
        reader.skip(field);
      }
    }
    const series = this.seriesOf(resource, metric, start, NUMBER_ATTRIBUTES);
    if (typeof series === 'string') sink.refuse(series);
    else if (fields.hasNoValue || (hasValue && Number.isNaN(value))) sink.missing(series, metric.metric, fields.time);
    else if (!hasValue) sink.refuse(`a point of ${metric.metric.name} must have asDouble or asInt`);
    else {
      sink.number(series, metric.metric, fields.time, value, fields.start);
      return !metric.metric.isDelta && fields.areTogether && this.note(metric, series, run);
    }
    return false;
  }

  /** Takes note of a point that may come again; false where there are too many, or it is too long. */
  private note(metric: Metric, series: S, { keys, series: noted }: ResourceRun<S, G>): boolean {
    if (!keys) return true;
    const length = Math.max(0, this.fields.to - this.fields.from);
    if (keys.length === MOST_GROUPED || length > LONGEST_ATTRIBUTES) return false;
    keys.push(this.pointKeyOf(metric, length));
    noted.push(series);
    return true;
  }

  private pointKeyOf(metric: Metric, length: number): PointKey {
    const { bytes } = this.reader;
    const from = Math.max(0, this.fields.from);
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

  private readHistogram(resource: Resource<S, G>, metric: Metric, sink: PointSink<S, G>, start: number): void {
    const { reader, fields } = this;
    const { name, type } = metric.metric;
    const [read, attributes] =
      type === 'exponential' ? [readExponential, EXPONENTIAL_ATTRIBUTES] : [readHistogram, HISTOGRAM_ATTRIBUTES];
    const point = read(reader, fields, name, () => sink.exemplar());
    const series = this.seriesOf(resource, metric, start, attributes);
    if (typeof series === 'string') sink.refuse(series);
    else if (fields.hasNoValue) sink.missing(series, metric.metric, fields.time);
    else if (typeof point === 'string') sink.refuse(point);
    else sink.histogram(series, metric.metric, fields.time, point, fields.start);
  }

  private readSummary(resource: Resource<S, G>, metric: Metric, sink: PointSink<S, G>, start: number): void {
    const { reader, fields } = this;
    const point = readSummary(reader, fields);
    const series = this.seriesOf(resource, metric, start, SUMMARY_ATTRIBUTES);
    if (typeof series === 'string') sink.refuse(series);
    else if (fields.hasNoValue) sink.missing(series, metric.metric, fields.time);
    else if (typeof point === 'string') sink.refuse(point);
    else sink.summary(series, metric.metric, fields.time, point);
  }

  private seriesOf({ id, attributes }: Resource<S, G>, metric: Metric, start: number, field: number): S | string {
    const { fields } = this;
    const { bytes } = this.reader;
    if (typeof attributes === 'string') return attributes;
    // Without them its series would be that of others.
    if (fields.hasOlderLabels) return `a point of ${metric.metric.name} has labels from before OTLP 0.9`;
    const others = fields.areTogether ? undefined : gathered(bytes, start, this.reader.end, field);
    const named = others ?? bytes;
    const from = others ? 0 : Math.max(0, fields.from);
    const to = others ? others.length : Math.max(0, fields.to);
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

/** The attributes, or why they cannot be read: that costs the points that have them, and no others. */
function attributesOf(bytes: Uint8Array, start: number, end: number, field: number): Map<string, string> | string {
  try {
    return readAttributes(bytes, start, end, field);
  } catch (error) {
    if (error instanceof ProtobufError) return error.message;
    throw error;
  }
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
