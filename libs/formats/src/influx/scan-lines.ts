import { convert, lowerBound, reasonOf, Slices, type Conversion } from '@device-metrics/domain';
import { isAt } from '../byte-map.js';
import type { SpareColumns } from '../spare-columns.js';
import {
  KnownLines,
  MAX_FIELDS,
  nameOf,
  NO_NAMES,
  type Field,
  type LineGroup,
  type LineMeaning,
  type MakeLineGroup,
  type Prefix,
  type UsualNames,
} from './known-lines.js';
import {
  BACKSLASH,
  BLANK,
  COMMA,
  EQUALS,
  FEED,
  HASH,
  LineCursor,
  LONGEST_VALUE,
  MAX_LOOKED_AT,
  NONE,
  QUOTE,
} from './line-cursor.js';
import { faultOfLine, valueOf, type SaidPrecision } from './line-protocol.js';

/** A line or a field of it that could not be read. */
export interface WrongLine {
  /** In the text, from 1. */
  readonly line: number;
  readonly reason: string;
}

/** The numbers of a text, position by position in the order in which they stand. */
export interface ScannedLines<T, G> {
  /** Undefined where `groups` have them. */
  readonly series: T[] | undefined;
  /** The series, one group behind the other, where each line has all numbers that are known of its names, in the usual order. */
  readonly groups: readonly G[] | undefined;
  /** Unix ms; of lines without a time it is the one that was given for them. */
  readonly timestamps: Float64Array;
  readonly values: Float64Array;
  /** The line of a position. */
  readonly lineOf: (position: number) => number;
  /** How many lines and fields could not be read. */
  readonly wrongCount: number;
  /** The first of them. */
  readonly wrong: readonly WrongLine[];
  /** How many fields were texts, and the names of those that were not known for one before. */
  readonly texts: number;
  readonly newTexts: readonly string[];
}

export interface ScanOptions {
  /** What a timestamp counts. */
  readonly precision: SaidPrecision;
  /** The time of lines without one, Unix ms. */
  readonly receivedAt: number;
  /** Of how many wrong lines to say what is wrong. */
  readonly mostWrong?: number;
  /** Memory for times and values that nobody uses any more, as an earlier scan has left it. */
  readonly spare?: SpareColumns | undefined;
}

/** The body has more fields than are taken at once. */
export class TooManyFieldsError extends Error {
  override readonly name = 'TooManyFieldsError';
}

/** Numbers of one text that there is room for from the start. */
const USUAL_NUMBERS = 1 << 16;

/** So many bytes, or fields of one line, are cheap enough to go without a look at the clock. */
const BYTES_WITHOUT_LOOK = 8 * 1024;
const FIELDS_WITHOUT_LOOK = 64;

/** The field whose text may say the unit of others, as it is kept. */
const UNIT = new TextEncoder().encode('unit=');
/** A text of more bytes is no unit. */
const LONGEST_UNIT = 64;

/** Lines of more fields are no groups: to make one would hold up others. */
const MOST_GROUPED = 1_000;

/**
 * Reads Influx line protocol from bytes, as `parseLineProtocol` reads it from text. What a line and a field are called is
 * looked at once; later ones are found by their bytes, and numbers are read from bytes. What is not as usual is left to the
 * parser of texts, so that both take and refuse the same, for the same reasons.
 *
 * @see KnownLines for what it keeps.
 */
export class LineScanner<T, G extends LineGroup<T>> {
  private readonly known: KnownLines<T, G>;

  constructor(meaning: LineMeaning<T>, groupOf: MakeLineGroup<T, G>, mostFields: number) {
    this.known = new KnownLines(meaning, groupOf, mostFields);
  }

  /**
   * Reads a text, in slices.
   *
   * @throws TooManyFieldsError when there are more than MAX_FIELDS numbers.
   */
  async scan(text: Uint8Array, options: ScanOptions): Promise<ScannedLines<T, G>> {
    return new Scan(this.known, withFeed(text), options).run();
  }
}

/** So that every loop ends at a line feed. */
function withFeed(text: Uint8Array): Uint8Array {
  if (text.length > 0 && text[text.length - 1] === FEED) return text;
  const ended = new Uint8Array(text.length + 1);
  ended.set(text);
  ended[text.length] = FEED;
  return ended;
}

/** One pass through one text. */
class Scan<T, G extends LineGroup<T>> extends LineCursor {
  /** Of lines that are no groups, one behind the other. */
  private readonly series: T[] = [];
  private timestamps: Float64Array;
  private values: Float64Array;
  private count = 0;
  private line = 1;
  private readonly slices = new Slices();
  /** Of the line that is read: its names once they are known, where it begins, and what was there before it. */
  private prefix: Prefix<T, G> | undefined;
  private start = 0;
  private first = 0;
  private seriesBefore = 0;
  private textsBefore = 0;
  private wrongBefore = 0;
  /** The place of the field that comes in the usual order, and whether those before it came in that. */
  private place = 0;
  private isInOrder = true;
  /** Whether nothing of its fields had to be looked at until now: then `series` has none of them. */
  private isUsual = true;
  /** Whether its fields mean something else than was thought, since it says another unit, and so it is read a second time. */
  private isRenamed = false;
  private isSecondTime = false;
  /** Where the positions of each line begin, its number, and its group. */
  private readonly starts: number[] = [];
  private readonly lines: number[] = [];
  private readonly groups: (G | undefined)[] = [];
  /** Lines that are no groups. */
  private others = 0;
  private readonly wrong: WrongLine[] = [];
  private wrongCount = 0;
  private texts = 0;
  private readonly newTexts: string[] = [];

  constructor(
    private readonly known: KnownLines<T, G>,
    bytes: Uint8Array,
    private readonly options: ScanOptions,
  ) {
    super(bytes, options.precision);
    const usual = Math.max(64, Math.min(USUAL_NUMBERS, bytes.length >> 4));
    this.timestamps = options.spare?.timestamps ?? new Float64Array(usual);
    this.values = options.spare?.values ?? new Float64Array(usual);
  }

  async run(): Promise<ScannedLines<T, G>> {
    const { bytes, groups, wrong, newTexts, slices } = this;
    const { made } = this.known;
    while (this.at < bytes.length) {
      const until = Math.min(bytes.length, this.at + BYTES_WITHOUT_LOOK);
      while (this.at < until && this.readLine());
      if (slices.isOver()) await slices.afterNew(this.known.made - made);
    }
    return {
      series: this.others > 0 ? await this.seriesOfAll() : undefined,
      groups: this.others > 0 ? undefined : (groups as G[]),
      timestamps: this.timestamps.subarray(0, this.count),
      values: this.values.subarray(0, this.count),
      lineOf: (position) => this.lineOf(position),
      wrongCount: this.wrongCount,
      wrong,
      texts: this.texts,
      newTexts,
    };
  }

  /** The series of every position, in slices: those of groups may have to be named for it. */
  private async seriesOfAll(): Promise<T[]> {
    const { series, starts, groups, count, slices } = this;
    if (this.others === groups.length) return series;
    const all = new Array<T>(count);
    let from = 0;
    let at = 0;
    for (let line = 0; line < groups.length; line += 1) {
      const group = groups[line];
      const end = starts[line + 1] ?? count;
      if (group) for (const one of group.series) all[at++] = one;
      while (at < end) all[at++] = series[from++] as T;
      if (slices.isOver()) await slices.next();
    }
    return all;
  }

  /** Reads a line, or goes on with it; false where it has so many fields that others get their turn first. */
  private readLine(): boolean {
    const { bytes } = this;
    if (!this.prefix) {
      this.start = this.at;
      this.skipBlanks();
      if (this.isAtEnd() || bytes[this.at] === HASH) {
        this.endLine(this.at);
        return true;
      }
      this.first = this.count;
      this.seriesBefore = this.series.length;
      this.textsBefore = this.texts;
      this.wrongBefore = this.wrongCount;
      this.place = 0;
      this.isInOrder = true;
      this.isUsual = true;
      this.prefix = this.readPrefix();
    }
    const { prefix, start, first, textsBefore } = this;
    const isRead = prefix !== undefined && this.readNumbers(prefix);
    if (isRead === undefined) return false;
    this.prefix = undefined;
    this.isSecondTime = this.isRenamed;
    if (this.isRenamed) {
      this.isRenamed = false;
      this.takeBack();
      this.at = start;
      return true;
    }
    if (!isRead || !this.readTime(first)) {
      this.refuseLine();
      return true;
    }
    if (prefix && this.count > first) this.addLine(prefix);
    // The text of a field may have line feeds.
    if (this.texts > textsBefore) this.line += feedsIn(bytes, start, this.at);
    this.endLine(this.at);
    return true;
  }

  /** Takes in a line, as a group where it had all fields in the usual order, and a number for each that has had one. */
  private addLine(prefix: Prefix<T, G>): void {
    const { length, numbers } = prefix;
    const isGroup =
      length <= MOST_GROUPED && this.isInOrder && this.place === length && this.count - this.first === numbers;
    this.starts.push(this.first);
    this.lines.push(this.line);
    this.groups.push(isGroup ? this.known.usualOf(prefix).group : undefined);
    if (this.isUsual) prefix.letGo();
    else if (isGroup) this.series.length = this.seriesBefore;
    if (!isGroup) this.others += 1;
  }

  /** Takes back what the line has had until now. */
  private takeBack(): void {
    this.count = this.first;
    this.series.length = this.seriesBefore;
    this.texts = this.textsBefore;
    this.wrongCount = this.wrongBefore;
    this.wrong.length = Math.min(this.wrong.length, this.wrongCount);
  }

  /** Takes the line back, and says what is wrong with it. */
  private refuseLine(): void {
    const { start } = this;
    this.takeBack();
    this.refuse(() => this.faultOf(start, this.feedFrom(this.at)));
    // The text of a field may have taken lines with it that are good by themselves.
    this.endLine(start);
  }

  private faultOf(start: number, end: number): string {
    if (end - start <= MAX_LOOKED_AT) return faultOfLine(this.textTo(start, end)) ?? 'must be UTF-8';
    return `is wrong: a line of ${end - start} bytes is not searched for what; names and values must have at most ${MAX_LOOKED_AT} bytes`;
  }

  /** Goes to the beginning of the line after `at`. */
  private endLine(at: number): void {
    this.at = this.feedFrom(at) + 1;
    this.line += 1;
  }

  /** The names at the beginning of the line; afterwards the fields come. */
  private readPrefix(): Prefix<T, G> | undefined {
    const { bytes, view, known, at } = this;
    let prefix = known.guess(bytes, view, at);
    if (prefix) {
      this.at = at + prefix.key.length;
    } else {
      const end = this.endOfPart(at, NONE, NONE);
      if (bytes[end] !== BLANK || end - at > MAX_LOOKED_AT) return undefined;
      this.at = end;
      prefix = known.prefixAt(bytes, at, end);
    }
    this.skipBlanks();
    return prefix;
  }

  /** Reads the fields of a line; false where it is wrong, undefined where others get their turn before it goes on. */
  private readNumbers(prefix: Prefix<T, G>): boolean | undefined {
    if (this.isUsual) {
      const { names } = prefix.usual ?? { names: NO_NAMES };
      const isOver = this.readUsual(names);
      if (isOver === undefined) return undefined;
      if (isOver && this.place === prefix.length) return true;
      this.isUsual = false;
      for (let place = 0; place < this.place; place += 1) this.series.push(prefix.fields[place]?.series as T);
      if (isOver) return true;
    }
    return this.readFields(prefix);
  }

  /**
   * Reads fields as long as they come as usual: nothing of the fields themselves need be looked at. True where there are no more;
   * undefined where others get their turn before it goes on.
   */
  private readUsual({ keys, conversions }: UsualNames): boolean | undefined {
    const { bytes, view, first } = this;
    const size = bytes.length;
    const before = this.count;
    let { at, count, place } = this;
    let isOver: boolean | undefined = false;
    for (; !isOver; place += 1) {
      const key = keys[place];
      if (!key?.isAt(view, size, at)) break;
      const end = this.numberAt(at + key.length);
      if (end < 0) break;
      if (count === this.values.length) this.grow();
      this.values[count++] = this.number;
      isOver = bytes[end] !== COMMA;
      at = isOver ? end : end + 1;
      if (isOver || place % FIELDS_WITHOUT_LOOK !== FIELDS_WITHOUT_LOOK - 1 || !this.slices.isOver()) continue;
      isOver = undefined;
      break;
    }
    this.at = at;
    this.count = count;
    this.place = count - first;
    if (conversions) this.convertFrom(before, conversions);
    return isOver;
  }

  private convertFrom(start: number, conversions: readonly (Conversion | undefined)[]): void {
    const { values, first } = this;
    for (let at = start; at < this.count; at += 1) {
      const conversion = conversions[at - first];
      if (conversion) values[at] = convert(values[at] as number, conversion);
    }
  }

  /** False where the line is wrong; undefined where others get their turn before it goes on. */
  private readFields(prefix: Prefix<T, G>): boolean | undefined {
    const { bytes } = this;
    let left = FIELDS_WITHOUT_LOOK;
    for (;;) {
      const place = this.readName(prefix, this.place);
      if (place < 0 || !this.readValue(prefix, prefix.fields[place] as Field<T>)) return false;
      if (place !== this.place) this.isInOrder = false;
      this.place = place + 1;
      if (bytes[this.at] !== COMMA) return true;
      this.at += 1;
      if ((left -= 1) > 0) continue;
      left = FIELDS_WITHOUT_LOOK;
      if (this.slices.isOver()) return undefined;
    }
  }

  /** The place of the field that comes; afterwards its value does. Negative where there is none. */
  private readName(prefix: Prefix<T, G>, place: number): number {
    const { bytes, at } = this;
    const expected = prefix.fields[place];
    if (expected?.key.isAt(this.view, bytes.length, at)) {
      this.at = at + expected.key.length;
      return place;
    }
    const end = this.endOfPart(at, COMMA, EQUALS);
    if (end === at || bytes[end] !== EQUALS || end - at > MAX_LOOKED_AT) return -1;
    this.at = end + 1;
    const found = prefix.find(bytes, at, end + 1);
    return found >= 0 ? found : this.known.addField(prefix, bytes, at, end + 1);
  }

  /** False where the line is wrong; a value that is no number only costs itself. */
  private readValue(prefix: Prefix<T, G>, field: Field<T>): boolean {
    if (this.bytes[this.at] === QUOTE) return this.skipText(prefix, field);
    const end = this.decimalAt(this.at);
    if (end < 0) return this.readUnusual(prefix, field);
    this.at = end;
    this.add(prefix, field, this.number);
    return true;
  }

  /** A value that is no short decimal. */
  private readUnusual(prefix: Prefix<T, G>, field: Field<T>): boolean {
    const start = this.at;
    const end = this.endOfPart(start, COMMA, COMMA);
    if (end === start || end - start > MAX_LOOKED_AT) return false;
    this.at = end;
    try {
      // What is longer is no number, and its beginning says so.
      this.add(
        prefix,
        field,
        valueOf(nameOf(field.key) ?? '', this.textTo(start, Math.min(end, start + LONGEST_VALUE))),
      );
    } catch (error) {
      this.refuse(() => reasonOf(error));
    }
    return true;
  }

  private add(prefix: Prefix<T, G>, field: Field<T>, value: number): void {
    const series = field.series ?? prefix.learn(field);
    if (series === undefined) return this.refuse(() => 'the name of a field must be UTF-8');
    if (this.count === this.values.length) this.grow();
    this.series.push(series);
    this.values[this.count++] = field.conversion ? convert(value, field.conversion) : value;
  }

  /** Past the text of a field, which is counted; false where it does not end. */
  private skipText(prefix: Prefix<T, G>, field: Field<T>): boolean {
    const { bytes } = this;
    const start = this.at + 1;
    let at = start;
    while (at < bytes.length && bytes[at] !== QUOTE) at += bytes[at] === BACKSLASH ? 2 : 1;
    if (at >= bytes.length) return false;
    this.at = at + 1;
    const byte = bytes[this.at];
    if (byte !== COMMA && byte !== BLANK && !this.isAtEnd()) return false;
    if (isAt(UNIT, field.key.bytes, 0, field.key.length) && at - start <= LONGEST_UNIT && !this.isSecondTime) {
      this.isRenamed = prefix.saysUnit(bytes, start, at);
      if (this.isRenamed) return false;
    }
    this.texts += 1;
    if (!field.isText) {
      field.isText = true;
      const name = `${prefix.measurement} ${nameOf(field.key) ?? ''}`;
      if (this.newTexts.length < 10 && !this.newTexts.includes(name)) this.newTexts.push(name);
    }
    return true;
  }

  /** Gives the samples of this line their time; false where the line does not end after it. */
  private readTime(first: number): boolean {
    this.skipBlanks();
    let time = this.options.receivedAt;
    if (!this.isAtEnd()) {
      const read = this.readTimestamp();
      if (read === undefined) return false;
      time = read;
      this.skipBlanks();
      if (!this.isAtEnd()) return false;
    }
    this.timestamps.fill(time, first, this.count);
    return true;
  }

  private refuse(reason: () => string): void {
    this.wrongCount += 1;
    const { wrong, options, line } = this;
    if (wrong.length < (options.mostWrong ?? Infinity)) wrong.push({ line, reason: reason() });
  }

  private grow(): void {
    const { length } = this.values;
    if (length >= MAX_FIELDS) throw new TooManyFieldsError(`at most ${MAX_FIELDS} numbers at once`);
    const capacity = Math.min(MAX_FIELDS, length * 2);
    for (const column of ['timestamps', 'values'] as const) {
      const grown = new Float64Array(capacity);
      grown.set(this[column]);
      this[column] = grown;
    }
  }

  private lineOf(position: number): number {
    return this.lines[lowerBound(this.starts, position + 1) - 1] as number;
  }
}

function feedsIn(bytes: Uint8Array, start: number, end: number): number {
  let feeds = 0;
  for (let at = start; at < end; at += 1) if (bytes[at] === FEED) feeds += 1;
  return feeds;
}
