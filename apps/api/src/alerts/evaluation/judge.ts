import { matchesAny, like } from '@device-metrics/domain';
import type { Bounds, Condition, Rule } from '../rules/rule.js';
import type { Timing } from './state-machine.js';

/** A rule as it holds for one device: its levels and its times. */
export interface RuleOfDevice {
  readonly enabled: boolean;
  readonly bounds: Bounds;
  readonly clearLevel: number | undefined;
  readonly timing: Timing;
}

/** The bounds that the number of a condition must keep; of a `full` one the number is the milliseconds that are left. */
export function boundsOf(condition: Condition): Bounds {
  switch (condition.type) {
    case 'level':
    case 'change':
      return condition;
    case 'clock':
    case 'server':
      return { above: condition.above };
    case 'full':
      return { below: condition.within };
    // The number is 1 where it is so.
    case 'switched':
    case 'device':
      return { above: 0.5 };
  }
}

/** What the overrides of a rule make of it; of several that match a device the first counts. */
export function ruleOfDevice(rule: Rule): (device: string) => RuleOfDevice {
  const timing: Timing = { for: rule.for, clearFor: rule.clear.for, noData: rule.noData };
  const bounds = boundsOf(rule.condition);
  const usual = { enabled: true, bounds, clearLevel: rule.clear.level, timing };
  const overrides = rule.overrides.map((override) => ({
    matches: matchesAny(override.device.map(like)),
    is: {
      enabled: override.enabled,
      bounds: override.level === undefined ? bounds : withLevel(bounds, override.level),
      clearLevel: override.level === undefined ? rule.clear.level : undefined,
      timing: { ...timing, for: override.for ?? timing.for },
    },
  }));
  if (overrides.length === 0) return () => usual;
  return (device) => overrides.find(({ matches }) => matches(device))?.is ?? usual;
}

export function withLevel(bounds: Bounds, level: number): Bounds {
  if (bounds.above !== undefined) return { above: level };
  if (bounds.below !== undefined) return { below: level };
  return bounds.equals === undefined ? { above: level } : { equals: level };
}

/** What a number means; `above` in place of the rule's where the thing has a level of its own. */
export function judge(value: number, { bounds, clearLevel }: RuleOfDevice): 'wrong' | 'between' | 'right' {
  const { above, below, outside, equals } = bounds;
  const isWrong =
    (above !== undefined && value > above) ||
    (below !== undefined && value < below) ||
    (outside !== undefined && (value < outside[0] || value > outside[1])) ||
    (equals !== undefined && value === equals);
  if (isWrong) return 'wrong';
  if (clearLevel === undefined) return 'right';
  if (above !== undefined && value > clearLevel) return 'between';
  return below !== undefined && value < clearLevel ? 'between' : 'right';
}
