import { labelsKey, type Labels, type Sample, type Series } from '@device-metrics/domain';
import type { DeviceDescription } from '../store.js';
import type { Head } from './head.js';
import { UNLABELLED, type LabelSet } from './label-sets.js';
import { SeriesByMetric } from './series-by-metric.js';

/** Series of a device that are gone through one by one: a map of their own takes a third of the memory of them. */
const FEW_SERIES = 64;

/** A device with its series. */
export class Device {
  private byMetric: SeriesByMetric<SeriesEntry> | undefined;
  /** The slot of the series that was found last among few. */
  private found = -1;
  /** Its series in the order in which they became known, each in the place of its `slot`. */
  readonly slots: (SeriesEntry | undefined)[] = [];
  seriesCount = 0;
  /** Its series by metric and labels, and those that have come since. */
  sorted: readonly SeriesEntry[] | undefined;
  unsorted: SeriesEntry[] = [];
  /** Where its samples went last. */
  head: Head | undefined;

  constructor(
    readonly id: number,
    public name: string,
    public description: DeviceDescription = { displayName: null, notes: null, tags: {} },
  ) {}

  /** Made when somebody looks for the first time: of most devices nobody does. */
  get metrics(): SeriesByMetric<SeriesEntry> {
    if (this.byMetric) return this.byMetric;
    this.byMetric = new SeriesByMetric();
    for (const entry of this.slots) if (entry) this.byMetric.set(entry);
    return this.byMetric;
  }

  /** The series of a metric and labels, where there is one. */
  find(metricName: string, labelsKey: string): SeriesEntry | undefined {
    const { slots } = this;
    if (slots.length > FEW_SERIES) return this.metrics.get(metricName, labelsKey);
    // They mostly are looked for in their order.
    let slot = this.found;
    for (let left = slots.length; left > 0; left -= 1) {
      slot = slot + 1 < slots.length ? slot + 1 : 0;
      const entry = slots[slot];
      if (entry?.metricName !== metricName || entry.labelsKey !== labelsKey) continue;
      this.found = slot;
      return entry;
    }
    return undefined;
  }

  /** Takes in a series, and gives its slot. */
  add(entry: SeriesEntry): number {
    this.byMetric?.set(entry);
    this.seriesCount += 1;
    return this.slots.push(entry) - 1;
  }

  drop(entry: SeriesEntry): void {
    this.byMetric?.delete(entry);
    this.seriesCount -= 1;
    this.slots[entry.slot] = undefined;
  }

  *entries(): Generator<SeriesEntry> {
    for (const entry of this.slots) if (entry) yield entry;
  }
}

/** What the store knows of one series. */
export class SeriesEntry {
  /** The series whose sample came after one of this the last time. */
  next: SeriesEntry | undefined;
  /** Its place among the series of its device. */
  readonly slot: number;
  private described: Series | undefined;

  constructor(
    readonly id: number,
    readonly device: Device,
    readonly metricName: string,
    private readonly labelSet: LabelSet,
    /** Changed by the catalogue alone. */
    public unit: string | null,
  ) {
    this.slot = device.add(this);
  }

  get labelsKey(): string {
    return this.labelSet.key;
  }

  /** As callers see it: another object when its unit or the name of its device changes. */
  get series(): Series {
    const { described, device, unit } = this;
    return described?.deviceName === device.name && described.unit === unit
      ? described
      : (this.described = new DescribedSeries(this.id, device.name, this.metricName, this.labelSet.labels, unit));
  }
}

/**
 * Of a class of their own, which V8 tells apart from all other objects that begin with an id: where one of these has a large one, it
 * would keep the id of each series as an object.
 */
class DescribedSeries implements Series {
  constructor(
    readonly id: number,
    readonly deviceName: string,
    readonly metricName: string,
    readonly labels: Labels,
    readonly unit: string | null,
  ) {}
}

/** What names a series. */
export type Named = Pick<Sample, 'deviceName' | 'metricName' | 'unit' | 'labels'>;

export const keyOf = (labels: Labels): string => (isEmpty(labels) ? UNLABELLED.key : labelsKey(labels));

export function isEmpty(labels: Labels): boolean {
  for (const _ in labels) return false;
  return true;
}
