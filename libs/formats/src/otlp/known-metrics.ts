import { ByteMap, isAt, KeptBytes } from '../byte-map.js';
import { BYTES, type ProtoReader, tag, textOf, VARINT } from '../protobuf/reader.js';
import type { OtlpMetric, OtlpType } from './metric-points.js';

/** What stands before the data of a metric is not kept where it has more bytes. */
const LONGEST_HEAD = 256;

/** Metrics of one name that are remembered. */
const MOST_OF_NAME = 16;

/** Of `Metric`. */
const NAME = tag(1, BYTES);
const DESCRIPTION = tag(2, BYTES);
const UNIT = tag(3, BYTES);
const GAUGE = tag(5, BYTES);
const SUMS = tag(7, BYTES);
const HISTOGRAM = tag(9, BYTES);
const EXPONENTIAL = tag(10, BYTES);
const SUMMARY = tag(11, BYTES);
/** Kinds of data from before OTLP 0.9: of integers gauges, sums and histograms. */
const OLDER_DATA: readonly number[] = [tag(4, BYTES), tag(6, BYTES), tag(8, BYTES)];
/** Of the kinds of data. */
const TEMPORALITY = tag(2, VARINT);
const IS_MONOTONIC = tag(3, VARINT);
const DELTA = 1;
const CUMULATIVE = 2;

/** A metric as it was sent, and by what it is known again. */
export interface Metric {
  readonly id: number;
  /** As `formOf` gives it. */
  readonly form: number;
  /** Its unit as it was sent. */
  readonly unit: Uint8Array;
  readonly metric: OtlpMetric;
  /** What stood before its data when it came first, with the tag of the data, where nothing stood after it. */
  head: KeptBytes | undefined;
  /** The one that came after it the last time. */
  next: Metric | undefined;
}

/** Metrics that have come, found by the bytes that name them. */
export class KnownMetrics {
  /** Those of one name differ in kind, form or unit. */
  private readonly byName = new ByteMap<Metric[]>(10_000);
  private nextId = 1;
  private last: Metric | undefined;

  /**
   * The metric that is expected, or followed the one before the last time, if it is here again; afterwards the reader is at its data.
   */
  guess(reader: ProtoReader, expected: Metric | undefined): Metric | undefined {
    const { at, end } = reader;
    const metric = expected ?? this.last?.next;
    if (!metric?.head?.isAt(reader.view, end, at)) return undefined;
    reader.at = at + metric.head.length;
    if (reader.length() === end) {
      const first = reader.at;
      const form = formOf(reader, metric.metric.type);
      reader.at = first;
      if (form === metric.form) return (this.last = metric);
    }
    reader.at = at;
    return undefined;
  }

  /** What a metric is, or why there is none; afterwards the reader is at its data. Undefined where there are none. */
  read(reader: ProtoReader): Metric | string | undefined {
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
    let hasData = false;
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
        if (found === undefined && !OLDER_DATA.includes(field)) continue;
        type = found;
        hasData = true;
        headEnd = tagEnd;
        dataStart = start;
        dataEnd = end;
      }
    }
    if (!hasData) return undefined;
    reader.at = dataStart;
    reader.end = dataEnd;
    if (type === undefined) {
      const name = textOf(reader.bytes, nameStart, nameEnd) ?? '';
      return `${JSON.stringify(name.slice(0, 99))} has points in a form from before OTLP 0.9`;
    }
    const form = formOf(reader, type);
    const metric = this.metricOf(reader.bytes, type, form, nameStart, nameEnd, unitStart, unitEnd, helpStart, helpEnd);
    reader.at = dataStart;
    reader.end = dataEnd;
    if (typeof metric === 'string') return metric;
    if (dataEnd === last && headEnd - first <= LONGEST_HEAD) {
      metric.head ??= new KeptBytes(Uint8Array.from(reader.bytes.subarray(first, headEnd)));
    }
    if (this.last) this.last.next = metric;
    return (this.last = metric);
  }

  private metricOf(
    bytes: Uint8Array,
    type: OtlpType,
    form: number,
    nameStart: number,
    nameEnd: number,
    unitStart: number,
    unitEnd: number,
    helpStart: number,
    helpEnd: number,
  ): Metric | string {
    let ofName = this.byName.get(bytes, nameStart, nameEnd);
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
    if (!ofName) this.byName.set(bytes, nameStart, nameEnd, (ofName = []));
    // Nobody has so many; to go through them must not take long.
    if (ofName.length >= MOST_OF_NAME) ofName.length = 0;
    ofName.push(metric);
    return metric;
  }
}

/** Temporality and whether it is monotonic, as one number. */
function formOf(reader: ProtoReader, type: OtlpType): number {
  if (type === 'gauge' || type === 'summary') return CUMULATIVE;
  let temporality = 0;
  let isMonotonic = 0;
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === TEMPORALITY) temporality = reader.int64();
    else if (field === IS_MONOTONIC) isMonotonic = reader.int64() === 0 ? 0 : 1;
    else reader.skip(field);
  }
  return (temporality === DELTA || temporality === CUMULATIVE ? temporality : 0) + 4 * isMonotonic;
}

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
