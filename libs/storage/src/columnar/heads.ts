import { BlockPool } from './blocks.js';
import { Head } from './head.js';
import { FAR_AHEAD, hourOf } from './hour.js';
import type { SeriesCatalogue } from './series-catalogue.js';
import type { SeriesEntry } from './series-entry.js';
import type { SeriesPlaces } from './series-places.js';

/** Heads by device, those of each by hour and in their order. */
export type HeadSnapshot = ReadonlyMap<number, readonly Head[]>;

/**
 * All heads. A device and hour have at most one that takes samples, and before it in order those that are frozen, since
 * they are being sealed; the later ones win.
 */
export class Heads {
  /** How many samples all of them hold, but for those that are kept apart. */
  size = 0;
  /** The memory that they take, in doubles: more than `size` where many have few, as of years of a sample an hour. */
  load = 0;
  /** Of all heads in the order in which they were opened, which is that of their first journal rows. */
  private readonly inOrder = new Set<Head>();
  /** Of each device by hour, since old data may come of very many hours at once. */
  private readonly byDevice = new Map<number, Map<number, Head[]>>();
  /** Heads that have grown to `maxHeadSamples`. */
  private readonly full = new Set<Head>();
  /** Heads that cannot be sealed. */
  private readonly apart = new Set<Head>();
  private readonly blocks = new BlockPool();

  constructor(
    private readonly catalogue: SeriesCatalogue,
    private readonly maxHeadSamples: number,
  ) {}

  /** Adds a sample that is in journal row `row`. */
  push(entry: SeriesEntry, timestamp: number, value: number, row: number, now: number): void {
    const { device } = entry;
    let { head } = device;
    if (!head?.takes(timestamp)) device.head = head = this.open(device, hourOf(timestamp), row, now);
    const before = head.size;
    head.push(entry.slot, timestamp, value, row);
    this.noteGrown(head, before);
    this.catalogue.latest.note(entry.id, timestamp, value, now + FAR_AHEAD);
  }

  /**
   * Adds many samples at once, position by position.
   *
   * @param entries of the samples, from `offset` on.
   */
  pushColumns(
    entries: readonly SeriesEntry[],
    offset: number,
    { timestamps, values }: { readonly timestamps: Float64Array; readonly values: Float64Array },
    row: number,
    now: number,
  ): void {
    for (let at = 0; at < timestamps.length;) {
      const { device } = entries[offset + at];
      let { head } = device;
      if (!head?.takes(timestamps[at])) device.head = head = this.open(device, hourOf(timestamps[at]), row, now);
      const before = head.size;
      at = head.pushColumns(entries, offset, at, timestamps, values, row);
      this.noteGrown(head, before);
    }
    this.catalogue.latest.noteColumns(entries, offset, timestamps, values, now + FAR_AHEAD);
  }

  /**
   * Adds many samples at once whose places are known, position by position, but for those that are in no run.
   *
   * @param offset where the first of them is.
   */
  pushPlaces(
    { ids, slots, runs }: SeriesPlaces,
    offset: number,
    { timestamps, values }: { readonly timestamps: Float64Array; readonly values: Float64Array },
    row: number,
    now: number,
  ): void {
    for (const { device, from, to } of runs) {
      for (let at = from; at < to;) {
        let { head } = device;
        const timestamp = timestamps[offset + at];
        if (!head?.takes(timestamp)) device.head = head = this.open(device, hourOf(timestamp), row, now);
        const before = head.size;
        at = head.pushSlots(slots, at, to, offset, timestamps, values, row);
        this.noteGrown(head, before);
      }
      this.catalogue.latest.noteIds(ids, from, to, offset, timestamps, values, now + FAR_AHEAD);
    }
  }

  /**
   * Adds the samples of a journal row that has been read again, position by position.
   *
   * @param isSealed whether a head is not to be opened for an hour, since the row is in what was sealed of it.
   */
  pushRow(
    { ids, slots, runs }: SeriesPlaces,
    samples: { readonly timestamps: Float64Array; readonly values: Float64Array },
    row: number,
    now: number,
    isSealed: (deviceId: number, hour: number) => boolean,
  ): void {
    const { timestamps } = samples;
    const { latest } = this.catalogue;
    for (const { device, from, to } of runs) {
      for (let at = from; at < to;) {
        const first = at;
        let { head } = device;
        // A head that is open for this hour was opened by a row that is not sealed, and later rows are not either.
        if (!head?.takes(timestamps[at])) {
          const hour = hourOf(timestamps[at]);
          if (isSealed(device.id, hour)) {
            while (at < to && hourOf(timestamps[at]) === hour) at += 1;
            continue;
          }
          device.head = head = this.open(device, hour, row, now);
        }
        // Where all of the row is sealed they need not be read.
        const { values } = samples;
        const before = head.size;
        at = head.pushSlots(slots, at, to, 0, timestamps, values, row);
        this.noteGrown(head, before);
        latest.noteIds(ids, first, at, 0, timestamps, values);
      }
    }
  }

  /** The heads of a device and hour, of which the later ones win. */
  at(deviceId: number, hour: number): Head[] {
    return [...(this.byDevice.get(deviceId)?.get(hour) ?? [])];
  }

  /** Those of an hour in their order. */
  ofDevice(deviceId: number): Head[] {
    return [...(this.byDevice.get(deviceId)?.values() ?? [])].flat();
  }

  /** The heads that devices have now; later ones, and what is sealed meanwhile, leave it as it is, until `letGo`. */
  snapshot(deviceIds: Iterable<number>): HeadSnapshot {
    const found = new Map<number, readonly Head[]>();
    for (const id of deviceIds) {
      const heads = this.ofDevice(id);
      if (heads.length === 0) continue;
      for (const head of heads) head.hold();
      found.set(id, heads.length === 1 ? heads : heads.sort((a, b) => a.hour - b.hour));
    }
    return found;
  }

  /** Nobody looks any more at what a snapshot has, nor at columns that it has given. */
  letGo(snapshot: HeadSnapshot): void {
    for (const heads of snapshot.values()) for (const head of heads) head.letGo();
  }

  get count(): number {
    return this.inOrder.size;
  }

  /** In the order in which they were opened. */
  all(): Iterable<Head> {
    return this.inOrder;
  }

  /** Whether there is a head that has grown too large. */
  get overfull(): boolean {
    return this.full.size > 0;
  }

  /** The heads that have grown too large. */
  overfullHeads(): Iterable<Head> {
    return this.full;
  }

  /** Lets no more samples into a head; the next one for its hour opens another. */
  freeze(head: Head): void {
    head.frozen = true;
    this.full.delete(head);
    const device = this.catalogue.deviceById(head.device.id);
    if (device?.head === head) device.head = undefined;
  }

  /** Whether a head is still there: its device may have been deleted. */
  has(head: Head): boolean {
    return this.inOrder.has(head);
  }

  /** Keeps a head that cannot be sealed in memory, and its samples in the journal, so that others need not wait for it. */
  keepApart(head: Head): void {
    if (!this.inOrder.has(head) || this.apart.has(head)) return;
    this.apart.add(head);
    this.full.delete(head);
    this.noteGone(head);
  }

  isApart(head: Head): boolean {
    return this.apart.has(head);
  }

  /** Lets go of all heads of a device that has been deleted. */
  dropDevice(deviceId: number): void {
    for (const head of this.ofDevice(deviceId)) this.remove(head);
  }

  /** Lets go of a head that is sealed now. */
  remove(head: Head): void {
    if (!this.inOrder.delete(head)) return;
    // Its device may know it still as the one where samples went last.
    this.freeze(head);
    const hours = this.byDevice.get(head.device.id);
    const left = hours?.get(head.hour)?.filter((other) => other !== head) ?? [];
    if (left.length > 0) hours?.set(head.hour, left);
    else hours?.delete(head.hour);
    if (hours?.size === 0) this.byDevice.delete(head.device.id);
    if (!this.apart.delete(head)) this.noteGone(head);
    head.release();
  }

  private noteGrown(head: Head, before: number): void {
    if (before < this.maxHeadSamples && head.size >= this.maxHeadSamples) this.full.add(head);
    this.size += head.size - before;
    this.countLoad(head);
  }

  private noteGone({ size, countedLoad }: Head): void {
    this.size -= size;
    this.load -= countedLoad;
  }

  private countLoad(head: Head): void {
    const { load } = head;
    this.load += load - head.countedLoad;
    head.countedLoad = load;
  }

  private open(device: SeriesEntry['device'], hour: number, row: number, now: number): Head {
    let hours = this.byDevice.get(device.id);
    if (!hours) this.byDevice.set(device.id, (hours = new Map<number, Head[]>()));
    const heads = hours.get(hour);
    const known = heads?.at(-1);
    if (known && !known.frozen) return known;
    const head = new Head(device, hour, row, now, this.blocks);
    this.inOrder.add(head);
    this.countLoad(head);
    if (heads) heads.push(head);
    else hours.set(hour, [head]);
    return head;
  }
}

/** Where the first head of an hour, or of one after it, is in a snapshot. */
export function firstOfHour(heads: readonly Head[], hour: number): number {
  let [low, high] = [0, heads.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (heads[middle].hour < hour) low = middle + 1;
    else high = middle;
  }
  return low;
}
