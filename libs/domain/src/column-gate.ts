import type { NamedSeries, SeriesGroup } from './named-series.js';
import { ColumnsOfGroups, type SampleColumns } from './sample-columns.js';
import { SampleGate, type Receipt, type Refusal } from './sample-gate.js';
import { EARLIEST_TIMESTAMP, MAX_AHEAD } from './sample-rules.js';
import { Slices } from './slices.js';
import { conversionBetween, convert } from './units.js';

/** What a fast protocol has decoded, position by position. The gate is given it for good: what passes are the samples. */
export interface ColumnCandidates {
  /** The series of each sample, by the bytes that named it. */
  readonly series: NamedSeries[];
  /** Unix ms, whatever they hold; at least as many as `series`. */
  readonly timestamps: Float64Array;
  /** Whatever they hold; at least as many as `series`. */
  readonly values: Float64Array;
  /** Where each item ends in the columns: an item is stored whole or not at all. Left out: each sample is an item. */
  readonly ends?: ArrayLike<number>;
  /** What `series` consists of, where that is whole groups, one behind the other. */
  readonly groups?: readonly SeriesGroup[] | undefined;
}

/** How many samples they are. */
export function countOfCandidates(candidates: ColumnCandidates): number {
  if (!candidates.groups) return candidates.series.length;
  let count = 0;
  for (const { length } of candidates.groups) count += length;
  return count;
}

/** What has passed, and what has not. */
export interface PassedColumns {
  readonly samples: SampleColumns;
  readonly refused: Refusal[];
}

/** Decides which samples of columns pass, by the rules and with the reasons of `passSamples`. */
export function passColumns(candidates: ColumnCandidates, receipt: Receipt): PassedColumns {
  const whole = passWhole(candidates, receipt);
  if (whole) return whole;
  const passing = new PassingColumns(candidates, receipt);
  passing.pass(Infinity);
  return passing.finish();
}

/** Samples that pass before others may get their turn, about. */
const SAMPLES_AT_ONCE = 1_000;

/** The same, in slices. */
export async function passColumnsInSlices(candidates: ColumnCandidates, receipt: Receipt): Promise<PassedColumns> {
  const whole = passWhole(candidates, receipt);
  if (whole) return whole;
  const slices = new Slices();
  for (const group of candidates.groups ?? []) {
    // Where nobody has its names at hand, they are made.
    void group.series;
    if (slices.isOver()) await slices.next();
  }
  const passing = new PassingColumns(candidates, receipt);
  while (passing.pass(SAMPLES_AT_ONCE)) if (slices.isOver()) await slices.next();
  return passing.finish();
}

/** Whole groups, where nothing is to be said against any of their samples; undefined where each has to be looked at. */
function passWhole(candidates: ColumnCandidates, receipt: Receipt): PassedColumns | undefined {
  const { timestamps, values, groups } = candidates;
  if (!groups?.every((group) => isTakenAsNamed(group, receipt))) return undefined;
  const count = countOfCandidates(candidates);
  const [oldest, latest] = spanOf(receipt);
  for (let at = 0; at < count; at += 1) {
    if (!isFit(timestamps[at] as number, values[at] as number, oldest, latest)) return undefined;
  }
  const samples = new ColumnsOfGroups(groups, timestamps.subarray(0, count), values.subarray(0, count));
  return { samples, refused: [] };
}

/** Whether only the times and values of a group's samples are left to be looked at. */
const isTakenAsNamed = (group: SeriesGroup, { deviceOf, hasUnits }: Receipt): boolean =>
  !group.hasFault &&
  (!deviceOf || deviceOf(group.deviceName) === group.deviceName) &&
  (!group.saysUnits || hasUnits?.(group) === true);

/** The first and the last time that samples may have, Unix ms. */
const spanOf = ({ oldest, receivedAt }: Receipt): [oldest: number, latest: number] => [
  Math.max(oldest, EARLIEST_TIMESTAMP),
  receivedAt + MAX_AHEAD,
];

/** Whether the rules have nothing against a time and a value. */
function isFit(timestamp: number, value: number, oldest: number, latest: number): boolean {
  // Only a finite number is 0 from itself.
  return value - value === 0 && timestamp >= oldest && timestamp <= latest && timestamp === Math.floor(timestamp);
}

/** Columns on their way through the gate. */
export class PassingColumns {
  private readonly gate: ColumnGate;
  private readonly refused: Refusal[] = [];
  private item = 0;
  private at = 0;
  private kept = 0;
  /** What was kept before the item. */
  private first = 0;

  constructor(
    private readonly candidates: ColumnCandidates,
    receipt: Receipt,
  ) {
    this.gate = new ColumnGate(receipt);
  }

  /** Looks at so many samples, at most; false once there are no more. */
  pass(most: number): boolean {
    const { gate, refused } = this;
    const { series, timestamps, values, ends } = this.candidates;
    const items = ends?.length ?? series.length;
    let { item, at, kept, first } = this;
    const last = at + most;
    for (; item < items; item += 1) {
      const end = ends?.[item] ?? item + 1;
      for (; at < end && at < last; at += 1) {
        const candidate = series[at] as NamedSeries;
        const timestamp = timestamps[at] as number;
        const value = values[at] as number;
        const passed = gate.passed(candidate, timestamp, value);
        if (passed === undefined) {
          refused.push({ item, ...gate.reasonOf(candidate, timestamp, value), named: candidate });
          kept = first;
          at = end;
          break;
        }
        // Mostly all pass as they are: then nothing is written.
        if (kept !== at || passed !== candidate) {
          series[kept] = passed;
          timestamps[kept] = timestamp;
          values[kept] = gate.value;
        }
        kept += 1;
      }
      if (at < end) break;
      first = kept;
    }
    Object.assign(this, { item, at, kept, first });
    return item < items;
  }

  finish(): PassedColumns {
    const { kept, refused } = this;
    const { series, timestamps, values } = this.candidates;
    series.length = kept;
    return { samples: { series, timestamps: timestamps.subarray(0, kept), values: values.subarray(0, kept) }, refused };
  }
}

class ColumnGate {
  /** Of the sample that passed last, in the unit of its series. */
  value = 0;
  private readonly oldest: number;
  private readonly latest: number;
  private readonly deviceOf: Receipt['deviceOf'];
  private readonly unitOf: Receipt['unitOf'];
  /** Knows the reasons, and the units of series that come into being with these samples. */
  private readonly slow: SampleGate;
  /** As the sample before had it, and what that means. */
  private given: NamedSeries | undefined;
  private taken: NamedSeries | undefined;

  constructor(receipt: Receipt) {
    [this.oldest, this.latest] = spanOf(receipt);
    this.deviceOf = receipt.deviceOf;
    this.unitOf = receipt.unitOf;
    this.slow = new SampleGate(receipt);
  }

  /** The series that a sample goes to; undefined where the sample does not pass. */
  passed(series: NamedSeries, timestamp: number, value: number): NamedSeries | undefined {
    if (!isFit(timestamp, value, this.oldest, this.latest)) return undefined;
    this.value = value;
    if (series.unit === undefined && this.deviceOf === undefined) return series.fault ? undefined : series;
    if (series !== this.given) {
      this.given = series;
      this.taken = series.fault ? undefined : this.ofSender(series);
    }
    const { taken } = this;
    if (taken?.unit === undefined || this.unitOf === undefined) return taken;
    return this.unitOf(taken) === taken.unit ? taken : this.inStoredUnit(taken, taken.unit, value);
  }

  reasonOf(series: NamedSeries, timestamp: number, value: number): Omit<Refusal, 'item'> {
    const { deviceName, metricName, unit, labels, fault } = series;
    const candidate = { deviceName, metricName, unit, labels, timestamp, value };
    return fault ?? this.slow.reasonOf(candidate, this.taken?.deviceName);
  }

  /** Undefined where the sender may send nothing of its device. */
  private ofSender(series: NamedSeries): NamedSeries | undefined {
    const device = this.deviceOf ? this.deviceOf(series.deviceName) : series.deviceName;
    return typeof device === 'string' ? series.as(device, series.unit) : undefined;
  }

  /** The series in the unit that is stored, with `value` in it; undefined where no conversion is known. */
  private inStoredUnit(series: NamedSeries, unit: string, value: number): NamedSeries | undefined {
    const known = this.slow.storedUnit(series, unit);
    if (known === unit) return series;
    const conversion = conversionBetween(unit, known);
    if (!conversion) return undefined;
    this.value = convert(value, conversion);
    return Number.isFinite(this.value) ? series.as(series.deviceName, known) : undefined;
  }
}
