import type { Selector } from '@device-metrics/domain';

export const SEVERITIES = ['info', 'warning', 'critical'] as const;
export type Severity = (typeof SEVERITIES)[number];

/** Bounds that a number breaks; of several that are given, any. */
export interface Bounds {
  readonly above?: number | undefined;
  readonly below?: number | undefined;
  /** Smallest and largest that are right. */
  readonly outside?: readonly [number, number] | undefined;
  readonly equals?: number | undefined;
}

/** One number of a series over the window: as an aggregation of reports, `last`, or its share in the sum over its states. */
export interface LevelCondition extends Bounds {
  readonly type: 'level';
  /** `last`, `share`, or an aggregation such as `mean`, `max`, `p95`, `rate`, `increase`. */
  readonly measure: string;
  /** Milliseconds. */
  readonly window: number;
  /** A metric whose latest value for the same device and labels is the level in place of `above`, where there is one. */
  readonly aboveMetric?: string | undefined;
}

/** How much a number differs from the window before, as a share of that: 0.5 is half as much again. */
export interface ChangeCondition {
  readonly type: 'change';
  readonly measure: string;
  readonly window: number;
  readonly above?: number | undefined;
  readonly below?: number | undefined;
}

/** A line through the last `window` reaches `limit` within so many milliseconds. */
export interface FullCondition {
  readonly type: 'full';
  readonly within: number;
  readonly window: number;
  readonly limit: number;
}

/** A label of a series has changed: the newest sample is of the series with `to`, and there is one with `from`. */
export interface SwitchedCondition {
  readonly type: 'switched';
  readonly label: string;
  readonly from: string;
  readonly to: string;
}

/** A device has not been heard of by its own rhythm. */
export interface DeviceCondition {
  readonly type: 'device';
  readonly status: 'late' | 'offline';
}

/** The clock of a device is wrong by more than so many milliseconds, going by when its samples come. */
export interface ClockCondition {
  readonly type: 'clock';
  readonly above: number;
}

/** Something of this server: damaged pieces, items that were refused, the share of its disk that is used. */
export interface ServerCondition {
  readonly type: 'server';
  readonly measure: 'damaged' | 'refused' | 'disk';
  readonly above: number;
  /** Milliseconds; of `refused`. */
  readonly window: number;
}

export type Condition =
  | LevelCondition
  | ChangeCondition
  | FullCondition
  | SwitchedCondition
  | DeviceCondition
  | ClockCondition
  | ServerCondition;

export interface Override {
  /** Which devices, as in the selector. */
  readonly device: readonly string[];
  readonly enabled: boolean;
  /** In place of the level of the condition. */
  readonly level: number | undefined;
  readonly for: number | undefined;
}

/** What is watched, when it is wrong, and what is said then. All times are milliseconds. */
export interface Rule {
  readonly name: string;
  readonly enabled: boolean;
  readonly selector: Selector;
  readonly condition: Condition;
  /** How long it is wrong before somebody is told. */
  readonly for: number;
  /** What is right again: how far back the number must come, and for how long. */
  readonly clear: { readonly level: number | undefined; readonly for: number };
  readonly severity: Severity;
  /** What it means when there is no data for `noDataAfter`: the state stays, is right again, or is wrong. */
  readonly noData: 'keep' | 'clear' | 'alert';
  readonly noDataAfter: number;
  readonly every: number;
  readonly labels: Readonly<Record<string, string>>;
  /** A template in Liquid of what to do. */
  readonly text: string;
  readonly overrides: readonly Override[];
}
