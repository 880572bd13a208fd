import type { Series, TimeRange } from '@device-metrics/domain';
import type { SampleStore } from '@device-metrics/storage';
import { HOUR } from '@device-metrics/domain';
import type { Condition, Rule } from '../rules/rule.js';
import { judge, type RuleOfDevice } from './judge.js';
import type { LookPoints } from './look-points.js';

/** Numbers that lie between the smallest and the largest sample of their window. */
const BETWEEN = ['last', 'mean', 'min', 'max'];

/** Whether hours whose samples are all right can be told to be right by their summaries alone. */
export const toldByHours = ({ condition, noData }: Rule): boolean => windowOf(condition) > 0 && noData !== 'alert';

const windowOf = (condition: Condition): number =>
  condition.type === 'level' && BETWEEN.includes(condition.measure) ? condition.window : 0;

/**
 * The stretches of points at which a number of the series can be wrong or between. No samples are read.
 *
 * @param ruleOf the rule as it holds for a series.
 */
export async function stretchesOf(
  store: SampleStore,
  series: readonly Series[],
  ruleOf: (series: Series) => RuleOfDevice,
  condition: Condition,
  points: LookPoints,
): Promise<LookPoints[]> {
  const window = windowOf(condition);
  const end = points.start + points.count * points.step;
  const range: TimeRange = { start: Math.floor((points.start - window) / HOUR) * HOUR, end };
  const wrong = new Set<number>();
  for await (const { series: one, starts, columns } of store.readSteps(series, {
    range,
    step: HOUR,
    aggregates: ['min', 'max'],
  })) {
    const rule = ruleOf(one);
    const [least, most] = columns as [Float64Array, Float64Array];
    for (let hour = 0; hour < starts.length; hour += 1) {
      if (!isRight(least[hour] as number, most[hour] as number, rule)) wrong.add(starts[hour] as number);
    }
  }
  return joined(
    [...wrong].sort((a, b) => a - b).map((hour) => [hour, hour + HOUR + window] as const),
    points,
  );
}

/** What is right is an interval, or all but one number. */
function isRight(least: number, most: number, rule: RuleOfDevice): boolean {
  const { equals } = rule.bounds;
  if (equals !== undefined && least <= equals && equals <= most) return false;
  return judge(least, rule) === 'right' && judge(most, rule) === 'right';
}

/** The points within spans of time, in order; a point more on each side, so that none is missed. */
function joined(
  spans: readonly (readonly [start: number, end: number])[],
  { start, step, count }: LookPoints,
): LookPoints[] {
  const found: { from: number; to: number }[] = [];
  for (const [begin, end] of spans) {
    const from = Math.max(0, Math.floor((begin - start) / step) - 1);
    const to = Math.min(count, Math.ceil((end - start) / step) + 1);
    const last = found.at(-1);
    if (last && from <= last.to) last.to = Math.max(last.to, to);
    else if (from < to) found.push({ from, to });
  }
  return found.map(({ from, to }) => ({ start: start + from * step, step, count: to - from }));
}
