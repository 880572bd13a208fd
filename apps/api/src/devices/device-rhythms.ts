import { setImmediate } from 'node:timers/promises';
import { Inject, Injectable } from '@nestjs/common';
import type { Series, TimeRange } from '@device-metrics/domain';
import type { SampleStore, StoredDevice } from '@device-metrics/storage';
import { DAY, HOUR } from '@device-metrics/domain';
import { SAMPLE_STORE } from '../sample-store.module.js';
import { rhythmOf, type Rhythm } from './rhythm.js';

interface Known {
  readonly rhythm: Rhythm | undefined;
  /** When the device was heard of last as this was found out, Unix ms. */
  readonly lastTime: number;
  /** Whose readings it is. */
  readonly frequent: Frequent | undefined;
}

/** The most frequent series of a device. */
interface Frequent {
  readonly series: Series;
  /** How far back its readings are looked at, ms. */
  readonly span: number;
  /** When all series of the device were looked at, by `performance.now()`, ms. */
  readonly foundAt: number;
}

/** How far back readings are looked for; the first span that has enough of them is taken. */
const SPANS = [HOUR, DAY, 35 * DAY];
/** Readings that are enough, and those that are looked at. */
const ENOUGH = 6;
const MOST = 65;
/** A rhythm is found out again with readings that are so much newer, ms. */
const FRESH = 5 * 60_000;
/** How often all series of a device are looked at, ms, however fast it catches up with what it had kept. */
const ALL_AGAIN = HOUR;

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
    const found = (await this.findIn(known?.frequent, lastTime)) ?? (await this.find(name, lastTime));
    this.known.set(name, { lastTime, ...found });
    return found.rhythm;
  }

  /** Lets go of a device that is gone. */
  forget(name: string): void {
    this.known.delete(name);
  }

  /** What the series says that was the most frequent one: reading all of them costs as much as storing them. */
  private async findIn(frequent: Frequent | undefined, lastTime: number): Promise<Found | undefined> {
    if (!frequent || performance.now() - frequent.foundAt >= ALL_AGAIN) return undefined;
    const { series, span } = frequent;
    const times = await this.timesOf(series, { start: lastTime - span, end: lastTime + 1 });
    return times.length < ENOUGH ? undefined : { rhythm: rhythmOf(times), frequent };
  }

  private async find(deviceName: string, lastTime: number): Promise<Found> {
    const series = await this.store.findSeries({ devices: [deviceName] });
    for (const span of SPANS) {
      const range = { start: lastTime - span, end: lastTime + 1 };
      const summaries = await this.store.summarize(series, range);
      const most = summaries.reduce((count, { summary }) => Math.max(count, summary.count), 0);
      if (most < ENOUGH && span !== SPANS.at(-1)) continue;
      const frequent = summaries.find(({ summary }) => summary.count === most)?.series;
      const times = frequent ? await this.timesOf(frequent, range) : [];
      // Twice as far as the readings that count reach, for when there are fewer of them.
      const reach = Math.min(span, 2 * (lastTime - (times[0] ?? range.start)));
      return {
        rhythm: rhythmOf(times),
        frequent: frequent && { series: frequent, span: reach, foundAt: performance.now() },
      };
    }
    return { rhythm: undefined, frequent: undefined };
  }

  /** The times of the last readings of a series. */
  private async timesOf(series: Series, range: TimeRange): Promise<number[]> {
    let times: number[] = [];
    for await (const { timestamps } of this.store.readSamples([series], range)) {
      times = Array.prototype.slice.call(timestamps, -MOST) as number[];
    }
    return times;
  }
}

type Found = Pick<Known, 'rhythm' | 'frequent'>;
