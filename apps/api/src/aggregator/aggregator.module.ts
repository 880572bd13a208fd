import { Module } from '@nestjs/common';
import { LiveModule } from '../live/live.module.js';
import { MonitoringModule } from '../monitoring/monitoring.module.js';
import { SampleStoreModule } from '../sample-store.module.js';
import { JsonController } from './json/json.controller.js';
import { StoreSamples } from './store-samples.js';

/** Takes samples in: one folder and one controller for each protocol, one use case behind them all. */
@Module({
  imports: [LiveModule, MonitoringModule, SampleStoreModule],
  controllers: [JsonController],
  providers: [StoreSamples],
})
export class AggregatorModule {}
