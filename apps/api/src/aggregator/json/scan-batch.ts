import { MAX_ITEMS } from '@device-metrics/contract';
import { ColumnsOfGroups, NamedSeries, NO_LABELS, Slices, type Labels, type SeriesGroup } from '@device-metrics/domain';
import type { BodyKeys, SpareColumns } from '@device-metrics/formats';
import { MAX_NAMES, MAX_PARTS } from '../../http/json-body.js';
import { CLOSE_ARRAY, CLOSE_OBJECT, COMMA, JsonCursor, OPEN_ARRAY, OPEN_OBJECT } from './json-cursor.js';
import { KnownSeries, type ReadDevice } from './known-series.js';

/** What a batch says, position by position in the order in which it stands. */
export interface ScannedBatch {
  readonly series: NamedSeries[];
  /** Unix ms, whatever they hold. */
  readonly timestamps: Float64Array;
  /** Whatever they hold. */
  readonly values: Float64Array;
  /** Where each item ends in the columns. */
  readonly ends: number[];
  /** The series, where each item is a reading of all that is known of its device, in the usual order. */
  readonly groups: readonly SeriesGroup[] | undefined;
  /** The series of metrics and runs, with those that no body has named before. */
  readonly singles: BodyKeys<NamedSeries>;
}

const bytesOf = (text: string): Uint8Array => Buffer.from(text);
const FIELDS = ['device_name', 'metric_name', 'unit', 'labels', 'value', 'timestamp', 'samples', 'values'] as const;
const FIELD_BYTES = FIELDS.map(bytesOf);
const bitOf = (...fields: (typeof FIELDS)[number][]): number =>
  fields.reduce((bits, field) => bits | (1 << FIELDS.indexOf(field)), 0);
const [DEVICE, METRIC, UNIT, LABELS, VALUE, TIMESTAMP, SAMPLES, VALUES] = FIELDS.map((field) => bitOf(field)) as [
  number,
  number,
  number,
  number,
  number,
  number,
  number,
  number,
];
/** The fields that each form of item must have, and those that it may have. */
const READING = { must: DEVICE | VALUES, may: TIMESTAMP };
const RUN = { must: DEVICE | METRIC | SAMPLES, may: UNIT | LABELS };
const METRIC_ITEM = { must: DEVICE | METRIC | VALUE, may: UNIT | LABELS | TIMESTAMP };

const PROTO = bytesOf('__proto__');
const METRICS = bytesOf('metrics');

/** Samples of one body that there is room for from the start. */
const USUAL_SAMPLES = 1 << 16;
/** Bytes of all names of a series. */
const LONGEST_KEY = 4096;
/** Bytes that are read before others may get their turn: names that are new take a millisecond. */
const PIECE = 16 * 1024;

/**
 * Reads batches from bytes to columns, without an object for each sample: names are looked at once and later found by their
 * bytes. It takes what senders mostly send. Whatever is not as usual, such as an escape in a name or a field that is wrong,
 * is not for it: `decodeCandidates` reads that body, and knows what to say. Of bodies that both take, both take the same.
 *
 * It keeps what it has found, of at most `mostSeries` series; beyond that it starts again.
 */
export class BatchScanner {
  private readonly known: KnownSeries;

  constructor(mostSeries: number) {
    this.known = new KnownSeries(mostSeries);
  }

  /**
   * What a body says; undefined where it is not as usual.
   *
   * @param body UTF-8.
   * @param receivedAt the time of items that carry none, Unix ms.
   * @param spare memory that nobody uses any more, for times and values.
   * @param piece bytes that are read before others get their turn, about.
   */
  async scan(body: Buffer, receivedAt: number, spare?: SpareColumns, piece = PIECE): Promise<ScannedBatch | undefined> {
    const scan = new Scan(this.known, body, receivedAt, spare);
    const slices = new Slices();
    const { made } = this.known;
    for (let isMore = scan.begin(); isMore; isMore = scan.read(piece)) {
      if (slices.isOver()) await slices.afterNew(this.known.made - made + scan.singles.size);
    }
    return scan.batch;
  }

  /** Remembers what a body has named that is stored by now, in slices. */
  async keep({ singles }: Pick<ScannedBatch, 'singles'>): Promise<void> {
    await this.known.keep(singles);
  }
}

/** Of one body; the key of the item that is read now. */
const key = Buffer.alloc(LONGEST_KEY);

/** One pass through one body. */
class Scan extends JsonCursor {
  /** What the body says, once all of it is read. */
  batch: ScannedBatch | undefined;
  readonly singles: BodyKeys<NamedSeries>;
  private readonly series: NamedSeries[] = [];
  private timestamps: Float64Array;
  private values: Float64Array;
  private readonly ends: number[] = [];
  private readonly groups: SeriesGroup[] = [];
  /** Groups whose series are among the others. */
  private namedGroups = 0;
  private count = 0;
  /** Objects and arrays so far: there are two around the items at the most. */
  private parts = 2;
  private isNamed = false;
  /** Where the piece that is read now ends, and whether it did so within a run. */
  private until = 0;
  private isInRun = false;
  /** The first place of the item that is read. */
  private first = 0;
  /** Of the item that is read: where its fields are in the body, with the quotes of a unit. */
  private seen = 0;
  private deviceStart = 0;
  private deviceEnd = 0;
  private metricStart = 0;
  private metricEnd = 0;
  private unitStart = 0;
  private unitEnd = 0;
  private labelsStart = 0;
  private labelsEnd = 0;
  private time = 0;
  private value = 0;

  constructor(
    private readonly known: KnownSeries,
    bytes: Buffer,
    private readonly receivedAt: number,
    spare: SpareColumns | undefined,
  ) {
    super(bytes);
    this.singles = known.singlesOfBody();
    const usual = Math.max(64, Math.min(USUAL_SAMPLES, bytes.length >> 4));
    this.timestamps = spare?.timestamps ?? new Float64Array(usual);
    this.values = spare?.values ?? new Float64Array(usual);
  }

  /** Reads what stands in front of the items; false where they do not follow. */
  begin(): boolean {
    this.skipBlanks();
    if (this.take(OPEN_OBJECT)) {
      this.isNamed = true;
      if (!this.readString() || !this.isText(METRICS) || !this.takeColon()) return false;
    }
    return this.take(OPEN_ARRAY);
  }

  /** Reads items up to about so many bytes; false once all are read, or one is not as usual. */
  read(most: number): boolean {
    this.until = this.at + most;
    while (this.at < this.until) {
      if (this.ends.length >= MAX_ITEMS || !this.readItem()) return this.isInRun;
      this.skipBlanks();
      if (this.take(COMMA)) continue;
      if (this.take(CLOSE_ARRAY) && (!this.isNamed || this.take(CLOSE_OBJECT)) && this.isAtEnd()) this.finish();
      return false;
    }
    return true;
  }

  private finish(): void {
    const { timestamps, values, ends, count, singles } = this;
    const [times, its] = [timestamps.subarray(0, count), values.subarray(0, count)];
    if (this.groups.length === ends.length) {
      this.batch = Object.assign(new ColumnsOfGroups(this.groups, times, its), { ends, singles });
      return;
    }
    this.nameGroups();
    this.batch = { series: this.series, timestamps: times, values: its, ends, groups: undefined, singles };
  }

  /** Reads an item, or goes on in its run. */
  private readItem(): boolean {
    if (!this.isInRun) {
      this.first = this.count;
      this.seen = 0;
      this.time = this.receivedAt;
      this.parts += 1;
      if (!this.take(OPEN_OBJECT)) return false;
    }
    do {
      if (this.isInRun) {
        if (!this.readSamples()) return false;
        this.seen |= SAMPLES;
        continue;
      }
      if (!this.readString()) return false;
      const field = this.fieldOf();
      if ((this.seen & field) !== 0 || !this.takeColon() || !this.readField(field)) return false;
      this.seen |= field;
    } while (this.take(COMMA));
    if (!this.take(CLOSE_OBJECT) || !this.finishItem(this.first) || this.parts > MAX_PARTS) return false;
    this.ends.push(this.count);
    return true;
  }

  private finishItem(first: number): boolean {
    const { seen } = this;
    if ((seen & VALUES) !== 0) {
      if (!isForm(seen, READING)) return false;
    } else if ((seen & SAMPLES) !== 0) {
      if (!isForm(seen, RUN)) return false;
      return this.nameSingle(first);
    } else {
      if (!isForm(seen, METRIC_ITEM)) return false;
      const to = this.place();
      this.values[to] = this.value;
      if (!this.nameSingle(first)) return false;
    }
    this.timestamps.fill(this.time, first, this.count);
    return true;
  }

  private fieldOf(): number {
    for (let field = 0; field < FIELD_BYTES.length; field += 1) {
      if (this.isText(FIELD_BYTES[field] as Uint8Array)) return 1 << field;
    }
    // Not 0: that would be a field that comes for the first time.
    return -1;
  }

  private readField(field: number): boolean {
    switch (field) {
      case DEVICE:
        if (!this.readString()) return false;
        [this.deviceStart, this.deviceEnd] = [this.textStart, this.textEnd];
        return true;
      case METRIC:
        if (!this.readString()) return false;
        [this.metricStart, this.metricEnd] = [this.textStart, this.textEnd];
        return true;
      case UNIT:
        if (!this.readString()) return false;
        [this.unitStart, this.unitEnd] = [this.textStart - 1, this.textEnd + 1];
        return true;
      case LABELS:
        return this.readLabels();
      case VALUE:
        if (!this.readNumber()) return false;
        this.value = this.number;
        return true;
      case TIMESTAMP:
        if (!this.readTime()) return false;
        this.time = this.number;
        return true;
      case SAMPLES:
        return this.readSamples();
      case VALUES:
        return (this.seen & DEVICE) !== 0 && this.readValues();
      default:
        return false;
    }
  }

  /** The values of a reading, whose device is known. As long as metrics come in their order nothing of the device need be looked at. */
  private readValues(): boolean {
    const { known, bytes, view } = this;
    const device = known.deviceAt(bytes, this.deviceStart, this.deviceEnd);
    const reading = known.nextReading();
    const first = this.count;
    this.parts += 1;
    if (!this.take(OPEN_OBJECT)) return false;
    const { names } = device;
    let place = 0;
    do {
      const usual = names[place];
      if (!usual?.isAt(view, bytes.length, this.at)) return this.readOtherValues(device, reading, first);
      this.at += usual.length;
      if (!this.readNumber()) return false;
      const to = this.place();
      this.values[to] = this.number;
      place += 1;
    } while (this.take(COMMA));
    if (place === names.length) this.groups.push(known.groupOf(device));
    else this.nameUsual(device, reading, first);
    return this.isWholeReading(first);
  }

  /**
   * The values of a reading from the first one on that is not the next in the order of its device. By itself, so that what a new device
   * needs does not become part of what is done for each value.
   */
  private readOtherValues(device: ReadDevice, reading: number, first: number): boolean {
    const { known, bytes, view } = this;
    this.nameUsual(device, reading, first);
    let { names } = device;
    let place = this.count - first;
    do {
      const usual = names[place];
      if (usual?.isAt(view, bytes.length, this.at)) {
        this.at += usual.length;
      } else {
        if (!this.readString() || this.isText(PROTO)) return false;
        const { textStart, textEnd } = this;
        if (!this.takeColon()) return false;
        place = device.find(bytes, textStart, textEnd) ?? known.addMetric(device, bytes, textStart, textEnd);
        names = device.names;
      }
      if (known.seenIn[place] === reading) return false;
      if (!this.readNumber()) return false;
      const to = this.place();
      this.values[to] = this.number;
      known.seenIn[place] = reading;
      this.series[to] = device.series[place] as NamedSeries;
      place += 1;
    } while (this.take(COMMA));
    return this.isWholeReading(first);
  }

  private isWholeReading(first: number): boolean {
    return this.count - first < MAX_NAMES - FIELDS.length && this.take(CLOSE_OBJECT);
  }

  /** Gives the samples of a reading so far, from position `first` on, their series: the metrics came in their order. */
  private nameUsual(device: ReadDevice, reading: number, first: number): void {
    this.nameGroups();
    for (let at = first; at < this.count; at += 1) {
      this.known.seenIn[at - first] = reading;
      this.series[at] = device.series[at - first] as NamedSeries;
    }
  }

  /** Gives the samples of groups their series, before those of what is no group. */
  private nameGroups(): void {
    for (; this.namedGroups < this.groups.length; this.namedGroups += 1) {
      for (const one of (this.groups[this.namedGroups] as SeriesGroup).series) this.series.push(one);
    }
  }

  /** The times and values of a run, whose series is not known yet; false also where others get their turn before it goes on. */
  private readSamples(): boolean {
    if (!this.isInRun) {
      this.parts += 1;
      if (!this.take(OPEN_ARRAY)) return false;
    }
    this.isInRun = false;
    do {
      if (this.at >= this.until) {
        this.isInRun = true;
        return false;
      }
      this.parts += 1;
      if (this.parts > MAX_PARTS) return false;
      if (!this.take(OPEN_ARRAY) || !this.readTime() || !this.take(COMMA)) return false;
      const time = this.number;
      if (!this.readNumber() || !this.take(CLOSE_ARRAY)) return false;
      const at = this.place();
      this.timestamps[at] = time;
      this.values[at] = this.number;
    } while (this.take(COMMA));
    return this.take(CLOSE_ARRAY);
  }

  private readLabels(): boolean {
    this.parts += 1;
    this.skipBlanks();
    this.labelsStart = this.at;
    if (!this.take(OPEN_OBJECT)) return false;
    if (!this.take(CLOSE_OBJECT)) {
      do {
        if (!this.readString() || this.isText(PROTO) || !this.takeColon() || !this.readString()) return false;
      } while (this.take(COMMA));
      if (!this.take(CLOSE_OBJECT)) return false;
    }
    this.labelsEnd = this.at;
    return true;
  }

  /** Gives the samples of a metric or a run their series. */
  private nameSingle(first: number): boolean {
    const { seen } = this;
    let length = this.addToKey(0, this.deviceStart, this.deviceEnd);
    length = this.addToKey(length, this.metricStart, this.metricEnd);
    if ((seen & UNIT) !== 0) length = this.addToKey(length, this.unitStart, this.unitEnd);
    if ((seen & LABELS) !== 0) length = this.addToKey(length, this.labelsStart, this.labelsEnd);
    if (length > LONGEST_KEY) return false;
    const series = this.singles.get(key, 0, length) ?? this.addSingle(length);
    this.nameGroups();
    for (let at = first; at < this.count; at += 1) this.series[at] = series;
    return true;
  }

  /** @param length of the key. */
  private addSingle(length: number): NamedSeries {
    const { bytes, seen } = this;
    const series = NamedSeries.of({
      deviceName: bytes.toString('utf8', this.deviceStart, this.deviceEnd),
      metricName: bytes.toString('utf8', this.metricStart, this.metricEnd),
      unit: (seen & UNIT) === 0 ? undefined : bytes.toString('utf8', this.unitStart + 1, this.unitEnd - 1),
      labels:
        (seen & LABELS) === 0
          ? NO_LABELS
          : Object.freeze(JSON.parse(bytes.toString('utf8', this.labelsStart, this.labelsEnd)) as Labels),
    });
    this.singles.set(key, 0, length, series);
    return series;
  }

  /** Puts a part of the body behind what the key has, and ends it with a byte that stands in no JSON; gives the new length. */
  private addToKey(length: number, start: number, end: number): number {
    const after = length + end - start + 1;
    if (after > LONGEST_KEY) return LONGEST_KEY + 1;
    const { bytes } = this;
    let to = length;
    for (let at = start; at < end; at += 1) key[to++] = bytes[at] as number;
    key[to] = 0;
    return after;
  }

  /** Makes room for one more sample and gives its place. */
  private place(): number {
    if (this.count === this.values.length) this.grow();
    return this.count++;
  }

  private grow(): void {
    for (const column of ['timestamps', 'values'] as const) {
      const grown = new Float64Array(this.count * 2);
      grown.set(this[column]);
      this[column] = grown;
    }
  }
}

const isForm = (seen: number, { must, may }: typeof READING): boolean =>
  (seen & must) === must && (seen & ~(must | may)) === 0;
