import { Module } from '@nestjs/common';
import { Arrivals } from './arrivals.js';
import { AccessModule } from '../access/access.module.js';
import { LiveSamples } from './live-samples.js';
import { LiveController } from './live.controller.js';
import { LiveStreams } from './live-streams.js';
import { SamplesOfOthers } from './samples-of-others.js';
import { SampleStoreModule } from '../sample-store.module.js';

/** New samples as they come; the aggregator publishes, readers listen. */
@Module({
  imports: [AccessModule, SampleStoreModule],
  controllers: [LiveController],
  providers: [Arrivals, LiveSamples, LiveStreams, SamplesOfOthers],
  exports: [Arrivals, LiveSamples],
})
export class LiveModule {}
