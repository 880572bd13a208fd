import type { Series } from '@device-metrics/domain';
import { TooManySeriesError } from '../store.js';

/** What is looked at of a device. */
interface LimitedDevice {
  readonly id: number;
  readonly name: string;
  readonly seriesCount: number;
  /** Metric name → labels key → series. */
  readonly metrics: ReadonlyMap<string, ReadonlyMap<string, { readonly series: Series }>>;
}

/** How many series there may be, so that a label with a random value does not fill the memory; 0: any number. */
export interface SeriesLimits {
  readonly maxSeriesPerDevice: number;
  /** Of one device. */
  readonly maxNewSeriesPerMinute: number;
}

const MINUTE = 60_000;

/** How long it is not looked up again which label grows, ms: senders that are refused come again and again. */
const LOOK = 10_000;

/** Refuses series that would be too many of one device. */
export class SeriesLimit {
  private minute = 0;
  /** Series that came in this minute, by device id. */
  private readonly added = new Map<number, number>();
  private readonly growing = new Map<number, { readonly at: number; readonly what: string }>();

  constructor(
    private readonly limits: SeriesLimits,
    private readonly now: () => number,
  ) {}

  /** @throws TooManySeriesError when the device has, or has got in this minute, as many as it may. */
  take(device: LimitedDevice, metricName: string): void {
    const { maxSeriesPerDevice, maxNewSeriesPerMinute } = this.limits;
    const now = this.now();
    const minute = Math.floor(now / MINUTE);
    if (minute !== this.minute) {
      this.minute = minute;
      this.added.clear();
    }
    if (maxSeriesPerDevice > 0 && device.seriesCount >= maxSeriesPerDevice) {
      throw this.refusal(device, metricName, `${maxSeriesPerDevice} series (MAX_SERIES_PER_DEVICE)`, now);
    }
    const added = this.added.get(device.id) ?? 0;
    if (maxNewSeriesPerMinute > 0 && added >= maxNewSeriesPerMinute) {
      throw this.refusal(
        device,
        metricName,
        `${maxNewSeriesPerMinute} new series a minute (MAX_NEW_SERIES_PER_MINUTE)`,
        now,
      );
    }
    this.added.set(device.id, added + 1);
  }

  /** A series that was taken has never come to be. */
  giveBack(device: LimitedDevice): void {
    this.added.set(device.id, Math.max(0, (this.added.get(device.id) ?? 0) - 1));
  }

  private refusal(device: LimitedDevice, metricName: string, limit: string, now: number): TooManySeriesError {
    let growing = this.growing.get(device.id);
    if (!growing || now - growing.at >= LOOK || now < growing.at) {
      growing = { at: now, what: whatGrows(device, metricName) };
      this.growing.set(device.id, growing);
    }
    return new TooManySeriesError(
      `device ${JSON.stringify(device.name)} may have ${limit}, and has as many: ${growing.what}`,
    );
  }
}

/** In words: the label of the metric that has the most values, or the names of metrics. */
function whatGrows(device: LimitedDevice, metricName: string): string {
  const values = new Map<string, Set<string>>();
  for (const { series } of device.metrics.get(metricName)?.values() ?? []) {
    for (const [name, value] of Object.entries(series.labels)) {
      const known = values.get(name);
      if (known) known.add(value);
      else values.set(name, new Set([value]));
    }
  }
  let most: readonly [string, number] | undefined;
  for (const [name, { size }] of values) if (!most || size > most[1]) most = [name, size];
  if (!most || most[1] <= device.metrics.size) return `it has ${device.metrics.size} metrics`;
  return `label ${JSON.stringify(most[0])} of ${JSON.stringify(metricName)} grows, it has ${most[1]} values`;
}
