import { inSlices } from '@device-metrics/domain';

/** From a start that no sender knows, who could choose keys that meet. */
const BASIS = Math.trunc(Math.random() * 2 ** 32) | 1;
const PRIME = 0x01000193;

const FIRST_ARENA = 4096;

interface Entry<T> {
  /** Where its key stands in the arena. */
  readonly start: number;
  readonly length: number;
  readonly value: T;
  /** The one before it with the same hash. */
  readonly other: Entry<T> | undefined;
  /** The one that was looked for after it the last time. */
  follower: Entry<T> | undefined;
}

/**
 * Finds things by bytes as they came, without a string for each look-up. Bounded: when its keys are too many, or take too
 * much memory, it starts again. Bytes are compared in full: two keys are never taken for one. Senders repeat their order,
 * so that most look-ups are one comparison with the key that followed last time.
 */
export class ByteMap<T> {
  private readonly buckets = new Map<number, Entry<T>>();
  /** All keys, one behind the other. */
  private arena = new Uint8Array(FIRST_ARENA);
  private arenaView = new DataView(this.arena.buffer);
  private bytes = 0;
  private count = 0;
  /** How often it has started again. */
  starts = 0;
  /** What was found last. */
  private last: Entry<T> | undefined;
  private viewed: Uint8Array | undefined;
  private view: DataView = this.arenaView;

  /**
   * @param mostKeys how many keys there may be.
   * @param mostBytes how many bytes all keys may have.
   */
  constructor(
    private readonly mostKeys: number,
    private readonly mostBytes = mostKeys * 128,
  ) {}

  get size(): number {
    return this.count;
  }

  get(bytes: Uint8Array, start: number, end: number): T | undefined {
    const view = this.viewOf(bytes);
    const { last } = this;
    const guess = last?.follower;
    if (guess && this.isKey(guess, view, start, end)) {
      this.last = guess;
      return guess.value;
    }
    let entry = this.buckets.get(hashOf(view, start, end));
    while (entry && !this.isKey(entry, view, start, end)) entry = entry.other;
    if (!entry) return undefined;
    if (last) last.follower = entry;
    this.last = entry;
    return entry.value;
  }

  /**
   * What `get` finds by two numbers of 32 bits, little-endian, with the bytes from `start` to before `end` behind them, where it
   * followed the last time: then nobody needs to put these into one key. Undefined also where it is there, and did not follow.
   */
  following(first: number, second: number, bytes: Uint8Array, start: number, end: number): T | undefined {
    const guess = this.last?.follower;
    const length = end - start;
    if (guess?.length !== length + 8) return undefined;
    const { arenaView } = this;
    const at = guess.start;
    if (arenaView.getUint32(at, true) !== first || arenaView.getUint32(at + 4, true) !== second) return undefined;
    if (length > 0 && !areSame(arenaView, at + 8, this.viewOf(bytes), start, length)) return undefined;
    this.last = guess;
    return guess.value;
  }

  /** Keeps a value by bytes that it does not have yet; they are copied. */
  set(bytes: Uint8Array, start: number, end: number, value: T): void {
    const length = end - start;
    if (length < 0) return;
    if (this.count >= this.mostKeys || this.bytes + length > this.mostBytes) this.clear();
    const at = this.bytes;
    if (at + length > this.arena.length) this.grow(at + length);
    this.arena.set(bytes.subarray(start, end), at);
    this.bytes += length;
    this.count += 1;
    const hash = hashOf(this.viewOf(bytes), start, end);
    const entry = { start: at, length, value, other: this.buckets.get(hash), follower: undefined };
    this.buckets.set(hash, entry);
    if (this.last) this.last.follower = entry;
    this.last = entry;
  }

  /** All that it has: the bytes that its keys are in, where each begins and ends there, and its value. */
  *entries(): Generator<readonly [bytes: Uint8Array, start: number, end: number, value: T]> {
    for (const first of this.buckets.values()) {
      for (let entry: Entry<T> | undefined = first; entry; entry = entry.other) {
        yield [this.arena, entry.start, entry.start + entry.length, entry.value];
      }
    }
  }

  clear(): void {
    this.starts += 1;
    this.buckets.clear();
    this.last = undefined;
    this.count = 0;
    this.bytes = 0;
  }

  private grow(least: number): void {
    const arena = new Uint8Array(Math.max(least, this.arena.length * 2));
    arena.set(this.arena.subarray(0, this.bytes));
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

  private isKey({ start, length }: Entry<T>, view: DataView, from: number, end: number): boolean {
    return length === end - from && areSame(this.arenaView, start, view, from, length);
  }
}

/**
 * What one body finds in a map that others share. What it names first is its own until `keep`: who sends ever new names that lead to
 * nothing fills no memory, and takes from others nothing that they have named.
 */
export class BodyKeys<T> {
  private fresh: ByteMap<T> | undefined;
  private readonly starts: number;

  constructor(private readonly known: ByteMap<T>) {
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

/** Whether so many bytes of two views are the same. Compared as doubles, eight at a time, which takes a third of the time. */
function areSame(one: DataView, start: number, other: DataView, from: number, length: number): boolean {
  const last = length - 8;
  if (last < 0) {
    for (let at = 0; at < length; at += 1) if (one.getUint8(start + at) !== other.getUint8(from + at)) return false;
    return true;
  }
  for (let at = 0; at < last; at += 8) if (!areSameEight(one, start + at, other, from + at)) return false;
  return areSameEight(one, start + last, other, from + last);
}

function areSameEight(one: DataView, start: number, other: DataView, from: number): boolean {
  const double = one.getFloat64(start, true);
  // Doubles that are equal have the same bits, unless they are zeros.
  if (double === other.getFloat64(from, true) && double !== 0) return true;
  return (
    one.getInt32(start, true) === other.getInt32(from, true) &&
    one.getInt32(start + 4, true) === other.getInt32(from + 4, true)
  );
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

/** As FNV-1a, but of four bytes at a time, with every bit of which each later one is mixed. */
function hashOf(view: DataView, start: number, end: number): number {
  let hash = BASIS ^ (end - start);
  let at = start;
  for (; at + 3 < end; at += 4) hash = Math.imul(((hash << 15) | (hash >>> 17)) ^ view.getInt32(at, true), PRIME);
  for (; at < end; at += 1) hash = Math.imul(((hash << 15) | (hash >>> 17)) ^ view.getUint8(at), PRIME);
  return hash;
}
