import { Module } from '@nestjs/common';
import { AccessModule } from '../access/access.module.js';
import { LiveModule } from '../live/live.module.js';
import { MonitoringModule } from '../monitoring/monitoring.module.js';
import { SampleStoreModule } from '../sample-store.module.js';
import { MetadataModule } from '../metadata/metadata.module.js';
import { Accept } from './accept.js';
import { InfluxController } from './influx/influx.controller.js';
import { TakeLines } from './influx/take-lines.js';
import { JsonController } from './json/json.controller.js';
import { DeltaSums } from './otlp/delta-sums.js';
import { OtlpController } from './otlp/otlp.controller.js';
import { OtlpNames } from './otlp/otlp-series.js';
import { RemoteWriteController } from './remote-write/remote-write.controller.js';
import { TakeEnds } from './take-ends.js';
import { WrittenSeries } from './remote-write/written-series.js';

/** Takes samples in: one folder and one controller for each protocol, one gate behind them all. */
@Module({
  imports: [AccessModule, LiveModule, MonitoringModule, SampleStoreModule, MetadataModule],
  controllers: [JsonController, InfluxController, RemoteWriteController, OtlpController],
  providers: [Accept, TakeLines, WrittenSeries, OtlpNames, DeltaSums, TakeEnds],
})
export class AggregatorModule {}
