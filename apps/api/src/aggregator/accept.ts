import { Inject, Injectable } from '@nestjs/common';
import {
  countOf,
  EARLIEST_TIMESTAMP,
  passColumns,
  passSamplesInSlices,
  toRfc3339,
  type Candidates,
  type ColumnCandidates,
  type Receipt,
  type Refusal,
  type SampleBatch,
} from '@device-metrics/domain';
import type { Store } from '@device-metrics/storage';
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

/** When and by which protocol something came. */
export interface ProtocolReceipt extends Receipt {
  readonly protocol: string;
}

/** The one gate for samples: every protocol of the aggregator hands its candidates over here, and the domain's rules decide. */
@Injectable()
export class Accept {
  constructor(
    @Inject(SAMPLE_STORE) private readonly sampleStore: Store,
    private readonly metrics: ApiMetrics,
    private readonly liveSamples: LiveSamples,
    private readonly joinTags: JoinTags,
    private readonly arrivals: Arrivals,
    private readonly rates: Rates,
  ) {}

  /**
   * What to decode a request with that comes now.
   *
   * @param protocol names the counters of /metrics, such as `json`.
   * @throws Problem while the clock of this machine cannot be right: every time would be taken for one of the future.
   */
  async receipt(protocol: string): Promise<ProtocolReceipt> {
    const receivedAt = Date.now();
    if (receivedAt < EARLIEST_TIMESTAMP) {
      const detail = `The clock of the server says ${toRfc3339(receivedAt)}: it takes samples once that is put right.`;
      throw new Problem('clock-wrong', detail, { retryAfter: 60 });
    }
    const { sampleStore } = this;
    const receipt: ProtocolReceipt = {
      protocol,
      receivedAt,
      oldest: sampleStore.oldestTimestamp(),
      // Asked for each sample: whose store it is has been found out once.
      unitOf: sampleStore.unitOf.bind(sampleStore),
    };
    const caller = currentCaller();
    if (!caller) return receipt;
    // Which devices have the tags, the store knows. It shows this caller no others.
    const tagged = caller.limits.tags ? new Set((await sampleStore.devices()).map(({ name }) => name)) : undefined;
    return { ...receipt, deviceOf: (name) => caller.deviceOf(name, tagged) };
  }

  /**
   * Resolves when every sample that passes is on disk, fsynced.
   *
   * @param candidates are given away: they become the samples.
   * @throws Problem when the caller may send none of them.
   * @throws StoreFullError when the disk has no room; then nothing was stored.
   */
  async accept(candidates: Candidates, receipt: ProtocolReceipt): Promise<Accepted> {
    const items = candidates.ends?.length ?? candidates.samples.length;
    this.rates.takeSamples(candidates.samples.length);
    return this.store(items, await passSamplesInSlices(candidates, receipt), receipt);
  }

  /** The same for a protocol that is decoded to columns. */
  async acceptColumns(candidates: ColumnCandidates, receipt: ProtocolReceipt): Promise<Accepted> {
    const items = candidates.ends?.length ?? candidates.series.length;
    this.rates.takeSamples(candidates.series.length);
    return this.store(items, passColumns(candidates, receipt), receipt);
  }

  private async store(
    items: number,
    { samples, refused }: { readonly samples: SampleBatch; readonly refused: readonly Refusal[] },
    { protocol }: ProtocolReceipt,
  ): Promise<Accepted> {
    const caller = currentCaller();
    const count = countOf(samples);
    this.metrics.itemsRejected.inc({ protocol }, refused.length);
    const [first] = refused;
    // A collector is told item by item, so that a device of somebody else does not hold up its own.
    if (first && count === 0 && refused.every((item) => item.ofSender) && caller?.kind !== 'collector') {
      throw new Problem('not-allowed', `${first.field} ${first.reason}`);
    }
    if (count > 0) {
      await this.sampleStore.append(samples);
      this.metrics.samplesStored.inc({ protocol }, count);
      if (caller?.of.collector) await this.joinTags.give(caller.of.collector);
      this.liveSamples.publish(samples);
      this.arrivals.note(samples);
    }
    return { accepted: items - refused.length, rejected: refused };
  }
}
