import type { SeriesCatalogue } from './series-catalogue.js';
import type { Device, SeriesEntry } from './series-entry.js';
import type { Wanted } from './wanted.js';

/** Series of one device, and their places among those that were asked for, without an entry for each. */
export class WantedSeries implements Wanted {
  size = 0;
  private device: Device | undefined;
  /** By slot: the place behind the first, 0 for none. */
  private places = new Uint32Array(0);

  constructor(private readonly catalogue: SeriesCatalogue) {}

  /** Begins anew, with none. */
  begin(device: Device): this {
    this.device = device;
    this.size = 0;
    const count = device.slots.length;
    if (this.places.length < count) this.places = new Uint32Array(count);
    else this.places.fill(0, 0, count);
    return this;
  }

  add({ slot }: SeriesEntry, place: number): void {
    this.places[slot] = place + 1;
    this.size += 1;
  }

  has(seriesId: number): boolean {
    return this.placeOf(seriesId) >= 0;
  }

  /** -1 where it is not wanted. */
  placeOf(seriesId: number): number {
    const entry = this.catalogue.get(seriesId);
    return entry?.device === this.device && entry ? (this.places[entry.slot] ?? 0) - 1 : -1;
  }
}
