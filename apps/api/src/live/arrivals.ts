import { Injectable } from '@nestjs/common';
import type { Sample, SeriesGroup } from '@device-metrics/domain';

/** What has come from a device lately. */
export interface Arrival {
  /** When its last samples came, by `performance.now()`, ms. */
  heard: number;
  /** The newest time among the samples that came within the last minute, Unix ms. */
  newest: number;
  newestSince: number;
  /** How far `newest` was from the clock of the server when it came, ms: behind it where positive. */
  behind: number;
  /** What `behind` was in the minute with samples before that; undefined where there was none. */
  behindBefore: number | undefined;
  /** The oldest time among the samples that came since `take`, Unix ms. */
  oldest: number;
}

/** Samples by what counts here: their devices and times. */
interface ArrivingColumns {
  readonly series: readonly Pick<Sample, 'deviceName'>[];
  readonly timestamps: Float64Array;
  readonly groups?: readonly SeriesGroup[] | undefined;
}

/** How long the newest time counts, ms. */
const NEWEST_AGE = 60_000;

/** When samples came from each device, by a clock that nobody sets, and how far they reach back. */
@Injectable()
export class Arrivals {
  private readonly devices = new Map<string, Arrival>();
  /** The same of groups that come again and again: of thousands each look at a name is a wait for memory. */
  private readonly ofGroups = new WeakMap<SeriesGroup, Arrival>();

  /**
   * @param heard by `performance.now()`, ms.
   * @param now what the clock says that samples go by, Unix ms.
   */
  note(samples: readonly Sample[] | ArrivingColumns, heard: number, now: number): void {
    const columns = 'series' in samples ? samples : columnsOf(samples);
    const { timestamps } = columns;
    if (columns.groups) {
      let at = 0;
      for (const group of columns.groups) {
        let arrival = this.ofGroups.get(group);
        if (!arrival) {
          arrival = this.arrivalOf(group.deviceName, timestamps[at] as number, heard, now);
          this.ofGroups.set(group, arrival);
        }
        noteTimes(arrival, timestamps, at, (at += group.length), heard, now);
      }
      return;
    }
    const names = columns.series;
    // Those of a device mostly stand together.
    for (let from = 0; from < names.length;) {
      const { deviceName } = names[from] as (typeof names)[number];
      let to = from + 1;
      while (to < names.length && names[to]?.deviceName === deviceName) to += 1;
      this.noteDevice(deviceName, timestamps, from, to, heard, now);
      from = to;
    }
  }

  /** Samples of one device, from one position to before another. */
  noteDevice(device: string, timestamps: Float64Array, from: number, to: number, heard: number, now: number): void {
    noteTimes(this.arrivalOf(device, timestamps[from] as number, heard, now), timestamps, from, to, heard, now);
  }

  /** @param timestamp of the first sample that came now, as far as nothing has come yet. */
  private arrivalOf(device: string, timestamp: number, heard: number, now: number): Arrival {
    let arrival = this.devices.get(device);
    if (arrival === undefined) {
      arrival = {
        heard,
        newest: timestamp,
        newestSince: heard,
        behind: now - timestamp,
        behindBefore: undefined,
        oldest: timestamp,
      };
      this.devices.set(device, arrival);
    }
    return arrival;
  }

  of(device: string): Readonly<Arrival> | undefined {
    return this.devices.get(device);
  }

  /** All devices of which anything has come. */
  all(): Iterable<[device: string, arrival: Readonly<Arrival>]> {
    return this.devices;
  }

  /** The oldest time of what came from each device since the last call; devices of which nothing came are left out. */
  take(): Map<string, number> {
    const oldest = new Map<string, number>();
    for (const [device, arrival] of this.devices) {
      if (arrival.oldest === Infinity) continue;
      oldest.set(device, arrival.oldest);
      arrival.oldest = Infinity;
    }
    return oldest;
  }
}

function noteTimes(
  arrival: Arrival,
  timestamps: Float64Array,
  from: number,
  to: number,
  heard: number,
  now: number,
): void {
  const first = timestamps[from] as number;
  let [newest, oldest] = [first, first];
  for (let at = from + 1; at < to; at += 1) {
    const timestamp = timestamps[at] as number;
    if (timestamp > newest) newest = timestamp;
    else if (timestamp < oldest) oldest = timestamp;
  }
  // A sender may go on with what it had kept: the newest of the last minute counts.
  if (heard - arrival.newestSince > NEWEST_AGE) {
    arrival.newestSince = heard;
    arrival.newest = first;
    arrival.behindBefore = arrival.behind;
    arrival.behind = now - first;
  }
  // What another process took may be read later than what came here after it.
  arrival.heard = Math.max(arrival.heard, heard);
  if (newest > arrival.newest) {
    arrival.newest = newest;
    arrival.behind = now - newest;
  }
  if (oldest < arrival.oldest) arrival.oldest = oldest;
}

const columnsOf = (samples: readonly Sample[]): ArrivingColumns => ({
  series: samples,
  timestamps: Float64Array.from(samples, ({ timestamp }) => timestamp),
});
