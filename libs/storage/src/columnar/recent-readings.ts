import type { Head } from './head.js';
import type { SeriesCatalogue } from './series-catalogue.js';
import type { Device } from './series-entry.js';

/** Readings of a device whose times are kept. */
export const MOST = 65;
/** Fewer samples of another series do not make it the one that counts. */
const ENOUGH = 6;

/** The last times of one series of a device, in memory that is made once. */
interface Kept {
  seriesId: number;
  /** Unix milliseconds, ascending. */
  readonly times: Float64Array;
  length: number;
  /** The times of heads are among them as long as these have so many samples together; 0 where they are not. */
  headSamples: number;
}

/**
 * When devices were read last: the times of the series of each that had most samples in what was sealed of it last, so that to know them
 * nothing is read from disk. Of a store that seals all devices itself.
 */
export class RecentReadings {
  /** By device. */
  private readonly kept = new Map<number, Kept>();

  constructor(private readonly catalogue: SeriesCatalogue) {}

  /** The series that counts before others with as many samples. */
  seriesOf(deviceId: number): number | undefined {
    return this.kept.get(deviceId)?.seriesId;
  }

  /** Takes note of all readings that there are of a device, those in its heads as well, where nothing has been sealed yet. */
  begin(deviceId: number, seriesId: number, last: readonly number[], heads: readonly Head[]): void {
    const kept: Kept = { seriesId, times: new Float64Array(MOST), length: last.length, headSamples: samplesOf(heads) };
    kept.times.set(last);
    this.kept.set(deviceId, kept);
  }

  /**
   * Takes note of the samples of the series of a device that has most in what is being sealed.
   *
   * @param times in the hour from `start` on, ascending.
   */
  note(deviceId: number, seriesId: number, start: number, times: Uint32Array): void {
    let kept = this.kept.get(deviceId);
    if (!kept) this.kept.set(deviceId, (kept = { seriesId, times: new Float64Array(MOST), length: 0, headSamples: 0 }));
    kept.headSamples = 0;
    if (kept.seriesId !== seriesId) {
      if (kept.length > 0 && times.length < ENOUGH) return;
      kept.seriesId = seriesId;
      kept.length = 0;
    }
    const from = Math.max(0, times.length - MOST);
    const first = start + times[from];
    const isBehind = kept.length === 0 || kept.times[kept.length - 1] < first;
    const added = times.length - from;
    if (!isBehind) {
      // Those of a chunk mostly were in its parts.
      if (endsWith(kept, start, times.subarray(from))) return;
      const all = new Set(kept.times.subarray(0, kept.length));
      for (let index = from; index < times.length; index += 1) all.add(start + times[index]);
      const sorted = Float64Array.from(all).sort().slice(-MOST);
      kept.times.set(sorted);
      kept.length = sorted.length;
      return;
    }
    const stay = Math.min(kept.length, MOST - added);
    kept.times.copyWithin(0, kept.length - stay, kept.length);
    for (let index = 0; index < added; index += 1) kept.times[stay + index] = start + times[from + index];
    kept.length = stay + added;
  }

  /** Forgets a device that is gone, or has lost or got series. */
  forget(deviceId: number): void {
    this.kept.delete(deviceId);
  }

  /** The times of the last readings of a device that are at hand, Unix milliseconds, ascending. */
  of(device: Device, heads: readonly Head[]): number[] {
    const kept = this.kept.get(device.id);
    const slot = kept ? this.catalogue.get(kept.seriesId)?.slot : mostFrequentSlot(device, heads);
    const times: number[] = [];
    if (slot === undefined) return times;
    if (kept) for (let index = 0; index < kept.length; index += 1) times.push(kept.times[index]);
    if (kept?.headSamples !== samplesOf(heads)) for (const head of heads) head.addTimesOf(slot, times);
    return lastReadings(times);
  }
}

function samplesOf(heads: readonly Head[]): number {
  let samples = 0;
  for (const { size } of heads) samples += size;
  return samples;
}

/** The last of the times of readings, ascending, each once. */
export function lastReadings(times: readonly number[]): number[] {
  for (let index = 1; index < times.length; index += 1)
    if (times[index - 1] >= times[index]) return sortedReadings(times);
  return times.slice(-MOST);
}

/** Numbers of their own are sorted many times faster than with a function that compares two. */
function sortedReadings(times: readonly number[]): number[] {
  const sorted = Float64Array.from(times).sort();
  const last: number[] = [];
  for (let index = sorted.length - 1; index >= 0 && last.length < MOST; index -= 1) {
    if (sorted[index] !== last.at(-1)) last.push(sorted[index]);
  }
  return last.reverse();
}

function mostFrequentSlot(device: Device, heads: readonly Head[]): number | undefined {
  const counts = new Uint32Array(device.slots.length);
  for (const head of heads) head.countInto(counts);
  let most: number | undefined;
  for (let slot = 0; slot < counts.length; slot += 1) {
    if (counts[slot] > (most === undefined ? 0 : counts[most]) && device.slots[slot]) most = slot;
  }
  return most;
}

/** Whether the last times that are kept are these, in the hour from `start` on. */
function endsWith({ times: kept, length }: Kept, start: number, times: Uint32Array): boolean {
  const offset = length - times.length;
  return offset >= 0 && times.every((time, index) => kept[offset + index] === start + time);
}
