import type { Sample } from '@device-metrics/domain';
import type { SeriesRefusal } from '../store.js';
import { SeriesByMetric } from './series-by-metric.js';
import { keyOf } from './series-entry.js';
import type { LabelledSeries, LimitedDevice, LimitedMetrics, SeriesLimit } from './series-limit.js';

type Wanted = Pick<Sample, 'deviceName' | 'metricName' | 'labels'>;

/** Finds out which series there may be before any of them is made. */
export class SeriesTrial {
  /** By name, as they would be with the series that may be. */
  private readonly devices = new Map<string, TriedDevice>();
  private readonly taken: TriedDevice[] = [];
  /** Of the series before, by the name that was said for it. */
  private last: { readonly name: string; readonly device: TriedDevice } | undefined;

  /** @param find the device that samples for a name go to; undefined while there is none. */
  constructor(
    private readonly find: (name: string) => LimitedDevice | undefined,
    private readonly limit: SeriesLimit,
  ) {}

  /** Counts new series, all or, where it gives a reason, none of them. */
  take(wanted: Iterable<Wanted>): SeriesRefusal | undefined {
    const before = this.taken.length;
    for (const one of wanted) {
      this.note(one);
      const refusal = this.takeOne(one);
      if (!refusal) continue;
      this.giveBack(before);
      return refusal;
    }
    return undefined;
  }

  /** Counts a new series that was noted, or says why there may be none. */
  takeOne({ deviceName, metricName }: Omit<Wanted, 'labels'>): SeriesRefusal | undefined {
    const device = this.deviceOf(deviceName);
    const refusal = this.limit.take(device, metricName);
    if (refusal) return refusal;
    device.seriesCount += 1;
    this.taken.push(device);
    return undefined;
  }

  /** Notes a series that is wanted, so that a refusal can say what grows; false where it was noted before. */
  note(one: Wanted): boolean {
    return this.deviceOf(one.deviceName).note(one);
  }

  /** Why there may not be even one more series of a device; undefined where there may. */
  refusalOf({ deviceName, metricName }: Omit<Wanted, 'labels'>): SeriesRefusal | undefined {
    return this.limit.refusalOf(this.deviceOf(deviceName), metricName);
  }

  /** The name that the device of samples for a name has. */
  nameOf(deviceName: string): string {
    return this.deviceOf(deviceName).name;
  }

  /** Nobody makes the series, but for the first so many. */
  giveBack(kept = 0): void {
    for (const device of this.taken.splice(kept)) {
      device.seriesCount -= 1;
      this.limit.giveBack(device);
    }
  }

  private deviceOf(name: string): TriedDevice {
    if (this.last?.name !== name) this.last = { name, device: this.lookUp(name) };
    return this.last.device;
  }

  private lookUp(name: string): TriedDevice {
    const found = this.find(name);
    const known = this.devices.get(found?.name ?? name);
    if (known) return known;
    const device = new TriedDevice(found ?? { name, seriesCount: 0, metrics: NO_METRICS });
    this.devices.set(device.name, device);
    return device;
  }
}

const NO_METRICS: LimitedMetrics = { size: 0, ofMetric: () => [] };

class TriedDevice implements LimitedDevice, LimitedMetrics {
  readonly name: string;
  seriesCount: number;
  private readonly added = new SeriesByMetric<NotedSeries>();

  constructor(private readonly device: LimitedDevice) {
    this.name = device.name;
    this.seriesCount = device.seriesCount;
  }

  /** Asked for only where something is refused. */
  private get known(): LimitedMetrics {
    return this.device.metrics;
  }

  get metrics(): LimitedMetrics {
    return this;
  }

  get size(): number {
    let { size } = this.known;
    for (const metricName of this.added.metricNames()) {
      const [known] = this.known.ofMetric(metricName);
      if (!known) size += 1;
    }
    return size;
  }

  *ofMetric(metricName: string): Generator<LabelledSeries> {
    yield* this.known.ofMetric(metricName);
    yield* this.added.ofMetric(metricName);
  }

  note(one: Wanted): boolean {
    const labelsKey = keyOf(one.labels);
    if (this.added.get(one.metricName, labelsKey)) return false;
    this.added.set(new NotedSeries(one, labelsKey));
    return true;
  }
}

class NotedSeries implements LabelledSeries {
  constructor(
    readonly series: Wanted,
    readonly labelsKey: string,
  ) {}

  get metricName(): string {
    return this.series.metricName;
  }
}
