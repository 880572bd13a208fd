import type { Labels } from '@device-metrics/domain';
import { MINUTE } from '@device-metrics/domain';
import type { SeriesRefusal } from '../store.js';

/** What is looked at of a device. */
export interface LimitedDevice {
  readonly name: string;
  readonly seriesCount: number;
  readonly metrics: LimitedMetrics;
}

/** The series of a device, by metric. */
export interface LimitedMetrics {
  /** How many metrics there are. */
  readonly size: number;
  ofMetric(metricName: string): Iterable<LabelledSeries>;
}

export interface LabelledSeries {
  readonly series: { readonly labels: Labels };
}

/** How many series there may be, so that a label with a random value does not fill the memory; 0: any number. */
export interface SeriesLimits {
  readonly maxSeriesPerDevice: number;
  /** Of one device. */
  readonly maxNewSeriesPerMinute: number;
}

/** How long it is not looked up again which label grows, ms: senders that are refused come again and again. */
const LOOK = 10_000;

/** Of the metric that grows so many series are looked at: to look at all of them would hold up others. */
const MOST_LOOKED_AT = 1_000;

/** Refuses series that would be too many of one device. */
export class SeriesLimit {
  private minute = 0;
  /** Series that came in this minute, by the name of the device. */
  private readonly added = new Map<string, number>();
  private readonly growing = new Map<string, { readonly at: number; readonly what: string }>();

  constructor(
    private readonly limits: SeriesLimits,
    private readonly now: () => number,
  ) {}

  /** Counts a new series, or says why there may be none. */
  take(device: LimitedDevice, metricName: string): SeriesRefusal | undefined {
    const refusal = this.refusalOf(device, metricName);
    if (!refusal) this.added.set(device.name, (this.added.get(device.name) ?? 0) + 1);
    return refusal;
  }

  /** Why there may be no new series: the device has, or has got in this minute, as many as it may; undefined where there may. */
  refusalOf(device: LimitedDevice, metricName: string): SeriesRefusal | undefined {
    const { maxSeriesPerDevice, maxNewSeriesPerMinute } = this.limits;
    const now = this.now();
    const minute = Math.floor(now / MINUTE);
    if (minute !== this.minute) {
      this.minute = minute;
      this.added.clear();
    }
    if (maxSeriesPerDevice > 0 && device.seriesCount >= maxSeriesPerDevice) {
      return this.tell(device, metricName, `${maxSeriesPerDevice} series (MAX_SERIES_PER_DEVICE)`, now);
    }
    const added = this.added.get(device.name) ?? 0;
    if (maxNewSeriesPerMinute > 0 && added >= maxNewSeriesPerMinute) {
      const limit = `${maxNewSeriesPerMinute} new series a minute (MAX_NEW_SERIES_PER_MINUTE)`;
      return { ...this.tell(device, metricName, limit, now), until: (minute + 1) * MINUTE };
    }
    return undefined;
  }

  /** A series that was taken has never come to be. */
  giveBack(device: LimitedDevice): void {
    this.added.set(device.name, Math.max(0, (this.added.get(device.name) ?? 0) - 1));
  }

  private tell(device: LimitedDevice, metricName: string, limit: string, now: number): SeriesRefusal {
    let growing = this.growing.get(device.name);
    if (!growing || now - growing.at >= LOOK || now < growing.at) {
      growing = { at: now, what: whatGrows(device, metricName) };
      this.growing.set(device.name, growing);
    }
    return { reason: `${JSON.stringify(device.name)} may have ${limit}, and has as many: ${growing.what}` };
  }
}

/** In words: the label of the metric that has the most values, or the names of metrics. */
function whatGrows(device: LimitedDevice, metricName: string): string {
  const values = new Map<string, Set<string>>();
  let count = 0;
  for (const { series } of device.metrics.ofMetric(metricName)) {
    count += 1;
    if (count > MOST_LOOKED_AT) break;
    for (const [name, value] of Object.entries(series.labels)) {
      const known = values.get(name);
      if (known) known.add(value);
      else values.set(name, new Set([value]));
    }
  }
  let most: readonly [string, number] | undefined;
  for (const [name, { size }] of values) if (!most || size > most[1]) most = [name, size];
  if (!most || most[1] <= device.metrics.size) return `it has ${device.metrics.size} metrics`;
  const number = count > MOST_LOOKED_AT ? `at least ${most[1]}` : most[1];
  return `label ${JSON.stringify(most[0])} of ${JSON.stringify(metricName)} grows, it has ${number} values`;
}
