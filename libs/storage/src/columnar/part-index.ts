import { deviceOfChunk, hourOfChunk } from './hour.js';

interface Entry {
  readonly id: number;
  /** The number of the last part. */
  last: number;
  /** When it was written, Unix milliseconds; of parts of an earlier run, when the store was opened. */
  since: number;
  /** Of the oldest sample in them, Unix milliseconds; undefined while nobody has looked into those of an earlier run. */
  first: number | undefined;
}

/** Which devices and hours have parts: few at a time, so that reads of all others need not look for any. */
export class PartIndex {
  private readonly entries = new Map<number, Entry>();
  private readonly byDevice = new Map<number, Set<number>>();

  has(id: number): boolean {
    return this.entries.has(id);
  }

  nextPart(id: number): number {
    return (this.entries.get(id)?.last ?? 0) + 1;
  }

  /**
   * A rollback leaves it behind, which only makes a number that is never used.
   *
   * @param first the time of its oldest sample, where it is known.
   */
  add(id: number, part: number, since: number, first?: number): void {
    const entry = this.entries.get(id);
    if (entry) {
      entry.last = part;
      entry.since = since;
      if (entry.first !== undefined && first !== undefined) entry.first = Math.min(entry.first, first);
      return;
    }
    this.entries.set(id, { id, last: part, since, first });
    const hours = this.byDevice.get(deviceOfChunk(id));
    if (hours) hours.add(hourOfChunk(id));
    else this.byDevice.set(deviceOfChunk(id), new Set([hourOfChunk(id)]));
  }

  firstTime(id: number): number | undefined {
    return this.entries.get(id)?.first;
  }

  /** Takes note of the time of the oldest sample of all parts that there are. */
  noteFirstTime(id: number, time: number): void {
    const entry = this.entries.get(id);
    if (entry) entry.first = time;
  }

  delete(id: number): void {
    this.entries.delete(id);
    const hours = this.byDevice.get(deviceOfChunk(id));
    hours?.delete(hourOfChunk(id));
    if (hours?.size === 0) this.byDevice.delete(deviceOfChunk(id));
  }

  hoursOf(deviceId: number): Iterable<number> {
    return this.byDevice.get(deviceId) ?? [];
  }

  all(): Iterable<{ readonly id: number; readonly since: number }> {
    return this.entries.values();
  }

  /** The smallest device and hour that has parts, of those from `from` on. */
  next(from: number): number | undefined {
    let next: number | undefined;
    for (const id of this.entries.keys()) if (id >= from && (next === undefined || id < next)) next = id;
    return next;
  }
}
