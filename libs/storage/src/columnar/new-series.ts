import { setTimeout } from 'node:timers/promises';
import { inSlices, isColumns, type SampleBatch } from '@device-metrics/domain';
import { TooManySeriesError } from '../store.js';
import type { SeriesCatalogue } from './series-catalogue.js';
import type { Named } from './series-entry.js';
import type { SeriesTrial } from './series-trial.js';

/** New series that a commit makes, for which everybody waits: one by one. */
const FEW = 100;
/** Series that one transaction makes, which takes about a millisecond. */
const AT_ONCE = 250;

/** Makes the series of batches that bring very many new ones, some at a time and before the batch is committed. */
export class NewSeries {
  /** One batch after the other, so that what is admitted is made before others ask. */
  private last: Promise<unknown> = Promise.resolve();

  /** @param make makes series that have been admitted, in a transaction of their own. */
  constructor(
    private readonly catalogue: SeriesCatalogue,
    private readonly make: (admitted: readonly Named[]) => void,
  ) {}

  /**
   * Makes the series of samples, and looks them up, if they are so many that their commit would hold up others; undefined where it
   * would not.
   *
   * @returns a promise that rejects with TooManySeriesError where there may not be all of them; then none is made.
   */
  prepare(samples: SampleBatch): Promise<void> | undefined {
    if (!this.catalogue.hasMoreNew(samples, FEW)) return undefined;
    const turn = this.last.then(() => this.makeAll(samples));
    this.last = turn.catch(() => undefined);
    return turn.then(() => this.lookUp(samples));
  }

  private async makeAll(samples: SampleBatch): Promise<void> {
    const trial = this.catalogue.admission.tryOut();
    let made = 0;
    try {
      const wanted = await this.wantedOf(samples, trial);
      // These are counted again with their commit.
      if (wanted.length <= FEW) return trial.giveBack();
      for (const some of inParts(wanted)) {
        const began = performance.now();
        this.make(some);
        made += some.length;
        // What others send takes several turns to come in: they get as much time as this takes.
        await setTimeout(performance.now() - began);
      }
    } catch (error) {
      trial.giveBack(made);
      throw error;
    }
  }

  /** Keeps with each name what it leads to now: the commit, which lets nobody pass meanwhile, need not look for it. */
  private async lookUp(samples: SampleBatch): Promise<void> {
    if (isColumns(samples)) await inSlices(samples.series, (one) => void this.catalogue.knownEntryOfNamed(one));
  }

  /**
   * Each once; they count from now on.
   *
   * @throws TooManySeriesError where one is of a device of which there may be none more.
   */
  private async wantedOf(samples: SampleBatch, trial: SeriesTrial): Promise<Named[]> {
    const wanted: Named[] = [];
    const names: readonly Named[] = isColumns(samples) ? samples.series : samples;
    await inSlices(names, (one) => {
      if (this.catalogue.find(one) || !trial.note(one)) return;
      const refusal = trial.takeOne(one);
      if (refusal) throw new TooManySeriesError(refusal);
      wanted.push(one);
    });
    return wanted;
  }
}

function* inParts<T>(all: readonly T[]): Generator<readonly T[]> {
  for (let from = 0; from < all.length; from += AT_ONCE) yield all.slice(from, from + AT_ONCE);
}
