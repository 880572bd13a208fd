import { lastReadings, MOST, type RecentReadings } from './recent-readings.js';
import type { Device } from './series-entry.js';

/** Of a device: fewer do not tell its rhythm, and its last part is looked into. */
export const ENOUGH_READINGS = 9;

/** The series of another slot is taken once it has so many samples more. */
const CLEARLY = 2;

/** What is sealed of a device and still in the journal. */
interface Found {
  /** Samples of the series in each slot. */
  readonly counts: Uint32Array;
  /** Whose times are kept. */
  slot: number;
  times: number[];
}

/**
 * Takes note of the readings that are sealed already, as the journal is read at a start: most devices of a large fleet have been sealed a
 * moment before, and to read a part of each takes longer than all the rest of a list of devices.
 */
export class SealedReadings {
  private readonly found = new Map<Device, Found>();

  /** Takes note of samples of a device, from one position to before another. */
  note(device: Device, slots: Uint32Array, timestamps: Float64Array, from: number, to: number): void {
    let found = this.found.get(device);
    if (!found) {
      this.found.set(device, (found = { counts: new Uint32Array(device.slots.length), slot: slots[from], times: [] }));
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
  keep(readings: RecentReadings): void {
    for (const [device, { slot, times }] of this.found) {
      const last = lastReadings(times);
      const entry = device.slots[slot];
      if (entry && last.length >= ENOUGH_READINGS) readings.note(device.id, entry.id, 0, Float64Array.from(last));
    }
  }
}
