import { reasonOf } from '@device-metrics/domain';
import { Inject, Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import type { MetadataStore, Store } from '@device-metrics/storage';
import { SAMPLE_STORE } from '../sample-store.token.js';
import { METADATA_STORE } from './metadata-store.token.js';
import { MetricDescriptions } from './metric-descriptions.js';
import { SeriesEnds } from './series-ends.js';

/** How often it is looked at whether another process was told something, ms. */
const LOOK_EVERY = 1_000;

/** Where senders say very much a look takes long: of the time at most one part in so many is spent on it. */
const SHARE = 20;

/** Follows what senders say beside samples to other processes that share the database. */
@Injectable()
export class OthersMetadata implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly logger = new Logger('metadata');
  private timer: NodeJS.Timeout | undefined;
  private seen: string | undefined;
  private said: string | undefined;
  private isOver = false;

  constructor(
    @Inject(METADATA_STORE) private readonly metadata: MetadataStore,
    @Inject(SAMPLE_STORE) private readonly store: Store,
    private readonly descriptions: MetricDescriptions,
    private readonly ends: SeriesEnds,
  ) {}

  onApplicationBootstrap(): void {
    if (this.metadata.state) this.lookIn(LOOK_EVERY);
  }

  onApplicationShutdown(): void {
    this.isOver = true;
    clearTimeout(this.timer);
  }

  private lookIn(ms: number): void {
    this.timer = setTimeout(() => {
      const began = performance.now();
      void this.look().finally(() => {
        if (!this.isOver) this.lookIn(Math.max(LOOK_EVERY, SHARE * (performance.now() - began)));
      });
    }, ms).unref();
  }

  /** A look that fails is told once for each reason; the next one tries again. */
  private async look(): Promise<void> {
    try {
      const state = this.store.processes > 1 ? await this.metadata.state?.() : this.seen;
      if (state !== this.seen) {
        await this.descriptions.load();
        await this.ends.load();
      }
      [this.seen, this.said] = [state, undefined];
    } catch (error) {
      const reason = reasonOf(error);
      if (!this.isOver && reason !== this.said)
        this.logger.warn(`what other processes were told is not read: ${reason}`);
      this.said = reason;
    }
  }
}
