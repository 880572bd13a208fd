import type { Labels, Sample } from '@device-metrics/domain';
import type { SeriesRefusal } from '../store.js';
import type { LabelledSeries, LimitedDevice, LimitedMetrics, SeriesLimit } from './series-limit.js';

type Wanted = Pick<Sample, 'deviceName' | 'metricName' | 'labels'>;

/** Finds out which series there may be before any of them is made. */
export class SeriesTrial {
  /** By name, as they would be with the series that may be. */
  private readonly devices = new Map<string, TriedDevice>();
  private readonly taken: TriedDevice[] = [];

  /** @param find the device that samples for a name go to; undefined while there is none. */
  constructor(
    private readonly find: (name: string) => LimitedDevice | undefined,
    private readonly limit: SeriesLimit,
  ) {}

  /** Counts new series, all or, where it gives a reason, none of them. */
  take(wanted: Iterable<Wanted>): SeriesRefusal | undefined {
    const before = this.taken.length;
    for (const { deviceName, metricName, labels } of wanted) {
      const device = this.deviceOf(deviceName);
      device.note(metricName, labels);
      const refusal = this.limit.take(device, metricName);
      if (refusal) {
        this.giveBack(before);
        return refusal;
      }
      device.seriesCount += 1;
      this.taken.push(device);
    }
    return undefined;
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
  /** The labels of series that are wanted, by metric; those of the only one stand alone. */
  private readonly added = new Map<string, Labels | Labels[]>();

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
    for (const metricName of this.added.keys()) {
      const [known] = this.known.ofMetric(metricName);
      if (!known) size += 1;
    }
    return size;
  }

  *ofMetric(metricName: string): Generator<LabelledSeries> {
    yield* this.known.ofMetric(metricName);
    const added = this.added.get(metricName) ?? [];
    for (const labels of isList(added) ? added : [added]) yield { series: { labels } };
  }

  /** Notes a series that is wanted, so that a refusal can say what grows. */
  note(metricName: string, labels: Labels): void {
    const added = this.added.get(metricName);
    if (added === undefined) this.added.set(metricName, labels);
    else if (isList(added)) added.push(labels);
    else this.added.set(metricName, [added, labels]);
  }
}

const isList = (labels: Labels | Labels[]): labels is Labels[] => Array.isArray(labels);
