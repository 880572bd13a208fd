import { inSlices } from '@device-metrics/domain';

/** From a start that no sender knows, who could choose keys that meet. */
const BASIS = Math.trunc(Math.random() * 2 ** 32) | 1;
const PRIME = 0x01000193;
/** Odd, with bits all over. */
const FINISH = 0x85ebca6b;

const FIRST_ARENA = 4096;
const FIRST_KEYS = 32;

/** The number of no key: keys have numbers from 1. */
const NONE = 0;

/**
 * Numbers keys, from 1, and finds the number of a key by its bytes as they came, without a string for each look-up. Bytes are
 * compared in full: two keys are never taken for one. Senders repeat their order, so that most look-ups are one comparison with the
 * key that followed last time.
 *
 * What it knows of a key stands in columns, by its number: as an object each it takes three times as much memory.
 */
export class ByteKeys {
  /** All keys, one behind the other. */
  private arena = new Uint8Array(FIRST_ARENA);
  private arenaView = new DataView(this.arena.buffer);
  /** Where each key begins in the arena, and behind the last one where the next will. */
  private begins = new Uint32Array(FIRST_KEYS);
  private count = 0;
  /** The key that was looked for after each the last time. */
  private followers = new Uint32Array(FIRST_KEYS);
  /** By their hashes the keys that came last; as long as the columns, which is a power of two. */
  private heads = new Uint32Array(FIRST_KEYS);
  /** The key before each whose hash leads to the same head. */
  private others = new Uint32Array(FIRST_KEYS);
  /** What was found last. */
  private last = NONE;
  private viewed: Uint8Array | undefined;
  private view: DataView = this.arenaView;

  /** How many there are. */
  get size(): number {
    return this.count;
  }

  /** How many bytes all have. */
  get bytes(): number {
    return this.begins[this.count + 1] as number;
  }

  /** The number of a key; 0 where it is not there. */
  find(bytes: Uint8Array, start: number, end: number): number {
    const view = this.viewOf(bytes);
    const { last, followers } = this;
    const guess = followers[last] as number;
    if (guess !== NONE && this.isKey(guess, view, start, end)) return (this.last = guess);
    const { heads, others } = this;
    let key = heads[hashOf(view, start, end) & (heads.length - 1)] as number;
    while (key !== NONE && !this.isKey(key, view, start, end)) key = others[key] as number;
    if (key !== NONE) {
      followers[last] = key;
      this.last = key;
    }
    return key;
  }

  /**
   * What `find` finds by two numbers of 32 bits, little-endian, with the bytes from `start` to before `end` behind them, where it
   * followed the last time: then nobody needs to put these into one key. 0 also where it is there, and did not follow.
   */
  following(first: number, second: number, bytes: Uint8Array, start: number, end: number): number {
    const { arenaView, begins } = this;
    const guess = this.followers[this.last] as number;
    if (guess === NONE) return NONE;
    const length = end - start;
    const at = begins[guess] as number;
    if ((begins[guess + 1] as number) - at !== length + 8) return NONE;
    if (arenaView.getUint32(at, true) !== first || arenaView.getUint32(at + 4, true) !== second) return NONE;
    if (length > 0 && !areSame(arenaView, at + 8, this.viewOf(bytes), start, length)) return NONE;
    return (this.last = guess);
  }

  /** The key that was looked for after the one found last the time before; 0 where there was none. */
  get expected(): number {
    return this.followers[this.last] as number;
  }

  /** Takes note that a key was found by others. */
  note(key: number): void {
    this.last = key;
  }

  /** Whether bytes are those of two keys, one behind the other. */
  areTwo(first: number, second: number, bytes: Uint8Array, start: number, end: number): boolean {
    const { arenaView, begins } = this;
    const at = begins[first] as number;
    const length = (begins[first + 1] as number) - at;
    const next = begins[second] as number;
    const rest = (begins[second + 1] as number) - next;
    if (length + rest !== end - start) return false;
    const view = this.viewOf(bytes);
    return areSame(arenaView, at, view, start, length) && areSame(arenaView, next, view, start + length, rest);
  }

  /** Four bytes of a key, as a number. */
  wordOf(key: number, at: number): number {
    return this.arenaView.getUint32((this.begins[key] as number) + at, true);
  }

  /** Takes in a key that is not there yet; its bytes are copied. */
  add(bytes: Uint8Array, start: number, end: number): number {
    const at = this.bytes;
    const after = at + end - start;
    const key = (this.count += 1);
    if (key + 1 === this.begins.length) this.growColumns();
    if (after > this.arena.length) this.growArena(at, after);
    this.arena.set(bytes.subarray(start, end), at);
    this.begins[key + 1] = after;
    this.followers[key] = NONE;
    this.link(key);
    this.followers[this.last] = key;
    this.last = key;
    return key;
  }

  /** Where a key stands: the bytes, and where it begins and ends in them. */
  at(key: number): readonly [bytes: Uint8Array, start: number, end: number] {
    return [this.arena, this.begins[key] as number, this.begins[key + 1] as number];
  }

  clear(): void {
    this.count = 0;
    this.heads.fill(NONE);
    this.followers[NONE] = NONE;
    this.last = NONE;
  }

  private link(key: number): void {
    const { begins, heads } = this;
    const hash = hashOf(this.arenaView, begins[key] as number, begins[key + 1] as number);
    const head = hash & (heads.length - 1);
    this.others[key] = heads[head] as number;
    heads[head] = key;
  }

  private growColumns(): void {
    for (const column of ['begins', 'followers', 'others'] as const) {
      const grown = new Uint32Array(2 * this[column].length);
      grown.set(this[column]);
      this[column] = grown;
    }
    this.heads = new Uint32Array(2 * this.heads.length);
    for (let key = 1; key < this.count; key += 1) this.link(key);
  }

  private growArena(used: number, least: number): void {
    const arena = new Uint8Array(Math.max(least, this.arena.length * 2));
    arena.set(this.arena.subarray(0, used));
    this.arena = arena;
    this.arenaView = new DataView(arena.buffer);
  }

  private viewOf(bytes: Uint8Array): DataView {
    if (bytes !== this.viewed) {
      this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      this.viewed = bytes;
    }
    return this.view;
  }

  private isKey(key: number, view: DataView, from: number, end: number): boolean {
    const { begins } = this;
    const start = begins[key] as number;
    const length = end - from;
    return (begins[key + 1] as number) - start === length && areSame(this.arenaView, start, view, from, length);
  }
}

/** Things by bytes. Bounded: when its keys are too many, or take too much memory, it starts again. */
export class ByteMap<T> {
  private readonly keys = new ByteKeys();
  /** By the numbers of their keys. */
  private readonly values: (T | undefined)[] = [undefined];
  /** How often it has started again. */
  starts = 0;

  /**
   * @param mostKeys how many keys there may be.
   * @param mostBytes how many bytes all keys may have.
   */
  constructor(
    private readonly mostKeys: number,
    private readonly mostBytes = mostKeys * 128,
  ) {}

  get size(): number {
    return this.keys.size;
  }

  get(bytes: Uint8Array, start: number, end: number): T | undefined {
    return this.values[this.keys.find(bytes, start, end)];
  }

  /** What `get` finds where it followed the last time; see there. */
  following(first: number, second: number, bytes: Uint8Array, start: number, end: number): T | undefined {
    return this.values[this.keys.following(first, second, bytes, start, end)];
  }

  /** Keeps a value by bytes that it does not have yet; they are copied. */
  set(bytes: Uint8Array, start: number, end: number, value: T): void {
    const { keys } = this;
    if (keys.size >= this.mostKeys || keys.bytes + end - start > this.mostBytes) this.clear();
    this.values[keys.add(bytes, start, end)] = value;
  }

  /** All that it has: the bytes that its keys are in, where each begins and ends there, and its value. */
  *entries(): Generator<readonly [bytes: Uint8Array, start: number, end: number, value: T]> {
    for (let key = 1; key <= this.keys.size; key += 1) yield [...this.keys.at(key), this.values[key] as T];
  }

  clear(): void {
    this.starts += 1;
    this.values.length = 1;
    this.keys.clear();
  }
}

/**
 * A `ByteMap` whose keys have two parts, of which many share one: each part is there once, and a key is the numbers of its two.
 */
export class PartedMap<T> {
  private readonly parts = new ByteKeys();
  private readonly pairs = new ByteKeys();
  private readonly values: (T | undefined)[] = [undefined];
  private readonly pair = new Uint8Array(8);
  private readonly pairView = new DataView(this.pair.buffer);
  /** How often it has started again. */
  starts = 0;

  /**
   * @param partAt where the second part of a key begins, which its bytes alone say; `start` to `end`.
   * @param mostKeys how many keys there may be.
   * @param mostBytes how many bytes all their parts may have.
   */
  constructor(
    private readonly partAt: (bytes: Uint8Array, start: number, end: number) => number,
    private readonly mostKeys: number,
    private readonly mostBytes = mostKeys * 128,
  ) {}

  get size(): number {
    return this.pairs.size;
  }

  get(bytes: Uint8Array, start: number, end: number): T | undefined {
    const { parts, pairs, pair } = this;
    const guess = pairs.expected;
    if (guess !== NONE && parts.areTwo(pairs.wordOf(guess, 0), pairs.wordOf(guess, 4), bytes, start, end)) {
      pairs.note(guess);
      return this.values[guess];
    }
    const middle = this.partAt(bytes, start, end);
    const first = parts.find(bytes, start, middle);
    const rest = first && parts.find(bytes, middle, end);
    if (rest === NONE) return undefined;
    this.put(first, rest);
    return this.values[pairs.find(pair, 0, 8)];
  }

  /** Keeps a value by bytes that it does not have yet; they are copied. */
  set(bytes: Uint8Array, start: number, end: number, value: T): void {
    const { parts, pairs } = this;
    if (pairs.size >= this.mostKeys || parts.bytes + end - start > this.mostBytes) this.clear();
    const middle = this.partAt(bytes, start, end);
    this.put(numberOf(parts, bytes, start, middle), numberOf(parts, bytes, middle, end));
    this.values[pairs.add(this.pair, 0, 8)] = value;
  }

  clear(): void {
    this.starts += 1;
    this.values.length = 1;
    this.parts.clear();
    this.pairs.clear();
  }

  private put(first: number, rest: number): void {
    this.pairView.setUint32(0, first, true);
    this.pairView.setUint32(4, rest, true);
  }
}

/** The number of a key, which is taken in where it is not there yet. */
const numberOf = (keys: ByteKeys, bytes: Uint8Array, start: number, end: number): number =>
  keys.find(bytes, start, end) || keys.add(bytes, start, end);

/**
 * What one body finds in a map that others share. What it names first is its own until `keep`: who sends ever new names that lead to
 * nothing fills no memory, and takes from others nothing that they have named.
 */
export class BodyKeys<T> {
  private fresh: ByteMap<T> | undefined;
  private readonly starts: number;

  constructor(private readonly known: Pick<ByteMap<T>, 'get' | 'set' | 'starts'>) {
    this.starts = known.starts;
  }

  /** How many are its own. */
  get size(): number {
    return this.fresh?.size ?? 0;
  }

  get(bytes: Uint8Array, start: number, end: number): T | undefined {
    return this.known.get(bytes, start, end) ?? this.fresh?.get(bytes, start, end);
  }

  /** Keeps a value by bytes that are not there yet; they are copied. */
  set(bytes: Uint8Array, start: number, end: number, value: T): void {
    (this.fresh ??= new ByteMap(Infinity)).set(bytes, start, end, value);
  }

  /** Gives others what `isWanted` of its own, in slices; nothing once the map has started again, which says that names mean something else. */
  async keep(isWanted: (value: T) => boolean): Promise<void> {
    if (!this.fresh) return;
    const { known, starts } = this;
    await inSlices(this.fresh.entries(), ([bytes, start, end, value]) => {
      if (known.starts !== starts || !isWanted(value)) return;
      // Another body may have named it meanwhile.
      if (!known.get(bytes, start, end)) known.set(bytes, start, end, value);
    });
  }
}

/**
 * Whether so many bytes of two views are the same. Compared as doubles, eight at a time, which takes a third of the time. What is rare
 * stands elsewhere: this one is short enough to become part of what calls it.
 */
function areSame(one: DataView, start: number, other: DataView, from: number, length: number): boolean {
  const last = length - 8;
  if (last < 0) return areSameFew(one, start, other, from, length);
  for (let at = 0; ; at = at + 8 < last ? at + 8 : last) {
    const double = one.getFloat64(start + at, true);
    // Doubles that are equal have the same bits, unless they are zeros.
    const isSame = double === other.getFloat64(from + at, true) && double !== 0;
    if (!isSame && !areSameBits(one, start + at, other, from + at)) return false;
    if (at === last) return true;
  }
}

const areSameBits = (one: DataView, start: number, other: DataView, from: number): boolean =>
  one.getInt32(start, true) === other.getInt32(from, true) &&
  one.getInt32(start + 4, true) === other.getInt32(from + 4, true);

function areSameFew(one: DataView, start: number, other: DataView, from: number, length: number): boolean {
  for (let at = 0; at < length; at += 1) if (one.getUint8(start + at) !== other.getUint8(from + at)) return false;
  return true;
}

/** Whether the bytes from `start` to before `end` are those of `key`. */
export function isAt(key: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  if (key.length !== end - start) return false;
  for (let index = 0; index < key.length; index += 1) if (key[index] !== bytes[start + index]) return false;
  return true;
}

/** Bytes that are kept, to be looked for where others stand. To ask a view for its length is a call, to ask this is none. */
export class KeptBytes {
  readonly length: number;
  private readonly view: DataView;

  constructor(readonly bytes: Uint8Array<ArrayBuffer>) {
    this.length = bytes.length;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  /** Whether they stand at a place of other bytes, which are `size` in all. */
  isAt(other: DataView, size: number, start: number): boolean {
    return start + this.length <= size && areSame(this.view, 0, other, start, this.length);
  }
}

/** As FNV-1a, but of four bytes at a time, with every bit of which each later one is mixed, and at the end those below as well. */
function hashOf(view: DataView, start: number, end: number): number {
  let hash = BASIS ^ (end - start);
  let at = start;
  for (; at + 3 < end; at += 4) hash = Math.imul(((hash << 15) | (hash >>> 17)) ^ view.getInt32(at, true), PRIME);
  for (; at < end; at += 1) hash = Math.imul(((hash << 15) | (hash >>> 17)) ^ view.getUint8(at), PRIME);
  // The low bits of a product know nothing of the high ones of what it is of.
  hash = Math.imul(hash ^ (hash >>> 16), FINISH);
  return hash ^ (hash >>> 15);
}
