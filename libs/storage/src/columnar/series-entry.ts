import { labelsKey, type Labels, type Sample, type Series } from '@device-metrics/domain';
import type { DeviceDescription } from '../store.js';
import type { Head } from './head.js';
import { SeriesByMetric } from './series-by-metric.js';

export const UNLABELLED = labelsKey({});
/** One for all series that have none. */
export const NO_LABELS: Labels = Object.freeze({});

/** A device with its series. */
export class Device {
  readonly metrics = new SeriesByMetric<SeriesEntry>();
  /** Its series in the order in which they became known, each in the place of its `slot`. */
  readonly slots: (SeriesEntry | undefined)[] = [];
  seriesCount = 0;
  /** How many samples its last head had: what to make room for. */
  usualSize = 0;
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

  entries(): Iterable<SeriesEntry> {
    return this.metrics.values();
  }
}

/** What the store knows of one series. */
export class SeriesEntry {
  /** The series whose sample came after one of this the last time. */
  next: SeriesEntry | undefined;
  readonly id: number;
  readonly metricName: string;
  /** Its place among the series of its device. */
  readonly slot: number;
  private described: Series;

  constructor(
    readonly device: Device,
    readonly labelsKey: string,
    series: Series,
  ) {
    this.id = series.id;
    this.metricName = series.metricName;
    this.slot = device.slots.push(this) - 1;
    this.described = series;
  }

  /** As callers see it: another object when its unit or the name of its device changes. */
  get series(): Series {
    const { described, device } = this;
    return described.deviceName === device.name
      ? described
      : (this.described = { ...described, deviceName: device.name });
  }

  setUnit(unit: string | null): void {
    this.described = { ...this.series, unit };
  }
}

/** What names a series. */
export type Named = Pick<Sample, 'deviceName' | 'metricName' | 'unit' | 'labels'>;

export const keyOf = (labels: Labels): string => (isEmpty(labels) ? UNLABELLED : labelsKey(labels));

export function isEmpty(labels: Labels): boolean {
  for (const _ in labels) return false;
  return true;
}
