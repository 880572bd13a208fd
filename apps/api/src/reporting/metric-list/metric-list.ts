import { metricDefinition, type Series } from '@device-metrics/domain';
import type { CatalogueDto, CatalogueMetricDto } from './metric-list.dto.js';

/** Every metric of which there are series. */
export function metricList(series: readonly Series[]): CatalogueDto {
  const byName = new Map<string, Series[]>();
  for (const one of series) {
    const same = byName.get(one.metricName);
    if (same) same.push(one);
    else byName.set(one.metricName, [one]);
  }
  const metrics = [...byName].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, same]) => listedMetric(name, same));
  return { metrics };
}

function listedMetric(name: string, series: readonly Series[]): CatalogueMetricDto {
  const definition = metricDefinition(name);
  const unit = series.find((one) => one.unit !== null)?.unit;
  return {
    metric_name: name,
    ...(unit && { unit }),
    ...(definition && { kind: definition.kind, help: definition.help }),
    devices: new Set(series.map(({ deviceName }) => deviceName)).size,
    series: series.length,
  };
}
