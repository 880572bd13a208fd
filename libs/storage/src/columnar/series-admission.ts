import { isColumns, labelsKey, type Sample, type SampleBatch } from '@device-metrics/domain';
import { TooManySeriesError, type RefusedGroup } from '../store.js';
import type { Named } from './series-entry.js';
import type { LimitedDevice, SeriesLimit } from './series-limit.js';
import { SeriesTrial } from './series-trial.js';

/** What is there already. */
interface Known {
  /** The device that samples for a name go to; undefined while there is none. */
  deviceOfSample(name: string): LimitedDevice | undefined;
  findOne(sample: Named): object | undefined;
}

/** Says of new series, before any of them is made, whether there may be so many. */
export class SeriesAdmission {
  constructor(
    private readonly known: Known,
    private readonly limit: SeriesLimit,
  ) {}

  /**
   * Asks whether there may be new series, which are all different and not there yet.
   *
   * @throws TooManySeriesError where one of them may not be; then none of them counts.
   */
  admit(wanted: readonly Pick<Sample, 'deviceName' | 'metricName' | 'labels'>[]): void {
    const refusal = this.tryOut().take(wanted);
    if (refusal) throw new TooManySeriesError(refusal);
  }

  /** The groups of samples, each up to one of `ends`, that have new series which there may not be. */
  refusedGroups(samples: SampleBatch, ends: ArrayLike<number>): RefusedGroup[] {
    const names: readonly Named[] = isColumns(samples) ? samples.series : samples;
    const trial = this.tryOut();
    const coming = new Set<string>();
    const refused: RefusedGroup[] = [];
    let at = 0;
    for (let group = 0; group < ends.length; group += 1) {
      const wanted = new Map<string, Named>();
      for (; at < ends[group]; at += 1) {
        const one = names[at];
        if (this.known.findOne(one)) continue;
        const key = `${trial.nameOf(one.deviceName)}\n${one.metricName}\n${labelsKey(one.labels)}`;
        if (!coming.has(key)) wanted.set(key, one);
      }
      const refusal = trial.take(wanted.values());
      if (refusal) refused.push({ group, ...refusal });
      else for (const key of wanted.keys()) coming.add(key);
    }
    trial.giveBack();
    return refused;
  }

  /** For series that come one after the other; what is taken counts until it is given back. */
  tryOut(): SeriesTrial {
    return new SeriesTrial((name) => this.known.deviceOfSample(name), this.limit);
  }
}
