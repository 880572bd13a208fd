import { setImmediate } from 'node:timers/promises';
import { Inject, Injectable } from '@nestjs/common';
import type { SampleStore, StoredDevice } from '@device-metrics/storage';
import { SAMPLE_STORE } from '../sample-store.module.js';
import { rhythmOf, type Rhythm } from './rhythm.js';

interface Known {
  readonly rhythm: Rhythm | undefined;
  /** When the device was heard of last as this was found out, Unix ms. */
  readonly lastTime: number;
}

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** How far back readings are looked for; the first span that has enough of them is taken. */
const SPANS = [HOUR, DAY, 35 * DAY];
/** Readings that are enough, and those that are looked at. */
const ENOUGH = 6;
const MOST = 65;
/** A rhythm is found out again with readings that are so much newer, ms. */
const FRESH = 5 * 60_000;

/** The rhythm of each device, found in its samples and kept for a while. */
@Injectable()
export class DeviceRhythms {
  private readonly known = new Map<string, Known>();

  constructor(@Inject(SAMPLE_STORE) private readonly store: SampleStore) {}

  /** The rhythm of the device's most frequent series; undefined while that has fewer than two samples. */
  async of({ name, lastTime }: StoredDevice): Promise<Rhythm | undefined> {
    const known = this.known.get(name);
    // What had too few readings for a rhythm is looked at again with its next one.
    const fresh = known?.rhythm ? FRESH : 1;
    if (known && lastTime >= known.lastTime && lastTime - known.lastTime < fresh) return known.rhythm;
    // A fleet is asked for one after the other: other requests go between.
    await setImmediate();
    const rhythm = await this.find(name, lastTime);
    this.known.set(name, { rhythm, lastTime });
    return rhythm;
  }

  /** Lets go of a device that is gone. */
  forget(name: string): void {
    this.known.delete(name);
  }

  private async find(deviceName: string, lastTime: number): Promise<Rhythm | undefined> {
    const series = await this.store.findSeries({ devices: [deviceName] });
    let times: ArrayLike<number> = [];
    for (const span of SPANS) {
      const range = { start: lastTime - span, end: lastTime + 1 };
      const summaries = await this.store.summarize(series, range);
      const most = summaries.reduce((count, { summary }) => Math.max(count, summary.count), 0);
      if (most < ENOUGH && span !== SPANS.at(-1)) continue;
      const frequent = summaries.filter(({ summary }) => summary.count === most).slice(0, 1);
      for await (const { timestamps } of this.store.readSamples(
        frequent.map((one) => one.series),
        range,
      )) {
        times = Array.prototype.slice.call(timestamps, -MOST) as number[];
      }
      break;
    }
    return rhythmOf(times);
  }
}
