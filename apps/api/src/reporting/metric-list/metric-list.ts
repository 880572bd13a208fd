import { inSlices, metricDefinition, saidKind, type Series } from '@device-metrics/domain';
import type { MetricListDto, ListedMetricDto } from './metric-list.dto.js';

/**
 * Every metric of which there are series.
 *
 * @param helpOf what a sender has said of a metric.
 */
export async function metricList(
  series: readonly Series[],
  helpOf: (name: string) => string | undefined,
): Promise<MetricListDto> {
  const byName = new Map<string, Series[]>();
  await inSlices(series, (one) => {
    const same = byName.get(one.metricName);
    if (same) same.push(one);
    else byName.set(one.metricName, [one]);
  });
  const metrics: ListedMetricDto[] = [];
  await inSlices(
    [...byName].sort(([a], [b]) => (a < b ? -1 : 1)),
    ([name, same]) => metrics.push(listedMetric(name, same, helpOf(name))),
  );
  return { metrics };
}

function listedMetric(name: string, series: readonly Series[], said: string | undefined): ListedMetricDto {
  const definition = metricDefinition(name);
  const kind = definition?.kind ?? saidKind(name);
  const help = definition?.help ?? said;
  const unit = series.find((one) => one.unit !== null)?.unit;
  return {
    metric_name: name,
    ...(unit && { unit }),
    ...(kind && { kind }),
    ...(help && { help }),
    devices: new Set(series.map(({ deviceName }) => deviceName)).size,
    series: series.length,
  };
}
