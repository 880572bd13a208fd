import { labelsKey, type Labels, type Series } from '@device-metrics/domain';

/** One thing that a rule watches: a series, a device, or this server. */
export interface Subject {
  /** The device; of this server: empty. */
  readonly device: string;
  readonly metric?: string;
  readonly labels?: Labels;
  readonly unit?: string | null;
}

export const subjectKey = ({ device, metric, labels }: Subject): string =>
  metric === undefined ? device : `${device}\n${metric}\n${labelsKey(labels ?? {})}`;

export const subjectOfSeries = ({ deviceName, metricName, labels, unit }: Series): Subject => ({
  device: deviceName,
  metric: metricName,
  labels,
  unit,
});
