import { Module, type OnModuleInit, type Type } from '@nestjs/common';
import { HttpAdapterHost, ModuleRef } from '@nestjs/core';
import type { FastifyInstance } from 'fastify';
import { AccessModule } from '../access/access.module.js';
import { Guard } from '../access/guard.js';
import type { DirectRoute } from '../http/direct.js';
import { LiveModule } from '../live/live.module.js';
import { ApiMetrics } from '../monitoring/api-metrics.js';
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
import { OpenTsdbController } from './opentsdb/opentsdb.controller.js';
import { RemoteWriteController } from './remote-write/remote-write.controller.js';
import { TakeEnds } from './take-ends.js';
import { WrittenSeries } from './remote-write/written-series.js';

interface Protocol {
  /** Those of its routes that need not cost what the framework does. */
  readonly direct?: readonly DirectRoute[];
}

const PROTOCOLS: Type<object>[] = [
  JsonController,
  InfluxController,
  RemoteWriteController,
  OtlpController,
  OpenTsdbController,
];

/** Takes samples in: one folder and one controller for each protocol, one gate behind them all. */
@Module({
  imports: [AccessModule, LiveModule, MonitoringModule, SampleStoreModule, MetadataModule],
  controllers: PROTOCOLS,
  providers: [Accept, TakeLines, WrittenSeries, OtlpNames, DeltaSums, TakeEnds],
})
export class AggregatorModule implements OnModuleInit {
  constructor(
    private readonly adapterHost: HttpAdapterHost,
    private readonly guard: Guard,
    private readonly metrics: ApiMetrics,
    private readonly moduleRef: ModuleRef,
  ) {}

  onModuleInit(): void {
    const routes = PROTOCOLS.flatMap((protocol) => this.moduleRef.get<Protocol>(protocol).direct ?? []);
    this.adapterHost.httpAdapter.getInstance<FastifyInstance>().direct.open(routes, {
      admit: (call, head, { speaks }) => this.guard.admit(call, head, speaks),
      answered: ({ path }, status, milliseconds) => this.metrics.observeRequest('POST', path, status, milliseconds),
    });
  }
}
