import type { StoredDevice } from '../store.js';
import type { Head } from './head.js';
import { hourOfChunk } from './hour.js';
import type { Pieces, StoredPiece } from './pieces.js';
import type { Device, SeriesCatalogue } from './series-catalogue.js';

/** A device as callers see it. */
export function storedDevice(device: Device, catalogue: SeriesCatalogue, firstTime: number | undefined): StoredDevice {
  let seriesCount = 0;
  let lastTime = -Infinity;
  for (const { id } of device.entries()) {
    seriesCount += 1;
    lastTime = Math.max(lastTime, catalogue.latest.timeOf(id));
  }
  const formerNames = catalogue.formerNames(device);
  return { name: device.name, formerNames, ...device.description, seriesCount, firstTime, lastTime };
}

/**
 * Time of the oldest sample of a device.
 *
 * @param sealed what there is of its first hour that has pieces.
 */
export function firstTimeOf(
  sealed: readonly StoredPiece[],
  heads: readonly Head[],
  pieces: Pick<Pieces, 'summaries'>,
): number | undefined {
  let hour = sealed.length > 0 ? hourOfChunk(sealed[0].id) : Infinity;
  for (const head of heads) hour = Math.min(hour, head.hour);
  let first = Infinity;
  for (const piece of sealed) {
    if (hourOfChunk(piece.id) !== hour) continue;
    pieces.summaries(piece, (_id, { firstTime }) => (first = Math.min(first, firstTime)));
  }
  for (const head of heads) if (head.hour === hour) first = Math.min(first, head.firstTime());
  return first === Infinity ? undefined : first;
}
