import { Inject, Injectable, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import type { Store } from '@device-metrics/storage';
import { SAMPLE_STORE } from '../sample-store.module.js';
import { Arrivals } from './arrivals.js';
import { LiveSamples } from './live-samples.js';

/** What other processes on the same database take is as live as what this one takes. */
@Injectable()
export class OthersSamples implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private stop: (() => void) | undefined;

  constructor(
    @Inject(SAMPLE_STORE) private readonly store: Store,
    private readonly live: LiveSamples,
    private readonly arrivals: Arrivals,
  ) {}

  onApplicationBootstrap(): void {
    this.stop = this.store.hearOthers?.((samples) => {
      this.live.publish(samples);
      this.arrivals.note(samples);
    });
  }

  beforeApplicationShutdown(): void {
    this.stop?.();
  }
}
