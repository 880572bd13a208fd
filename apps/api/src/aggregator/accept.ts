import { Inject, Injectable } from '@nestjs/common';
import {
  EARLIEST_TIMESTAMP,
  passSamples,
  toRfc3339,
  type Candidates,
  type Receipt,
  type Refusal,
} from '@device-metrics/domain';
import type { SampleStore } from '@device-metrics/storage';
import { currentCaller } from '../access/caller.js';
import { JoinTags } from '../access/collectors/join-tags.js';
import { Rates } from '../access/limits/rates.js';
import { Problem } from '../http/problem.js';
import { Arrivals } from '../live/arrivals.js';
import { LiveSamples } from '../live/live-samples.js';
import { ApiMetrics } from '../monitoring/api-metrics.js';
import { SAMPLE_STORE } from '../sample-store.module.js';

/** What became of the items that a protocol handed over. */
export interface Accepted {
  /** How many items are on disk, fsynced. */
  readonly accepted: number;
  /** The others, of which nothing was stored, in their order. */
  readonly rejected: readonly Refusal[];
}

/** The one gate for samples: every protocol of the aggregator hands its candidates over here, and the domain's rules decide. */
@Injectable()
export class Accept {
  constructor(
    @Inject(SAMPLE_STORE) private readonly sampleStore: SampleStore,
    private readonly metrics: ApiMetrics,
    private readonly liveSamples: LiveSamples,
    private readonly joinTags: JoinTags,
    private readonly arrivals: Arrivals,
    private readonly rates: Rates,
  ) {}

  /**
   * What to decode a request with that comes now.
   *
   * @throws Problem while the clock of this machine cannot be right: every time would be taken for one of the future.
   */
  receipt(): Receipt {
    const receivedAt = Date.now();
    if (receivedAt < EARLIEST_TIMESTAMP) {
      const detail = `The clock of the server says ${toRfc3339(receivedAt)}: it takes samples once that is put right.`;
      throw new Problem('clock-wrong', detail, { retryAfter: 60 });
    }
    const receipt: Receipt = {
      receivedAt,
      oldest: this.sampleStore.oldestTimestamp(),
      unitOf: (sample) => this.sampleStore.unitOf(sample),
    };
    const caller = currentCaller();
    return caller ? { ...receipt, deviceOf: (name) => caller.deviceOf(name) } : receipt;
  }

  /**
   * Resolves when every sample that passes is on disk, fsynced.
   *
   * @param candidates are given away: they become the samples.
   * @throws Problem when the caller may send none of them.
   * @throws StoreFullError when the disk has no room; then nothing was stored.
   */
  async accept(candidates: Candidates, receipt: Receipt): Promise<Accepted> {
    const caller = currentCaller();
    const items = candidates.ends?.length ?? candidates.samples.length;
    this.rates.takeSamples(candidates.samples.length);
    const { samples, refused } = passSamples(candidates, receipt);
    this.metrics.itemsRejected.inc(refused.length);
    const [first] = refused;
    // A collector is told item by item, so that a device of somebody else does not hold up its own.
    if (first && samples.length === 0 && refused.every((item) => item.ofSender) && caller?.kind !== 'collector') {
      throw new Problem('not-allowed', `${first.field} ${first.reason}`);
    }
    if (samples.length > 0) {
      await this.sampleStore.append(samples);
      this.metrics.samplesStored.inc(samples.length);
      if (caller?.of.collector) await this.joinTags.give(caller.of.collector);
      this.liveSamples.publish(samples);
      this.arrivals.note(samples);
    }
    return { accepted: items - refused.length, rejected: refused };
  }
}
