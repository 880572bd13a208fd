import { Inject, Injectable, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import type { OthersSamples, Store } from '@device-metrics/storage';
import type { Sample } from '@device-metrics/domain';
import { SAMPLE_STORE } from '../sample-store.token.js';
import { Arrivals } from './arrivals.js';
import { LiveSamples } from './live-samples.js';

/** Up to which age samples are live, ms. What lay unread until a listener came is older. */
const LIVE = 5_000;

/** What other processes on the same database take is as live as what this one takes. */
@Injectable()
export class SamplesOfOthers implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private stop: (() => void) | undefined;

  constructor(
    @Inject(SAMPLE_STORE) private readonly store: Store,
    private readonly live: LiveSamples,
    private readonly arrivals: Arrivals,
  ) {}

  onApplicationBootstrap(): void {
    this.stop = this.store.hearOthers?.({
      hear: (samples, age) => {
        const [heard, now] = [performance.now() - age, this.store.now() - age];
        for (const { device, from, to } of samples.runs) {
          this.arrivals.noteDevice(device.name, samples.timestamps, from, to, heard, now);
        }
        if (this.live.isWanted && age < LIVE) this.live.publish(eachOf(samples));
      },
      isWaiting: () => this.live.isWanted,
    });
  }

  beforeApplicationShutdown(): void {
    this.stop?.();
  }
}

function eachOf({ series, timestamps, values }: OthersSamples): Sample[] {
  return series.map(({ deviceName, metricName, labels, unit }, at) => ({
    deviceName,
    metricName,
    labels,
    unit: unit ?? undefined,
    timestamp: timestamps[at] as number,
    value: values[at] as number,
  }));
}
