import { Slices } from './slices.js';
import { composedLabels, deviceNames, metricNames, units } from './known-names.js';
import type { SeriesGroup } from './named-series.js';
import type { Labels, Sample } from './sample.js';
import { labelsKey } from './series.js';
import { conversionBetween, convert } from './units.js';
import {
  deviceNameRule,
  EARLIEST_TIMESTAMP,
  labelsRule,
  MAX_AHEAD,
  metricNameRule,
  quote,
  timeRule,
  unitRule,
  valueRule,
  wrong,
  type TimeUnit,
} from './sample-rules.js';

/** What a protocol takes for a sample: the fields of one, whatever they hold. The gate decides. */
export type Candidate = { -readonly [Field in keyof Sample]: unknown };

/** What a protocol has decoded. The gate is given it for good: candidates that pass are the samples. */
export interface Candidates {
  readonly samples: Candidate[];
  /** Where each item ends in `samples`: an item is stored whole or not at all. Left out: each sample is an item. */
  readonly ends?: ArrayLike<number>;
}

/** When candidates came, and what is too old; Unix ms. */
export interface Receipt {
  readonly receivedAt: number;
  /** The first time that the receiver still takes. */
  readonly oldest: number;
  /** What the sender's numbers of times were taken to count; milliseconds where left out. */
  readonly timeUnit?: TimeUnit;
  /** The device that the sender means by a name, or why it may not send its samples. Left out: the name is the device's. */
  readonly deviceOf?: (name: string) => string | { readonly refused: string };
  /** The unit of the series that a sample goes to, as it is stored; null or undefined while nobody has said. */
  readonly unitOf?: (sample: Pick<Sample, 'deviceName' | 'metricName' | 'labels'>) => string | null | undefined;
  /** Whether `unitOf` is known to be what each series of a group says, of those that say a unit. */
  readonly hasUnits?: (group: SeriesGroup) => boolean;
}

/** Why an item was refused, all of it. */
export interface Refusal {
  /** Of the item, from 0. */
  readonly item: number;
  /** The first field that is wrong. */
  readonly field: 'device_name' | 'metric_name' | 'unit' | 'labels' | 'value' | 'timestamp';
  /** What is allowed and what came. */
  readonly reason: string;
  /** The sample may be right: its sender may not send it. */
  readonly ofSender?: true;
  /** It is refused for now only: from when on it is not, Unix ms. */
  readonly until?: number | undefined;
  /** Of columns: the names that the sample has, which nobody can look up by the item any more. */
  readonly named?: Pick<Sample, 'deviceName' | 'metricName'>;
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

export const NO_LABELS: Labels = Object.freeze({});

/** What has passed, and what has not. */
export interface Passed {
  readonly samples: Sample[];
  readonly refused: Refusal[];
}

/** Decides which candidates are samples. There is no other way from a protocol to the store. */
export function passSamples(candidates: Candidates, receipt: Receipt): Passed {
  const passing = new PassingSamples(candidates, receipt);
  passing.pass(Infinity);
  return passing.finish();
}

/** Samples that pass before others may get their turn, about. */
const SAMPLES_AT_ONCE = 500;

/** The same, in slices. */
export async function passSamplesInSlices(candidates: Candidates, receipt: Receipt): Promise<Passed> {
  const passing = new PassingSamples(candidates, receipt);
  const slices = new Slices();
  while (passing.pass(SAMPLES_AT_ONCE)) if (slices.isOver()) await slices.next();
  return passing.finish();
}

/** Candidates on their way through the gate. */
export class PassingSamples {
  private readonly gate: SampleGate;
  private readonly refused: Refusal[] = [];
  private item = 0;
  private kept = 0;
  private at = 0;
  /** What was kept before the item. */
  private first = 0;

  constructor(
    private readonly candidates: Candidates,
    receipt: Receipt,
  ) {
    this.gate = new SampleGate(receipt);
  }

  /** Looks at so many samples, at most; false once there are no more. */
  pass(most: number): boolean {
    const { gate, refused } = this;
    const { samples, ends } = this.candidates;
    const items = ends?.length ?? samples.length;
    let { item, at, kept, first } = this;
    const last = at + most;
    for (; item < items; item += 1) {
      const end = ends?.[item] ?? item + 1;
      for (; at < end && at < last; at += 1) {
        const candidate = samples[at] as Candidate;
        if (!gate.passes(candidate)) {
          refused.push({ item, ...gate.reasonOf(candidate) });
          kept = first;
          at = end;
          break;
        }
        if (kept !== at) samples[kept] = candidate;
        kept += 1;
      }
      if (at < end) break;
      first = kept;
    }
    Object.assign(this, { item, at, kept, first });
    return item < items;
  }

  finish(): Passed {
    const { samples } = this.candidates;
    samples.length = this.kept;
    return { samples: samples as Sample[], refused: this.refused };
  }
}

/** Samples that follow each other share much: what is as in the sample before has passed already. */
export class SampleGate {
  private readonly receivedAt: number;
  private readonly oldest: number;
  private readonly latest: number;
  private readonly timeUnit: Receipt['timeUnit'];
  private readonly deviceOf: Receipt['deviceOf'];
  private readonly unitOf: Receipt['unitOf'];
  /** Units of series that come into being with these samples. */
  private readonly newUnits = new Map<string, string>();
  /** As the candidate before had it, and what that means. */
  private givenName: unknown;
  private deviceName: string | undefined;
  private labels: unknown = NO_LABELS;
  private composed: Labels = NO_LABELS;

  constructor({ receivedAt, oldest, timeUnit, deviceOf, unitOf }: Receipt) {
    this.timeUnit = timeUnit;
    this.deviceOf = deviceOf;
    this.unitOf = unitOf;
    this.receivedAt = receivedAt;
    this.oldest = Math.max(oldest, EARLIEST_TIMESTAMP);
    this.latest = receivedAt + MAX_AHEAD;
  }

  /** Whether a candidate is a sample; it then shares its names with the others that have them. */
  passes(candidate: Candidate): boolean {
    const { value, timestamp, labels } = candidate;
    if (!Number.isFinite(value) || !Number.isSafeInteger(timestamp)) return false;
    if ((timestamp as number) < this.oldest || (timestamp as number) > this.latest) return false;
    if (this.deviceName === undefined || candidate.deviceName !== this.givenName) {
      this.givenName = candidate.deviceName;
      this.deviceName = this.knownDevice(deviceNames.get(candidate.deviceName));
    }
    const metricName = metricNames.get(candidate.metricName);
    const unit = candidate.unit === undefined ? undefined : units.get(candidate.unit);
    if (this.deviceName === undefined || metricName === undefined) return false;
    if (unit === undefined && candidate.unit !== undefined) return false;
    if (labels !== this.labels) {
      if (labelsRule(labels) !== undefined) return false;
      this.labels = labels;
      this.composed = composedLabels(labels as Labels);
    }
    candidate.labels = this.composed;
    candidate.deviceName = this.deviceName;
    candidate.metricName = metricName;
    candidate.unit = unit;
    return unit === undefined || this.unitOf === undefined || this.takesUnit(candidate as Mutable<Sample>, unit);
  }

  /** Gives a sample the unit of its series, and the value in it; false where no conversion is known. */
  private takesUnit(sample: Mutable<Sample>, unit: string): boolean {
    const known = this.storedUnit(sample, unit);
    if (known === unit) return true;
    const conversion = conversionBetween(unit, known);
    if (!conversion) return false;
    const value = convert(sample.value, conversion);
    if (!Number.isFinite(value)) return false;
    sample.value = value;
    sample.unit = known;
    return true;
  }

  /** The unit of the series; it is `unit` where nobody has said another. */
  storedUnit(sample: Pick<Sample, 'deviceName' | 'metricName' | 'labels'>, unit: string): string {
    const stored = this.unitOf?.(sample);
    if (stored !== null && stored !== undefined) return stored;
    const key = `${sample.deviceName}\n${sample.metricName}\n${labelsKey(sample.labels)}`;
    const said = this.newUnits.get(key);
    if (said === undefined) this.newUnits.set(key, unit);
    return said ?? unit;
  }

  private knownDevice(name: string | undefined): string | undefined {
    const device = name === undefined ? undefined : (this.deviceOf?.(name) ?? name);
    return typeof device === 'string' ? device : undefined;
  }

  /**
   * What is wrong with a candidate that does not pass: the first of its fields.
   *
   * @param deviceName what its device is called here, where the candidate has the sender's name of it.
   */
  reasonOf(candidate: Candidate, deviceName = candidate.deviceName): Omit<Refusal, 'item'> {
    const time = timeRule(() => this.receivedAt, this.oldest, this.timeUnit);
    const reasons: [Refusal['field'], string | undefined][] = [
      ['device_name', deviceNameRule(candidate.deviceName)],
      ['metric_name', metricNameRule(candidate.metricName)],
      ['unit', candidate.unit === undefined ? undefined : unitRule(candidate.unit)],
      ['labels', labelsRule(candidate.labels)],
      ['value', valueRule(candidate.value)],
    ];
    for (const [field, reason] of reasons) if (reason !== undefined) return { field, reason };
    const device = this.deviceOf?.(candidate.deviceName as string);
    if (typeof device === 'object') return { field: 'device_name', reason: device.refused, ofSender: true };
    const late = time(candidate.timestamp);
    if (late !== undefined) return { field: 'timestamp', reason: late };
    const unit = this.storedUnit(
      { ...(candidate as Sample), deviceName: deviceName as string },
      candidate.unit as string,
    );
    return {
      field: 'unit',
      reason: wrong(`${quote(unit)}, which this series has, or one that it can be converted to`, candidate.unit),
    };
  }
}
