import { Module } from '@nestjs/common';
import { LiveSamples } from './live-samples.js';
import { LiveController } from './live.controller.js';
import { LiveStreams } from './live-streams.js';

/** New samples as they come; the aggregator publishes, readers listen. */
@Module({ controllers: [LiveController], providers: [LiveSamples, LiveStreams], exports: [LiveSamples] })
export class LiveModule {}
