import type { StoredDevice } from '../store.js';
import type { Head } from './head.js';
import { hourOfChunk } from './hour.js';
import type { Pieces, StoredPiece } from './pieces.js';
import type { SeriesCatalogue } from './series-catalogue.js';
import type { Device } from './series-entry.js';

/** A device as callers see it. */
export function storedDevice(
  device: Device,
  { latest }: SeriesCatalogue,
  firstTime: number | undefined,
  formerNames: readonly string[],
): StoredDevice {
  let lastTime = -Infinity;
  for (const entry of device.slots) {
    const time = entry === undefined ? -Infinity : latest.timeOf(entry.id);
    if (time > lastTime) lastTime = time;
  }
  const { name, description, seriesCount } = device;
  const { displayName, notes, tags } = description;
  return { name, formerNames, displayName, notes, tags, seriesCount, firstTime, lastTime };
}

/** Whether there is a sample of it: its series may be there before their first one, or all be deleted. */
export const hasSample = ({ lastTime }: StoredDevice): boolean => lastTime !== -Infinity;

/** Finds the time of the oldest sample of devices, and reads the stats of their first hour once. */
export class FirstTimes {
  /** By device: which are the pieces of its first hour, and what is the first time in them. */
  private readonly known = new Map<number, { readonly pieces: string; readonly time: number }>();

  constructor(private readonly pieces: Pick<Pieces, 'summaries'>) {}

  /** @param sealed what there is of the first hour of the device that has pieces. */
  of(deviceId: number, sealed: readonly StoredPiece[], heads: readonly Head[]): number | undefined {
    let hour = sealed.length > 0 ? hourOfChunk(sealed[0].id) : Infinity;
    for (const head of heads) hour = Math.min(hour, head.hour);
    const ofHour = sealed.filter(({ id }) => hourOfChunk(id) === hour);
    let first = this.firstSealed(deviceId, ofHour);
    for (const head of heads) if (head.hour === hour) first = Math.min(first, head.firstTime());
    return first === Infinity ? undefined : first;
  }

  private firstSealed(deviceId: number, sealed: readonly StoredPiece[]): number {
    if (sealed.length === 0) return Infinity;
    const pieces = sealed.map(({ id, part, sealedThrough }) => `${id} ${part} ${sealedThrough}`).join();
    const known = this.known.get(deviceId);
    if (known?.pieces === pieces) return known.time;
    let time = Infinity;
    for (const piece of sealed) {
      this.pieces.summaries(piece, (_id, { firstTime }) => {
        if (firstTime < time) time = firstTime;
      });
    }
    this.known.set(deviceId, { pieces, time });
    return time;
  }
}
