import type { SeriesCatalogue } from './series-catalogue.js';
import type { Device, SeriesEntry } from './series-entry.js';
import type { Wanted } from './wanted.js';

/** Series of one device, and their places among those that were asked for, without an entry for each. */
export class WantedSeries implements Wanted {
  size = 0;
  private device: Device | undefined;
  /** Slots that the device had at the beginning: behind them are places of devices before. */
  private slots = 0;
  /** By slot: the place behind the first, 0 for none. */
  private places = new Uint32Array(0);

  constructor(private readonly catalogue: SeriesCatalogue) {}

  /** Begins anew, with none. */
  begin(device: Device): this {
    this.device = device;
    this.size = 0;
    this.slots = device.slots.length;
    if (this.places.length < this.slots) this.places = new Uint32Array(this.slots);
    else this.places.fill(0, 0, this.slots);
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
    // A series may have come since.
    return entry && entry.device === this.device && entry.slot < this.slots ? this.places[entry.slot] - 1 : -1;
  }
}
