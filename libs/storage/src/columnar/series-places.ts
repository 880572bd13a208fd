import type { Device, SeriesEntry } from './series-entry.js';

/** Samples of one device that stand together, from position `from` to before `to`. */
export interface DeviceRun {
  readonly device: Device;
  readonly from: number;
  readonly to: number;
}

/**
 * Where samples go whose series come again and again in the same order, position by position: the entries of the series lie about in
 * memory, and to look at each for each sample costs several times as much as all else that is done with it.
 */
export class SeriesPlaces {
  readonly ids: Float64Array;
  readonly slots: Uint32Array;
  readonly runs: readonly DeviceRun[];

  constructor(entries: readonly SeriesEntry[]) {
    this.ids = Float64Array.from(entries, ({ id }) => id);
    this.slots = Uint32Array.from(entries, ({ slot }) => slot);
    this.runs = runsOf(entries);
  }
}

/** Calls `act` for groups that stand one behind the other, with the position of the first sample of each. */
export function eachGroup(groups: readonly SeriesPlaces[], act: (places: SeriesPlaces, at: number) => void): void {
  let at = 0;
  for (const places of groups) {
    act(places, at);
    at += places.ids.length;
  }
}

/** The devices of samples, as they follow each other. */
export function runsOf(entries: readonly SeriesEntry[]): DeviceRun[] {
  const runs: DeviceRun[] = [];
  for (let from = 0; from < entries.length;) {
    const { device } = entries[from];
    let to = from + 1;
    while (to < entries.length && entries[to].device === device) to += 1;
    runs.push({ device, from, to });
    from = to;
  }
  return runs;
}
