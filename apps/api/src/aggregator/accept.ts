import { Inject, Injectable } from '@nestjs/common';
import {
  countOf,
  countOfCandidates,
  EARLIEST_TIMESTAMP,
  inColumns,
  partOf,
  passColumnsInSlices,
  passSamplesInSlices,
  toRfc3339,
  type Candidates,
  type ColumnCandidates,
  type Receipt,
  type Refusal,
  type SampleBatch,
} from '@device-metrics/domain';
import { TooManySeriesError, type Store } from '@device-metrics/storage';
import { currentCaller } from '../access/caller.js';
import { JoinTags } from '../access/collectors/join-tags.js';
import { Rates } from '../access/limits/rates.js';
import { Problem } from '../http/problem.js';
import { Arrivals } from '../live/arrivals.js';
import { LiveSamples } from '../live/live-samples.js';
import { ApiMetrics } from '../monitoring/api-metrics.js';
import { SAMPLE_STORE } from '../sample-store.token.js';
import { appendWhatFits } from './append-what-fits.js';

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

/** Samples that are committed at once. */
const MOST_TOGETHER = 1 << 16;

/** The one gate for samples: every protocol of the aggregator hands its candidates over here, and the domain's rules decide. */
@Injectable()
export class Accept {
  /** Asked for each request, or each sample: whose store it is has been found out once. */
  private readonly always: Pick<Store, 'append' | 'now' | 'oldestTimestamp' | 'unitOf' | 'hasUnits'>;

  constructor(
    @Inject(SAMPLE_STORE) private readonly sampleStore: Store,
    private readonly metrics: ApiMetrics,
    private readonly liveSamples: LiveSamples,
    private readonly joinTags: JoinTags,
    private readonly arrivals: Arrivals,
    private readonly rates: Rates,
  ) {
    this.always = {
      append: sampleStore.append.bind(sampleStore),
      now: sampleStore.now.bind(sampleStore),
      oldestTimestamp: sampleStore.oldestTimestamp.bind(sampleStore),
      unitOf: sampleStore.unitOf.bind(sampleStore),
      hasUnits: sampleStore.hasUnits.bind(sampleStore),
    };
  }

  /**
   * What to decode a request with that comes now.
   *
   * @param protocol names the counters of /metrics, such as `json`.
   * @throws Problem while the clock cannot be right: every time would be taken for one of the future.
   */
  async receipt(protocol: string): Promise<ProtocolReceipt> {
    const { now, oldestTimestamp, unitOf, hasUnits } = this.always;
    const receivedAt = now();
    if (receivedAt < EARLIEST_TIMESTAMP) {
      const detail = `The clock of the server says ${toRfc3339(receivedAt)}: it takes samples once that is put right.`;
      throw new Problem('clock-wrong', detail, { retryAfter: 60 });
    }
    const receipt: ProtocolReceipt = {
      protocol,
      receivedAt,
      oldest: oldestTimestamp(),
      unitOf,
      hasUnits,
    };
    const caller = currentCaller();
    if (!caller) return receipt;
    // Which devices have the tags, the store knows. It shows this caller no others.
    const tagged = caller.limits.tags ? new Set((await this.sampleStore.devices()).map(({ name }) => name)) : undefined;
    return { ...receipt, deviceOf: (name) => caller.deviceOf(name, tagged) };
  }

  /**
   * Resolves when every sample that passes is on disk, fsynced.
   *
   * @param candidates are given away: they become the samples.
   * @throws Problem when the caller may send none of them.
   * @throws StoreFullError when the disk has no room; then nothing was stored, but for a part of more than 65,536 samples.
   */
  async accept(candidates: Candidates, receipt: ProtocolReceipt): Promise<Accepted> {
    const ends = candidates.ends ?? { length: candidates.samples.length };
    this.rates.takeSamples(candidates.samples.length);
    const { samples, refused } = await passSamplesInSlices(candidates, receipt);
    return this.store(ends, { samples: await inColumns(samples), refused }, receipt);
  }

  /** The same for a protocol that is decoded to columns. */
  async acceptColumns(candidates: ColumnCandidates, receipt: ProtocolReceipt): Promise<Accepted> {
    const count = countOfCandidates(candidates);
    this.rates.takeSamples(count);
    return this.store(candidates.ends ?? { length: count }, await passColumnsInSlices(candidates, receipt), receipt);
  }

  private async store(
    ends: Ends,
    passed: { readonly samples: SampleBatch; readonly refused: readonly Refusal[] },
    { protocol }: ProtocolReceipt,
  ): Promise<Accepted> {
    const caller = currentCaller();
    const [first] = passed.refused;
    // A collector is told item by item, so that a device of somebody else does not hold up its own.
    if (
      first &&
      countOf(passed.samples) === 0 &&
      passed.refused.every((item) => item.ofSender) &&
      caller?.kind !== 'collector'
    ) {
      this.metrics.itemsRejected.inc({ protocol }, passed.refused.length);
      throw new Problem('not-allowed', `${first.field} ${first.reason}`);
    }
    const { samples, refused } = await this.append(ends, passed.samples, passed.refused);
    if (refused.length > 0) this.metrics.itemsRejected.inc({ protocol }, refused.length);
    const count = countOf(samples);
    if (count > 0) {
      this.metrics.samplesStored.inc({ protocol }, count);
      if (caller?.of.collector) await this.joinTags.give(caller.of.collector);
      this.liveSamples.publish(samples);
      this.arrivals.note(samples, performance.now(), this.always.now());
    }
    return { accepted: ends.length - refused.length, rejected: refused };
  }

  /** Stores what has passed but for items that have a series too many, and gives what is stored and all that is not. */
  private async append(
    ends: Ends,
    samples: SampleBatch,
    refused: readonly Refusal[],
  ): Promise<{ readonly samples: SampleBatch; readonly refused: readonly Refusal[] }> {
    if (countOf(samples) === 0) return { samples, refused };
    try {
      // One commit of them all would hold up others. What is sent again after a full disk changes nothing of what is there.
      for (let from = 0; from < countOf(samples); from += MOST_TOGETHER) {
        await this.always.append(
          countOf(samples) <= MOST_TOGETHER ? samples : partOf(samples, from, from + MOST_TOGETHER),
        );
      }
      return { samples, refused };
    } catch (error) {
      if (!(error instanceof TooManySeriesError)) throw error;
    }
    const passed = passedItems(ends, refused);
    const fitting = await appendWhatFits(this.sampleStore, samples, passed.ends);
    const tooMany = fitting.refused.map(({ group, reason, until }): Refusal => {
      return { item: passed.items[group] as number, field: 'device_name', reason, until };
    });
    return { samples: fitting.samples, refused: [...refused, ...tooMany].sort((a, b) => a.item - b.item) };
  }
}

/** Where each item ends in the candidates; left out: each candidate is an item. */
type Ends = Partial<ArrayLike<number>> & { readonly length: number };

/** The numbers of the items that are not refused, and where each ends in what has passed. */
function passedItems(ends: Ends, refused: readonly Refusal[]): { readonly items: number[]; readonly ends: number[] } {
  const isRefused = new Set(refused.map(({ item }) => item));
  const passed = { items: [] as number[], ends: [] as number[] };
  let before = 0;
  let end = 0;
  for (let item = 0; item < ends.length; item += 1) {
    const last = ends[item] ?? item + 1;
    if (!isRefused.has(item)) {
      passed.items.push(item);
      passed.ends.push((end += last - before));
    }
    before = last;
  }
  return passed;
}

/**
 * Asks the sender to come again with all of it where some was refused for now only: what is stored already stays as it is.
 *
 * @throws Problem, a 429.
 */
export function assertNoneForNow({ accepted, rejected }: Accepted, what: string): void {
  const forNow = rejected.filter(({ until }) => until !== undefined);
  const [first] = forNow;
  if (!first) return;
  const seconds = Math.ceil(((first.until as number) - Date.now()) / 1000);
  throw new Problem(
    'too-many-series',
    `${forNow.length} of ${accepted + rejected.length} ${what} are not stored yet: device ${first.reason}. ` +
      'Send all of them again later, which changes nothing of those that are stored.',
    { retryAfter: Math.max(1, Math.min(60, seconds)) },
  );
}
