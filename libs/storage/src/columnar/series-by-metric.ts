interface Named {
  readonly metricName: string;
  readonly labelsKey: string;
}

/** The series of a device by metric and labels. Most metrics have one series: only others need a map of their own. */
export class SeriesByMetric<T extends Named> {
  private readonly metrics = new Map<string, T | Map<string, T>>();

  /** How many metrics there are. */
  get size(): number {
    return this.metrics.size;
  }

  get(metricName: string, labelsKey: string): T | undefined {
    const found = this.metrics.get(metricName);
    if (found instanceof Map) return found.get(labelsKey);
    return found?.labelsKey === labelsKey ? found : undefined;
  }

  metricNames(): Iterable<string> {
    return this.metrics.keys();
  }

  /** The series of a metric. */
  ofMetric(metricName: string): Iterable<T> {
    const found = this.metrics.get(metricName);
    if (found === undefined) return [];
    return found instanceof Map ? found.values() : [found];
  }

  /** Takes in a series, in the place of one with the same metric and labels. */
  set(one: T): void {
    const { metricName, labelsKey } = one;
    const found = this.metrics.get(metricName);
    if (found instanceof Map) found.set(labelsKey, one);
    else if (found === undefined || found.labelsKey === labelsKey) this.metrics.set(metricName, one);
    else {
      const both = new Map([
        [found.labelsKey, found],
        [labelsKey, one],
      ]);
      this.metrics.set(metricName, both);
    }
  }

  delete({ metricName, labelsKey }: T): void {
    const found = this.metrics.get(metricName);
    if (found instanceof Map) {
      found.delete(labelsKey);
      if (found.size === 0) this.metrics.delete(metricName);
    } else if (found?.labelsKey === labelsKey) this.metrics.delete(metricName);
  }

  *values(): Generator<T> {
    for (const found of this.metrics.values()) {
      if (found instanceof Map) yield* found.values();
      else yield found;
    }
  }
}
