import { toMetricName } from '@device-metrics/domain';

/** A metric name, and where it does not tell the thing apart any more, the label that does. */
export interface DistinctName {
  readonly metricName: string;
  readonly label: Readonly<Record<'name', string>> | undefined;
}

/**
 * The metric names of what others call things. Two names that become one, such as `温度` and `湿度` both become `__`, stay apart by
 * the label `name`.
 *
 * @param names all that come together.
 */
export function distinctNames(names: Iterable<string>): (name: string) => DistinctName {
  const owners = new Map<string, string>();
  const shared = new Set<string>();
  for (const name of names) {
    const metricName = toMetricName(name);
    const owner = owners.get(metricName);
    if (owner !== undefined && owner !== name) shared.add(metricName);
    owners.set(metricName, name);
  }
  return (name) => {
    const metricName = toMetricName(name);
    return { metricName, label: shared.has(metricName) && metricName !== name ? { name } : undefined };
  };
}
