import type { Heads } from './heads.js';
import { lastReadings, MOST, type RecentReadings } from './recent-readings.js';
import type { Device } from './series-entry.js';

/** Of a device: fewer do not tell its rhythm, and its last part is looked into. */
export const ENOUGH_READINGS = 9;

/** The series of another slot is taken once it has so many samples more. */
const CLEARLY = 2;

/** What the journal has of a device. */
interface Found {
  /** Samples of the series in each slot. */
  readonly counts: Uint32Array;
  /** Whose times are kept. */
  slot: number;
  times: number[];
}

/**
 * Takes note of readings as the journal is read at a start. Most devices of a large fleet have been sealed a moment before, and to read a
 * part of each, or to look through its head, takes longer than all the rest of a list of devices.
 */
export class JournalReadings {
  private readonly found = new Map<Device, Found>();

  /** Takes note of samples of a device, from one position to before another. */
  note(device: Device, slots: Uint32Array, timestamps: Float64Array, from: number, to: number): void {
    let found = this.found.get(device);
    if (!found) {
      found = { counts: new Uint32Array(device.slots.length), slot: slots[from], times: [] };
      this.found.set(device, found);
    }
    const { counts } = found;
    for (let at = from; at < to; at += 1) {
      const slot = slots[at];
      counts[slot] += 1;
      if (slot !== found.slot) {
        if (counts[slot] < counts[found.slot] + CLEARLY) continue;
        found.slot = slot;
        found.times = [];
      }
      found.times.push(timestamps[at]);
    }
    if (found.times.length > 4 * MOST) found.times = lastReadings(found.times);
  }

  /** Hands over those that are enough. */
  keep(readings: RecentReadings, heads: Heads): void {
    for (const [device, { slot, times }] of this.found) {
      const last = lastReadings(times);
      const entry = device.slots[slot];
      if (entry && last.length >= ENOUGH_READINGS) readings.begin(device.id, entry.id, last, heads.ofDevice(device.id));
    }
  }
}
