import { Inject, Injectable } from '@nestjs/common';
import type { Sample } from '@device-metrics/domain';
import type { SampleStore } from '@device-metrics/storage';
import { LiveSamples } from '../live/live-samples.js';
import { ApiMetrics } from '../monitoring/api-metrics.js';
import { SAMPLE_STORE } from '../sample-store.module.js';

/** The use case behind every protocol of the aggregator. */
@Injectable()
export class StoreSamples {
  constructor(
    @Inject(SAMPLE_STORE) private readonly sampleStore: SampleStore,
    private readonly metrics: ApiMetrics,
    private readonly liveSamples: LiveSamples,
  ) {}

  /** Samples before this time are not taken any more, Unix ms. */
  oldestTimestamp(): number {
    return this.sampleStore.oldestTimestamp();
  }

  /** Resolves when all the samples are on disk, fsynced. */
  async store(samples: readonly Sample[]): Promise<void> {
    await this.sampleStore.append(samples);
    this.metrics.samplesStored.inc(samples.length);
    this.liveSamples.publish(samples);
  }
}
