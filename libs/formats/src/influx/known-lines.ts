import type { Conversion, Labels } from '@device-metrics/domain';
import { ByteMap, isAt, KeptBytes } from '../byte-map.js';
import { BLANK } from './line-cursor.js';
import { asPlain, readPrefix } from './line-protocol.js';

/** What the values of a field are: samples of a series, in its unit. */
export interface FieldMeaning<T> {
  readonly series: T;
  /** What makes values of the series of those that are sent. */
  readonly conversion?: Conversion | undefined;
}

/**
 * What the fields of lines with these names mean; the second is asked once for each field.
 *
 * @param unit the text of the field `unit`, if there is one; once it is another, all is asked again.
 */
export type LineMeaning<T> = (
  measurement: string,
  tags: Labels,
  unit: string | undefined,
) => (field: string) => FieldMeaning<T>;

/** Series that lines have again and again. */
export interface LineGroup<T> {
  readonly series: readonly T[];
}

/**
 * Makes a group of series.
 *
 * @param again gives the same once more, so that nobody needs to keep them; left out where they are kept anyhow.
 */
export type MakeLineGroup<T, G> = (series: readonly T[], again?: () => readonly T[]) => G;

/** Numbers that are taken of one text, and so the fields that one line can have. */
export const MAX_FIELDS = 500_000;

/** Fields of a line that are gone through one by one: a map of their own takes more memory than all else of them. */
const FEW_FIELDS = 64;

export class Field<T> {
  /** What it means, once it has had a number. */
  series: T | undefined = undefined;
  conversion: Conversion | undefined = undefined;
  isText = false;

  /** @param key its name as it was sent, with the equals sign. */
  constructor(readonly key: KeptBytes) {}

  withMeaning({ series, conversion }: FieldMeaning<T>): this {
    this.series = series;
    this.conversion = conversion;
    return this;
  }
}

/** What many lines have in the same order. */
export interface UsualNames {
  /** Names of the fields, where each has had a number; none where one has not. */
  readonly keys: readonly KeptBytes[];
  /** By field; undefined where nothing is converted. */
  readonly conversions: readonly (Conversion | undefined)[] | undefined;
}

/** What lines with the same measurement and tags have in their usual order. */
interface UsualFields<G> {
  readonly names: UsualNames;
  /** Of the fields that have had numbers. */
  readonly group: G;
}

/** Measurement and tags of lines. */
export class Prefix<T, G> {
  /** How many fields are known, and how many of them have had a number. */
  length = 0;
  numbers = 0;
  /** Undefined where nobody has asked since they became others. */
  usual: UsualFields<G> | undefined = undefined;
  /** What came on the line after it. */
  next: Prefix<T, G> | undefined = undefined;
  private known: Field<T>[] | undefined = [];
  /** Whether they had to be made once more. */
  private isNeeded = false;
  private byKey: ByteMap<number> | undefined;
  private unit: Uint8Array | undefined;

  constructor(
    readonly key: KeptBytes,
    private readonly meaning: LineMeaning<T>,
    private meaningOf: ReturnType<LineMeaning<T>> | undefined,
  ) {}

  get measurement(): string {
    return namesAt(this.key.bytes).measurement;
  }

  /** Fields in the order in which they were first sent. */
  get fields(): Field<T>[] {
    if (this.known) return this.known;
    this.isNeeded = true;
    return (this.known = this.fieldsAgain(this.usual?.names.keys ?? []));
  }

  /** The place of a field; -1 while it is not known. */
  find(bytes: Uint8Array, start: number, end: number): number {
    const { fields } = this;
    if (fields.length <= FEW_FIELDS) return fields.findIndex(({ key }) => isAt(key.bytes, bytes, start, end));
    if (!this.byKey) {
      this.byKey = new ByteMap(MAX_FIELDS, Infinity);
      fields.forEach((field, place) => this.setPlace(field, place));
    }
    return this.byKey.get(bytes, start, end) ?? -1;
  }

  add(field: Field<T>): number {
    const { fields } = this;
    this.usual = undefined;
    this.setPlace(field, fields.length);
    this.length = fields.push(field);
    return this.length - 1;
  }

  /** Asks what a field means; undefined where its name is not UTF-8. */
  learn(field: Field<T>): T | undefined {
    const name = nameOf(field.key);
    if (name === undefined) return undefined;
    this.meaningOf ??= this.meant();
    field.withMeaning(this.meaningOf(name));
    this.numbers += 1;
    this.usual = undefined;
    return field.series;
  }

  /** Takes in the text of the field `unit`; true where that changes what the fields mean. */
  saysUnit(bytes: Uint8Array, start: number, end: number): boolean {
    if (this.unit && isAt(this.unit, bytes, start, end)) return false;
    this.unit = copyOf(bytes, start, end);
    this.meaningOf = undefined;
    const numbers = this.fields.filter(({ series }) => series !== undefined);
    if (numbers.length === 0) return false;
    this.usual = undefined;
    this.meaningOf = this.meant();
    for (const field of numbers) field.withMeaning(this.meaningOf(nameOf(field.key) as string));
    return true;
  }

  /** Fields of these names, made once more; each has had a number. */
  fieldsAgain(keys: readonly KeptBytes[]): Field<T>[] {
    const meaningOf = this.meant();
    return keys.map((key) => new Field<T>(key).withMeaning(meaningOf(nameOf(key) as string)));
  }

  /**
   * Keeps no fields as long as all lines come as usual: of very many lines they are most of what is known. Once they have had to be made
   * again they are kept.
   */
  letGo(): void {
    if (!this.known || this.isNeeded || this.known.some(({ isText }) => isText)) return;
    this.known = undefined;
    this.meaningOf = undefined;
    this.byKey = undefined;
  }

  private meant(): ReturnType<LineMeaning<T>> {
    const { measurement, tags } = namesAt(this.key.bytes);
    return this.meaning(measurement, tags, this.unit && textOf(this.unit));
  }

  private setPlace({ key }: Field<T>, place: number): void {
    this.byKey?.set(key.bytes, 0, key.length, place);
  }
}

/**
 * What the lines of earlier texts were called, and their fields, found by their bytes: of at most `mostFields` fields of all lines;
 * beyond that it starts again. Series that lines have again and again are one group, which `groupOf` makes once.
 */
export class KnownLines<T, G extends LineGroup<T>> {
  private readonly prefixes: ByteMap<Prefix<T, G>>;
  /** Names of fields, which many lines share. */
  private readonly names: ByteMap<KeptBytes>;
  /** Lists of them by their length: lines with the same fields have one, which then is at hand for each of them. */
  private readonly lists = new Map<number, UsualNames>();
  private known = 0;
  private last: Prefix<T, G> | undefined;
  /** Fields that it has taken in since it began. */
  made = 0;

  constructor(
    private readonly meaning: LineMeaning<T>,
    private readonly groupOf: MakeLineGroup<T, G>,
    private readonly mostFields: number,
  ) {
    this.prefixes = new ByteMap(mostFields);
    this.names = new ByteMap(mostFields);
  }

  /** The names that a line begins with, in front of a blank; undefined where they are wrong. */
  prefixAt(bytes: Uint8Array, start: number, end: number): Prefix<T, G> | undefined {
    const prefix = this.prefixes.get(bytes, start, end) ?? this.addPrefix(bytes, start, end);
    if (this.last) this.last.next = prefix;
    this.last = prefix;
    return prefix;
  }

  /** The one that came after the last one before, if it stands here too. */
  guess(bytes: Uint8Array, view: DataView, start: number): Prefix<T, G> | undefined {
    const prefix = this.last?.next;
    if (!prefix) return undefined;
    if (bytes[start + prefix.key.length] !== BLANK || !prefix.key.isAt(view, bytes.length, start)) return undefined;
    this.last = prefix;
    return prefix;
  }

  addField(prefix: Prefix<T, G>, bytes: Uint8Array, start: number, end: number): number {
    if (this.known >= this.mostFields) this.clear();
    this.known += 1;
    this.made += 1;
    let key = this.names.get(bytes, start, end);
    if (!key) {
      key = new KeptBytes(copyOf(bytes, start, end));
      this.names.set(bytes, start, end, key);
    }
    return prefix.add(new Field<T>(key));
  }

  /** All that is known of lines with these names. */
  usualOf(prefix: Prefix<T, G>): UsualFields<G> {
    return (prefix.usual ??= this.findUsual(prefix));
  }

  private findUsual(prefix: Prefix<T, G>): UsualFields<G> {
    const { fields, numbers } = prefix;
    const series = fields.flatMap(({ series }) => series ?? []);
    const names = this.namesOf(fields, numbers === fields.length);
    const { keys } = names;
    const again = (): T[] => prefix.fieldsAgain(keys).map((field) => field.series as T);
    return { names, group: keys.length > 0 ? this.groupOf(series, again) : this.groupOf(series) };
  }

  private namesOf(fields: readonly Field<T>[], areNumbers: boolean): UsualNames {
    if (!areNumbers) return NO_NAMES;
    const known = this.lists.get(fields.length);
    const isKnown = known?.keys.every((key, place) => {
      const field = fields[place] as Field<T>;
      return key === field.key && known.conversions?.[place] === field.conversion;
    });
    if (known && isKnown) return known;
    const conversions = fields.map(({ conversion }) => conversion);
    const names = {
      keys: fields.map(({ key }) => key),
      conversions: conversions.some((one) => one) ? conversions : undefined,
    };
    this.lists.set(fields.length, names);
    return names;
  }

  private addPrefix(bytes: Uint8Array, start: number, end: number): Prefix<T, G> | undefined {
    try {
      const { measurement, tags } = namesAt(bytes.subarray(start, end));
      const key = new KeptBytes(copyOf(bytes, start, end));
      const prefix = new Prefix<T, G>(key, this.meaning, this.meaning(measurement, tags, undefined));
      this.prefixes.set(bytes, start, end, prefix);
      return prefix;
    } catch {
      return undefined;
    }
  }

  private clear(): void {
    this.prefixes.clear();
    this.names.clear();
    this.lists.clear();
    this.known = 0;
    this.last = undefined;
  }
}

export const NO_NAMES: UsualNames = { keys: [], conversions: undefined };

const UTF8 = new TextDecoder('utf-8', { fatal: true });

/** @throws Error where they are wrong, or no UTF-8. */
function namesAt(bytes: Uint8Array): { readonly measurement: string; readonly tags: Labels } {
  const { measurement, tags } = readPrefix(UTF8.decode(bytes));
  return { measurement, tags: Object.freeze(tags) };
}

/** The name of a field; undefined where it is not UTF-8. */
export function nameOf({ bytes }: KeptBytes): string | undefined {
  const text = textOf(bytes.subarray(0, -1));
  return text === undefined ? undefined : asPlain(text);
}

/** Undefined where it is not UTF-8. */
function textOf(bytes: Uint8Array): string | undefined {
  try {
    return UTF8.decode(bytes);
  } catch {
    return undefined;
  }
}

const copyOf = (bytes: Uint8Array, start: number, end: number): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(bytes.subarray(start, end));
