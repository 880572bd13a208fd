import { Module } from '@nestjs/common';
import { Arrivals } from './arrivals.js';
import { AccessModule } from '../access/access.module.js';
import { LiveSamples } from './live-samples.js';
import { LiveController } from './live.controller.js';
import { LiveStreams } from './live-streams.js';

/** New samples as they come; the aggregator publishes, readers listen. */
@Module({
  imports: [AccessModule],
  controllers: [LiveController],
  providers: [Arrivals, LiveSamples, LiveStreams],
  exports: [Arrivals, LiveSamples],
})
export class LiveModule {}
