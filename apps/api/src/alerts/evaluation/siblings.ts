import { labelsKey, stateLabels, type Labels, type Series } from '@device-metrics/domain';
import type { SampleStore } from '@device-metrics/storage';
import type { SwitchedCondition } from '../rules/rule.js';

/** Series that belong together, and the text that those have in common. */
export interface Siblings {
  readonly siblings: readonly Series[];
  readonly keyOf: (series: Series) => string;
}

/**
 * The other states of the whole that each series is a state of; or, where a label is said to switch, the series with its
 * value from before.
 */
export async function siblingsOf(
  store: SampleStore,
  series: readonly Series[],
  switched?: SwitchedCondition,
): Promise<Siblings> {
  const devices = [...new Set(series.map(({ deviceName }) => deviceName))];
  const metrics = [...new Set(series.map(({ metricName }) => metricName))];
  const labels = switched && [[switched.label, switched.from] as const];
  const without = ({ metricName, labels: all }: Series): Labels => {
    const states = switched ? [switched.label] : stateLabels(metricName, all);
    return Object.fromEntries(Object.entries(all).filter(([name]) => !states.includes(name)));
  };
  return {
    siblings: series.length === 0 ? [] : await store.findSeries({ devices, metrics, labels }),
    keyOf: (one) => `${one.deviceName}\n${one.metricName}\n${labelsKey(without(one))}`,
  };
}
