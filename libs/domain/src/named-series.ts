import { composedLabels, deviceNames, metricNames, units } from './known-names.js';
import type { Labels } from './sample.js';
import { deviceNameRule, labelsRule, metricNameRule, unitRule } from './sample-rules.js';

/** What is wrong with a series as it was named: the first of its fields. */
export interface SeriesFault {
  readonly field: 'device_name' | 'metric_name' | 'unit' | 'labels';
  /** What is allowed and what came. */
  readonly reason: string;
}

/** The fields that name a series, whatever they hold. */
export interface SeriesNames {
  readonly deviceName: unknown;
  readonly metricName: unknown;
  /** Undefined where the sender does not say. */
  readonly unit: unknown;
  readonly labels: unknown;
}

/**
 * A series as its sender names it. The rules for names are asked once, when it is made; whoever decodes keeps it, by the
 * bytes that named it, and hands it over with each of its samples. One that breaks a rule is kept in the same way: the gate
 * refuses its samples, and says why.
 */
export class NamedSeries {
  /** What a store has found for it, and the state of that store for which it holds; nobody else's business. */
  found: unknown = undefined;
  foundIn: unknown = undefined;
  private other: NamedSeries | undefined = undefined;

  private constructor(
    readonly deviceName: string,
    readonly metricName: string,
    readonly unit: string | undefined,
    readonly labels: Labels,
    /** Why it is none; the names are then empty. */
    readonly fault: SeriesFault | undefined,
  ) {}

  /** The only way to get one. Series with the same labels share them where those are frozen. */
  static of(names: SeriesNames): NamedSeries {
    // Names that are known need not be looked at once more.
    const deviceName = deviceNames.get(names.deviceName);
    const metricName = metricNames.get(names.metricName);
    const unit = names.unit === undefined ? undefined : units.get(names.unit);
    const isUnit = unit !== undefined || names.unit === undefined;
    if (deviceName === undefined || metricName === undefined || !isUnit || labelsRule(names.labels) !== undefined) {
      return new NamedSeries('', '', undefined, {}, faultOf(names));
    }
    return new NamedSeries(deviceName, metricName, unit, frozen(composedLabels(names.labels as Labels)), undefined);
  }

  /** Whether a store has found it, for this device and unit or for those that it has become by `as`. */
  get isStored(): boolean {
    return this.found !== undefined || this.other?.isStored === true;
  }

  /** The same of another device or in another unit; the last one is kept. */
  as(deviceName: string, unit: string | undefined): NamedSeries {
    if (deviceName === this.deviceName && unit === this.unit) return this;
    if (this.other?.deviceName !== deviceName || this.other.unit !== unit) {
      this.other = NamedSeries.of({ ...this.names(), deviceName, unit });
    }
    return this.other;
  }

  private names(): SeriesNames {
    const { deviceName, metricName, unit, labels } = this;
    return { deviceName, metricName, unit, labels };
  }
}

/**
 * Series of one device that its sender names together again and again, in one order: what is found for them is found once, and as long as
 * it holds nobody looks at one of them.
 */
export class SeriesGroup {
  /** As of a series; see `note`. */
  found: unknown = undefined;
  foundIn: unknown = undefined;
  readonly deviceName: string;
  readonly length: number;
  /** Whether one of them is none. */
  readonly hasFault: boolean;
  readonly saysUnits: boolean;
  private named: readonly NamedSeries[] | undefined;

  /**
   * @param series at least one.
   * @param again gives the same once more; then they are not kept once they are found.
   */
  constructor(
    series: readonly NamedSeries[],
    private readonly again?: () => readonly NamedSeries[],
  ) {
    this.named = series;
    this.deviceName = (series[0] as NamedSeries).deviceName;
    this.length = series.length;
    this.hasFault = series.some(({ fault }) => fault !== undefined);
    this.saysUnits = series.some(({ unit }) => unit !== undefined);
  }

  get series(): readonly NamedSeries[] {
    return (this.named ??= (this.again as () => readonly NamedSeries[])());
  }

  /** Takes note of what a store has found, and of the state of it for which that holds. */
  note(found: unknown, foundIn: unknown): void {
    this.found = found;
    this.foundIn = foundIn;
    if (this.again) this.named = undefined;
  }
}

const frozen = (labels: Labels): Labels => (Object.isFrozen(labels) ? labels : Object.freeze({ ...labels }));

function faultOf({ deviceName, metricName, unit, labels }: SeriesNames): SeriesFault | undefined {
  const reasons: [SeriesFault['field'], string | undefined][] = [
    ['device_name', deviceNameRule(deviceName)],
    ['metric_name', metricNameRule(metricName)],
    ['unit', unit === undefined ? undefined : unitRule(unit)],
    ['labels', labelsRule(labels)],
  ];
  for (const [field, reason] of reasons) if (reason !== undefined) return { field, reason };
  return undefined;
}
