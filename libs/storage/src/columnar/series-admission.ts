import { isColumns, labelsKey, Slices, type Sample, type SampleBatch } from '@device-metrics/domain';
import { TooManySeriesError, type RefusedGroup, type SeriesRefusal } from '../store.js';
import type { Named } from './series-entry.js';
import type { LimitedDevice, SeriesLimit } from './series-limit.js';
import { SeriesTrial } from './series-trial.js';

/** What is there already. */
interface Known {
  /** The device that samples for a name go to; undefined while there is none. */
  deviceOfSample(name: string): LimitedDevice | undefined;
  find(one: Named): object | undefined;
}

/** How many groups go without a look at the clock. */
const WITHOUT_LOOK = 64;

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

  /** The groups of samples, each up to one of `ends`, that have new series which there may not be; in slices. */
  async refusedGroups(samples: SampleBatch, ends: ArrayLike<number>): Promise<RefusedGroup[]> {
    const slices = new Slices();
    const names: readonly Named[] = isColumns(samples) ? samples.series : samples;
    const trial = this.tryOut();
    /** By device. */
    const coming = new Map<string, Set<string>>();
    /** Of devices of which there may be none more: who sends very many of them has each refused for little. */
    const full = new Map<string, SeriesRefusal>();
    const refused: RefusedGroup[] = [];
    let at = 0;
    for (let group = 0; group < ends.length; group += 1) {
      // It is a sender of very many that comes here: others have as much time.
      if (group % WITHOUT_LOOK === 0 && slices.isOver()) await slices.rest();
      const wanted = new Map<string, Named>();
      let refusal: SeriesRefusal | undefined;
      for (; at < ends[group]; at += 1) {
        const one = names[at];
        if (refusal || this.known.find(one)) continue;
        const device = trial.nameOf(one.deviceName);
        if (!coming.has(device)) {
          refusal = full.get(device) ?? trial.refusalOf(one);
          if (refusal) full.set(device, refusal);
          if (refusal) continue;
        }
        const key = `${device}\n${one.metricName}\n${labelsKey(one.labels)}`;
        if (!coming.get(device)?.has(key)) wanted.set(key, one);
      }
      refusal ??= trial.take(wanted.values());
      if (refusal) refused.push({ group, ...refusal });
      else for (const [key, { deviceName }] of wanted) noteIn(coming, trial.nameOf(deviceName), key);
    }
    trial.giveBack();
    return refused;
  }

  /** For series that come one after the other; what is taken counts until it is given back. */
  tryOut(): SeriesTrial {
    return new SeriesTrial((name) => this.known.deviceOfSample(name), this.limit);
  }
}

function noteIn(sets: Map<string, Set<string>>, name: string, key: string): void {
  const set = sets.get(name);
  if (set) set.add(key);
  else sets.set(name, new Set([key]));
}
