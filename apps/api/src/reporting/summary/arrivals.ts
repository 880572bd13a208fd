import { inSlices, Slices, type Series, type TimeRange } from '@device-metrics/domain';
import type { SeriesSummary, Store, StoredDevice, SummaryPart } from '@device-metrics/storage';
import type { DeviceRhythms } from '../../devices/device-rhythms.js';
import { expectedBetween, rhythmOf } from '../../devices/rhythm.js';
import type { DeviceArrivalDto } from './arrivals.dto.js';

/** Series that are looked at without a look at the clock. */
const WITHOUT_LOOK = 256;

/** A series, and how many samples it has. */
interface Frequent {
  series: Series;
  count: number;
}

/** The most frequent series of each device, in which is seen how much of the device has arrived. */
export class FrequentSeries {
  private readonly most = new Map<string, Frequent | undefined>();

  /** @param series all series of the devices; `summaries` are theirs over the range. */
  async add(series: readonly Series[], summaries: readonly SeriesSummary[], slices = new Slices()): Promise<void> {
    let name: string | undefined;
    await inSlices(
      series,
      ({ deviceName }) => {
        // Those of one device follow each other.
        if (deviceName !== name) this.know(deviceName);
        name = deviceName;
      },
      slices,
    );
    await inSlices(summaries, ({ series: one, summary }) => this.note(one, summary.count), slices);
  }

  /** The same of a part of them. */
  async addPart(series: readonly Series[], part: SummaryPart, slices: Slices): Promise<void> {
    let name: string | undefined;
    let most = 0;
    for (let at = part.from; at < part.to; at += 1) {
      const one = series[at] as Series;
      if (one.deviceName !== name) {
        name = one.deviceName;
        this.know(name);
        most = 0;
      }
      const count = part.countOf(at);
      if (count > most) this.note(one, (most = count));
      if (at % WITHOUT_LOOK === 0 && slices.isOver()) await slices.next();
    }
  }

  private know(deviceName: string): void {
    if (!this.most.has(deviceName)) this.most.set(deviceName, undefined);
  }

  private note(series: Series, count: number): void {
    const known = this.most.get(series.deviceName);
    if (known) {
      if (count <= known.count) return;
      known.series = series;
      known.count = count;
    } else if (count > 0) {
      this.most.set(series.deviceName, { series, count });
    }
  }

  keepOnly(names: ReadonlySet<string>): void {
    for (const name of this.most.keys()) if (!names.has(name)) this.most.delete(name);
  }

  get names(): string[] {
    return [...this.most.keys()];
  }

  of(deviceName: string): Readonly<Frequent> | undefined {
    return this.most.get(deviceName);
  }
}

/** @param now Unix milliseconds. */
export async function arrivals(
  store: Store,
  rhythms: DeviceRhythms,
  most: FrequentSeries,
  range: TimeRange,
  now: number,
): Promise<DeviceArrivalDto[]> {
  let readable = MAX_SAMPLES;
  const devices = await store.devices({ devices: most.names });
  const slices = new Slices();
  const known = await rhythms.ofAll(devices, slices);
  const end = Math.min(range.end, now);
  const found: DeviceArrivalDto[] = [];
  /** Whose readings are looked at, by the id of their most frequent series. */
  const watched = new Map<number, Watched>();
  for (let index = 0; index < devices.length; index += 1) {
    if (slices.isOver()) await slices.next();
    const { name, firstTime } = devices[index] as StoredDevice;
    const frequent = most.of(name);
    const count = frequent?.count ?? 0;
    const rhythm = known[index];
    const start = Math.max(range.start, firstTime ?? Infinity);
    if (!rhythm || rhythm.interval === 0 || !(end > start)) {
      found.push({ device_name: name, arrived: count });
      continue;
    }
    const { interval } = rhythm;
    const expected = Math.max(count === 0 ? 0 : 1, Math.floor((end - start) / interval));
    found.push(answerOf(name, count, interval, expected));
    // Where as much has come as by the rhythm of today, there is nothing to look for.
    if (expected > 0 && frequent && Math.abs(count / expected - 1) > 0.01 && count <= readable) {
      readable -= count;
      watched.set(frequent.series.id, { index, interval, start, series: frequent.series });
    }
  }
  const ofThem = Array.from(watched.values(), ({ series: one }) => one);
  for await (const { series: one, timestamps } of rhythms.times.read(ofThem, { start: range.start, end })) {
    const { index, interval, start } = watched.get(one.id) as Watched;
    const { device_name: name, arrived } = found[index] as DeviceArrivalDto;
    found[index] = answerOf(name, arrived, interval, await expectedOf(timestamps, { start, end }, interval));
  }
  return found;
}

/** A device whose readings did not come as by the rhythm of today. */
interface Watched {
  /** Its place in the answer. */
  readonly index: number;
  readonly interval: number;
  /** From when on it was watched, Unix ms. */
  readonly start: number;
  readonly series: Series;
}

/** Of a range shorter than the time between two readings nobody can say that one is missing. */
function answerOf(name: string, arrived: number, interval: number, expected: number): DeviceArrivalDto {
  if (expected === 0) return { device_name: name, arrived, interval: Math.round(interval) };
  const share = Math.round(Math.min(1, arrived / expected) * 1e4) / 1e4;
  return { device_name: name, arrived, interval: Math.round(interval), expected, share };
}

/** Samples that one answer reads to see at which rhythm they came. */
const MAX_SAMPLES = 1_000_000;

/** How many readings were to be expected, each stretch by its own rhythm. */
async function expectedOf(times: ArrayLike<number>, { start, end }: TimeRange, interval: number): Promise<number> {
  const [first, last] = [times[0], times[times.length - 1]];
  if (first === undefined || last === undefined) return Math.max(1, Math.floor((end - start) / interval));
  const [lead, rest] = [rhythmOf(head(times)) ?? { interval }, rhythmOf(tail(times)) ?? { interval }];
  const between = await expectedBetween(times);
  const after = Math.max(0, Math.ceil((end - last) / rest.interval) - 1);
  return Math.floor((first - start) / lead.interval) + 1 + between + after;
}

const NEIGHBOURS = 33;
const head = (times: ArrayLike<number>): number[] => part(times, 0, Math.min(NEIGHBOURS, times.length));
const tail = (times: ArrayLike<number>): number[] => part(times, Math.max(0, times.length - NEIGHBOURS), times.length);

function part(times: ArrayLike<number>, from: number, to: number): number[] {
  const some: number[] = [];
  for (let index = from; index < to; index += 1) some.push(times[index] as number);
  return some;
}
