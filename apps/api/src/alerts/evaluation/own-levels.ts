import { conversionBetween, convert, type Series } from '@device-metrics/domain';
import type { SampleStore } from '@device-metrics/storage';
import type { Numbers, SeriesCondition } from './measure.js';

/** The levels that things have of themselves, such as the critical mark of a sensor, in its unit: by the id of the series. */
export async function levelsOf(
  store: SampleStore,
  series: readonly Series[],
  condition: SeriesCondition,
): Promise<Numbers> {
  const levels = new Map<number, number>();
  if (condition.type !== 'level' || condition.aboveMetric === undefined || series.length === 0) return levels;
  const devices = [...new Set(series.map(({ deviceName }) => deviceName))];
  const marks = await store.findSeries({ devices, metrics: [condition.aboveMetric] });
  if (marks.length === 0) return levels;
  const byDevice = new Map<string, { labels: Series['labels']; unit: string | null; value: number }[]>();
  for (const {
    series: { deviceName, labels, unit },
    value,
  } of await store.latest(marks)) {
    // Of several marks of a sensor the critical one.
    const type = labels['hw.limit_type'];
    if (type !== undefined && type !== 'high.critical') continue;
    byDevice.set(deviceName, [...(byDevice.get(deviceName) ?? []), { labels, unit, value }]);
  }
  for (const { id, deviceName, labels, unit } of series) {
    const mark = byDevice
      .get(deviceName)
      ?.find((one) => Object.entries(labels).every(([name, text]) => one.labels[name] === text));
    const conversion = unit === null || mark?.unit == null ? undefined : conversionBetween(mark.unit, unit);
    if (mark) levels.set(id, conversion ? convert(mark.value, conversion) : mark.value);
  }
  return levels;
}
