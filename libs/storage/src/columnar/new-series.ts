import { setTimeout } from 'node:timers/promises';
import { inSlices, isColumns, Slices, type SampleBatch } from '@device-metrics/domain';
import { TooManySeriesError } from '../store.js';
import type { SeriesCatalogue } from './series-catalogue.js';
import { keyOf, type Named } from './series-entry.js';
import type { SeriesTrial } from './series-trial.js';

/** Series that one transaction makes, which takes some milliseconds: in a commit everybody waits for it. */
const AT_ONCE = 100;

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
    if (!this.catalogue.hasMoreNew(samples, AT_ONCE)) return undefined;
    const turn = this.last.then(() => this.makeAll(samples));
    this.last = turn.catch(() => undefined);
    return turn.then(() => this.lookUp(samples));
  }

  private async makeAll(samples: SampleBatch): Promise<void> {
    const slices = new Slices();
    const trial = this.catalogue.admission.tryOut();
    const wanted = await this.wantedOf(samples, trial, slices);
    if (wanted.length <= AT_ONCE) return;
    for (const some of inParts(wanted)) {
      const refusal = trial.take(some);
      if (refusal) {
        trial.giveBack();
        throw new TooManySeriesError(refusal);
      }
      if (slices.isOver()) await slices.next();
    }
    let made = 0;
    try {
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
   * Each once.
   *
   * @throws TooManySeriesError where one is of a device of which there may be none more.
   */
  private async wantedOf(samples: SampleBatch, trial: SeriesTrial, slices: Slices): Promise<Named[]> {
    const { catalogue } = this;
    const wanted = new Map<string, Named>();
    const names: readonly Named[] = isColumns(samples) ? samples.series : samples;
    await inSlices(
      names,
      (one) => {
        if (catalogue.find(one)) return;
        const refusal = trial.refusalOf(one);
        if (refusal) throw new TooManySeriesError(refusal);
        // Names that a device had before lead to it as well.
        const device = catalogue.deviceOfSample(one.deviceName)?.name ?? one.deviceName;
        wanted.set(`${device}\n${one.metricName}\n${keyOf(one.labels)}`, one);
      },
      slices,
    );
    return [...wanted.values()];
  }
}

function* inParts<T>(all: readonly T[]): Generator<readonly T[]> {
  for (let from = 0; from < all.length; from += AT_ONCE) yield all.slice(from, from + AT_ONCE);
}
