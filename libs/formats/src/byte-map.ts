/** FNV-1a, 32 bits; from a start that no sender knows, who could choose keys that meet. */
const BASIS = Math.trunc(Math.random() * 2 ** 32) | 1;
const PRIME = 0x01000193;

interface Entry<T> {
  readonly key: Uint8Array;
  readonly value: T;
  readonly next: Entry<T> | undefined;
}

/**
 * Finds things by bytes as they came, without a string for each look-up. Bounded: when its keys are too many, or take too
 * much memory, it starts again. Bytes are compared in full: two keys are never taken for one.
 */
export class ByteMap<T> {
  private readonly buckets = new Map<number, Entry<T>>();
  private count = 0;
  private bytes = 0;

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
    let entry = this.buckets.get(hashOf(bytes, start, end));
    while (entry && !isAt(entry.key, bytes, start, end)) entry = entry.next;
    return entry?.value;
  }

  /** Keeps a value by bytes that it does not have yet; they are copied. */
  set(bytes: Uint8Array, start: number, end: number, value: T): void {
    if (this.count >= this.mostKeys || this.bytes + end - start > this.mostBytes) this.clear();
    const hash = hashOf(bytes, start, end);
    const key = Uint8Array.prototype.slice.call(bytes, start, end);
    this.buckets.set(hash, { key, value, next: this.buckets.get(hash) });
    this.count += 1;
    this.bytes += key.length;
  }

  clear(): void {
    this.buckets.clear();
    this.count = 0;
    this.bytes = 0;
  }
}

/** Whether the bytes from `start` to before `end` are those of `key`. */
export function isAt(key: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  if (key.length !== end - start) return false;
  for (let index = 0; index < key.length; index += 1) if (key[index] !== bytes[start + index]) return false;
  return true;
}

function hashOf(bytes: Uint8Array, start: number, end: number): number {
  let hash = BASIS;
  for (let index = start; index < end; index += 1) hash = Math.imul(hash ^ (bytes[index] as number), PRIME);
  return hash;
}
