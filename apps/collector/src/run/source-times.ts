import { labelsKey, type Reading } from '@device-metrics/domain';

const MOST_SERIES = 200_000;

/**
 * Leaves out readings that the source has given before with the same time of its own: a gateway repeats what a dead sensor
 * said last, and to send that again and again would only make work.
 */
export class SourceTimes {
  private readonly last = new Map<string, number>();

  unsent(readings: readonly Reading[]): readonly Reading[] {
    if (!readings.some(({ timestamp }) => timestamp !== undefined)) return readings;
    return readings.filter(({ deviceName, metricName, labels, timestamp }) => {
      if (timestamp === undefined) return true;
      const key = `${deviceName ?? ''}\n${metricName}\n${labelsKey(labels ?? {})}`;
      if (this.last.get(key) === timestamp) return false;
      if (this.last.size >= MOST_SERIES) this.last.clear();
      this.last.set(key, timestamp);
      return true;
    });
  }
}
