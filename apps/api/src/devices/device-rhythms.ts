import { setImmediate } from 'node:timers/promises';
import { Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import type { Store, StoredDevice } from '@device-metrics/storage';
import { DAY, HOUR, inSlices, Slices, type Series, type TimeRange } from '@device-metrics/domain';
import { SAMPLE_STORE } from '../sample-store.token.js';
import { ReadingTimes } from './reading-times.js';
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
/** Of those that the store has at hand, so many tell a rhythm. */
const PLENTY = 9;
/** A rhythm is found out again with readings that are so much newer, ms. */
const FRESH = 5 * 60_000;
/** How often all series of a device are looked at, ms, however fast it catches up with what it had kept. */
const ALL_AGAIN = HOUR;

/** The rhythm of each device, found in its samples and kept for a while. */
@Injectable()
export class DeviceRhythms implements OnApplicationBootstrap {
  private readonly known = new Map<string, Known>();
  /** Devices whose rhythm is being found out. */
  private readonly finding = new Map<string, Promise<Rhythm | undefined>>();

  /** Devices that were there at the start, or were changed: what is at hand of them may be some of their readings, the first among them. */
  private readonly older = new Set<string>();

  /** Until what the store has at hand after the start has been taken. */
  private warmingUp: Promise<void> | undefined;

  /** Of series whose readings tell how many were to be expected. */
  readonly times: ReadingTimes;

  constructor(@Inject(SAMPLE_STORE) private readonly store: Store) {
    this.times = new ReadingTimes(store);
  }

  /** Finds out the rhythms of a fleet before somebody asks, who would wait for them; where that takes little. */
  onApplicationBootstrap(): void {
    if (!this.store.recentReadings) return;
    const warmUp = async (): Promise<void> => {
      const taking = this.store.devices().then(async (devices) => {
        for (const { name } of devices) this.older.add(name);
        await this.takeRecent(devices);
        return devices;
      });
      this.warmingUp = taking.then(
        () => undefined,
        () => undefined,
      );
      await this.ofAll(await taking);
    };
    // Whoever asks finds out the rest, or why not.
    warmUp().catch(() => undefined);
  }

  /** The rhythms of devices, in their order. Those that were found out before are read anew together. */
  async ofAll(devices: readonly StoredDevice[], slices = new Slices()): Promise<(Rhythm | undefined)[]> {
    // Twice at once takes twice as long.
    await this.warmingUp;
    await this.takeRecent(await this.unknownOf(devices, slices));
    await this.readAnew(await this.unknownOf(devices, slices));
    const found: (Rhythm | undefined)[] = [];
    for (const device of devices) {
      found.push(this.isKnown(device) ? this.known.get(device.name)?.rhythm : await this.of(device));
      if (slices.isOver()) await slices.next();
    }
    return found;
  }

  /** Those whose rhythm is to be found out, perhaps again. */
  private async unknownOf(devices: readonly StoredDevice[], slices: Slices): Promise<StoredDevice[]> {
    const unknown: StoredDevice[] = [];
    const look = (device: StoredDevice): void => void (this.isKnown(device) || unknown.push(device));
    await inSlices(devices, look, slices);
    return unknown;
  }

  /** The rhythm of the device's most frequent series; undefined while that has fewer than two samples. */
  async of(device: StoredDevice): Promise<Rhythm | undefined> {
    const { name } = device;
    if (this.isKnown(device)) return this.known.get(name)?.rhythm;
    let finding = this.finding.get(name);
    if (!finding) {
      finding = this.findOut(device).finally(() => this.finding.delete(name));
      this.finding.set(name, finding);
    }
    return finding;
  }

  private async findOut(device: StoredDevice): Promise<Rhythm | undefined> {
    const { name, lastTime } = device;
    await this.takeRecent([device]);
    if (this.isKnown(device)) return this.known.get(name)?.rhythm;
    // A fleet is asked for one after the other: other requests go between.
    await setImmediate();
    const found = (await this.findIn(this.stillFrequent(name), lastTime)) ?? (await this.find(name, lastTime));
    this.known.set(name, { lastTime, ...found });
    return found.rhythm;
  }

  /** Takes what the store has at hand of the last readings, where that is enough. */
  private async takeRecent(devices: readonly StoredDevice[]): Promise<void> {
    if (!this.store.recentReadings || devices.length === 0) return;
    const readings = await this.store.recentReadings(devices);
    await inSlices(devices, ({ name, firstTime, lastTime }, index) => {
      const times = lastOf(readings[index] ?? [], { start: lastTime - HOUR, end: lastTime + 1 });
      // Of a device that is new there are no others.
      const areAll = !this.older.has(name) && times[0] === firstTime && times.at(-1) === lastTime;
      if (times.length < PLENTY && !areAll) return;
      this.known.set(name, { lastTime, rhythm: rhythmOf(times), frequent: this.known.get(name)?.frequent });
    });
  }

  private isKnown({ name, lastTime }: StoredDevice): boolean {
    const known = this.known.get(name);
    if (!known || lastTime < known.lastTime) return false;
    // What had too few readings for a rhythm is looked at again with its next one.
    return lastTime - known.lastTime < (known.rhythm ? FRESH : 1);
  }

  /** Reads those whose last readings lie close together: a fleet is read faster in one go than device by device. */
  private async readAnew(devices: readonly StoredDevice[]): Promise<void> {
    const newest = devices.reduce((time, { lastTime }) => Math.max(time, lastTime), -Infinity);
    const wanted = new Map<number, Wanted>();
    let start = newest;
    for (const { name, lastTime } of devices) {
      const frequent = this.stillFrequent(name);
      if (!frequent || frequent.span > HOUR || lastTime < newest - HOUR) continue;
      wanted.set(frequent.series.id, { name, lastTime, frequent });
      start = Math.min(start, lastTime - frequent.span);
    }
    if (wanted.size === 0) return;
    const series = Array.from(wanted.values(), ({ frequent }) => frequent.series);
    for await (const { series: one, timestamps } of this.store.readSamples(series, { start, end: newest + 1 })) {
      const { name, lastTime, frequent } = wanted.get(one.id) as Wanted;
      const times = lastOf(timestamps, { start: lastTime - frequent.span, end: lastTime + 1 });
      if (times.length >= ENOUGH) this.known.set(name, { lastTime, rhythm: rhythmOf(times), frequent });
    }
  }

  private stillFrequent(name: string): Frequent | undefined {
    const frequent = this.known.get(name)?.frequent;
    return frequent && performance.now() - frequent.foundAt < ALL_AGAIN ? frequent : undefined;
  }

  /** Lets go of a device that is gone, or has other readings now. */
  forget(name: string): void {
    this.older.add(name);
    this.known.delete(name);
  }

  /** What the series says that was the most frequent one: reading all of them costs as much as storing them. */
  private async findIn(frequent: Frequent | undefined, lastTime: number): Promise<Found | undefined> {
    if (!frequent) return undefined;
    const { series, span } = frequent;
    const times = await this.timesOf(series, { start: lastTime - span, end: lastTime + 1 });
    return times.length < ENOUGH ? undefined : { rhythm: rhythmOf(times), frequent };
  }

  private async find(deviceName: string, lastTime: number): Promise<Found> {
    const series = await this.store.findSeries({ devices: [deviceName] });
    for (const span of SPANS) {
      const range = { start: lastTime - span, end: lastTime + 1 };
      // Of whole hours, for which no samples are read.
      const summaries = await this.store.summarize(series, { ...range, start: Math.floor(range.start / HOUR) * HOUR });
      const most = summaries.reduce((count, { summary }) => Math.max(count, summary.count), 0);
      if (most < ENOUGH && span !== SPANS.at(-1)) continue;
      const frequent = summaries.find(({ summary }) => summary.count === most)?.series;
      const times = frequent ? await this.timesOf(frequent, range) : [];
      if (times.length < ENOUGH && span !== SPANS.at(-1)) continue;
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
      times = lastOf(timestamps, range);
    }
    return times;
  }
}

/** A device whose readings are read together with those of others. */
interface Wanted extends Pick<StoredDevice, 'name' | 'lastTime'> {
  readonly frequent: Frequent;
}

/** The last of the times within a range; they come in ascending order. */
function lastOf(times: ArrayLike<number>, { start, end }: TimeRange): number[] {
  let to = times.length;
  while (to > 0 && (times[to - 1] as number) >= end) to -= 1;
  let from = to;
  while (from > 0 && to - from < MOST && (times[from - 1] as number) >= start) from -= 1;
  return Array.prototype.slice.call(times, from, to) as number[];
}

type Found = Pick<Known, 'rhythm' | 'frequent'>;
