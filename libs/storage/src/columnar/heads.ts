import { Head } from './head.js';
import { hourOf } from './hour.js';
import type { SeriesCatalogue, SeriesEntry } from './series-catalogue.js';

/**
 * All heads. A device and hour have at most one that takes samples, and before it in order those that are frozen, since
 * they are being sealed; the later ones win.
 */
export class Heads {
  /** How many samples all of them hold. */
  size = 0;
  /** Whether a head has grown to `maxHeadSamples` since this was set to false. */
  overfull = false;
  private readonly byDevice = new Map<number, Head[]>();

  constructor(
    private readonly catalogue: SeriesCatalogue,
    private readonly maxHeadSamples: number,
  ) {}

  /** Adds a sample that is in journal row `row`. */
  push(entry: SeriesEntry, timestamp: number, value: number, row: number, now: number): void {
    const { device, id } = entry;
    let { head } = device;
    if (!head?.takes(timestamp)) device.head = head = this.open(device.id, hourOf(timestamp), row, now);
    head.push(id, timestamp, value, row, now);
    if (head.size >= this.maxHeadSamples) this.overfull = true;
    this.size += 1;
    this.catalogue.latest.note(id, timestamp, value);
  }

  /** The heads of a device and hour, of which the later ones win. */
  at(deviceId: number, hour: number): Head[] {
    return this.ofDevice(deviceId).filter((head) => head.hour === hour);
  }

  ofDevice(deviceId: number): readonly Head[] {
    return this.byDevice.get(deviceId) ?? [];
  }

  get count(): number {
    let count = 0;
    for (const heads of this.byDevice.values()) count += heads.length;
    return count;
  }

  *all(): Generator<Head> {
    for (const heads of this.byDevice.values()) yield* heads;
  }

  /** Lets no more samples into a head; the next one for its hour opens another. */
  freeze(head: Head): void {
    head.frozen = true;
    for (const [id, column] of head.columns) {
      const entry = this.catalogue.get(id);
      if (!entry) continue;
      entry.usualLength = column.size;
      if (entry.device.head === head) entry.device.head = undefined;
    }
  }

  /** Whether a head is still there: its device may have been deleted. */
  has(head: Head): boolean {
    return this.ofDevice(head.deviceId).includes(head);
  }

  /** Lets go of all heads of a device that has been deleted. */
  dropDevice(deviceId: number): void {
    for (const { size } of this.ofDevice(deviceId)) this.size -= size;
    this.byDevice.delete(deviceId);
  }

  /** Lets go of a head that is in its chunk now. */
  remove(head: Head): void {
    const left = this.ofDevice(head.deviceId).filter((other) => other !== head);
    if (left.length > 0) this.byDevice.set(head.deviceId, left);
    else this.byDevice.delete(head.deviceId);
    this.size -= head.size;
  }

  private open(deviceId: number, hour: number, row: number, now: number): Head {
    const heads = this.byDevice.get(deviceId);
    const known = heads?.find((head) => head.hour === hour && !head.frozen);
    if (known) return known;
    const head = new Head(deviceId, hour, row, now, (id) => this.catalogue.get(id)?.usualLength);
    if (heads) heads.push(head);
    else this.byDevice.set(deviceId, [head]);
    return head;
  }
}
