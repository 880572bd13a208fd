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

  clear(): void {
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

  /** Compared four bytes at a time, which takes a third of the time. */
  private isKey(entry: Entry<T>, view: DataView, start: number, end: number): boolean {
    const { length } = entry;
    if (length !== end - start) return false;
    const { arenaView } = this;
    let at = entry.start;
    let from = start;
    for (const words = end - 3; from < words; from += 4, at += 4) {
      if (arenaView.getInt32(at) !== view.getInt32(from)) return false;
    }
    for (; from < end; from += 1, at += 1) if (arenaView.getUint8(at) !== view.getUint8(from)) return false;
    return true;
  }
}

/** Whether the bytes from `start` to before `end` are those of `key`. */
export function isAt(key: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  if (key.length !== end - start) return false;
  for (let index = 0; index < key.length; index += 1) if (key[index] !== bytes[start + index]) return false;
  return true;
}

/** The same with views. Compared four bytes at a time, which takes a third of the time. */
export function isViewAt(key: DataView, view: DataView, start: number): boolean {
  const { byteLength } = key;
  if (start + byteLength > view.byteLength) return false;
  let at = 0;
  for (const words = byteLength - 3; at < words; at += 4) {
    if (key.getInt32(at) !== view.getInt32(start + at)) return false;
  }
  for (; at < byteLength; at += 1) if (key.getUint8(at) !== view.getUint8(start + at)) return false;
  return true;
}

/** As FNV-1a, but of four bytes at a time, with every bit of which each later one is mixed. */
function hashOf(view: DataView, start: number, end: number): number {
  let hash = BASIS ^ (end - start);
  let at = start;
  for (; at + 3 < end; at += 4) hash = Math.imul(((hash << 15) | (hash >>> 17)) ^ view.getInt32(at), PRIME);
  for (; at < end; at += 1) hash = Math.imul(((hash << 15) | (hash >>> 17)) ^ view.getUint8(at), PRIME);
  return hash;
}
