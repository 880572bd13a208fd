import { Inject, Module, type BeforeApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { StoreOperation } from '@device-metrics/storage';
import type { FastifyInstance } from 'fastify';
import { SampleStoreModule } from '../sample-store.module.js';
import { SAMPLE_STORE } from '../sample-store.token.js';
import { apiConfig, type ApiConfig } from '../settings.js';
import { ApiMetrics } from './api-metrics.js';
import { MonitoringController } from './monitoring.controller.js';
import { addStoreMetrics } from './store-metrics.js';

/** Health and metrics of this server. */
@Module({
  imports: [SampleStoreModule],
  controllers: [MonitoringController],
  providers: [ApiMetrics],
  exports: [ApiMetrics],
})
export class MonitoringModule implements OnModuleInit, BeforeApplicationShutdown {
  constructor(
    private readonly adapterHost: HttpAdapterHost,
    private readonly metrics: ApiMetrics,
    @Inject(SAMPLE_STORE) store: StoreOperation,
    @Inject(apiConfig.KEY) private readonly config: ApiConfig,
  ) {
    addStoreMetrics(metrics.registry, store);
  }

  onModuleInit(): void {
    const server = this.adapterHost.httpAdapter.getInstance<FastifyInstance>();
    const { connections } = this.config.limits;
    // Node takes 0 for none at all.
    if (connections > 0) server.server.maxConnections = connections;
    server.server.on('drop', () => this.metrics.connectionsRefused.inc());
    server.firstRequests.onRefusal = (problem) => this.metrics.requestsRefused.inc({ problem });
    server.addHook('onResponse', (request, reply, done) => {
      if (reply.problem) this.metrics.requestsRefused.inc({ problem: reply.problem });
      const route = request.routeOptions.url ?? 'none';
      const shown = route.startsWith('/docs') ? '/docs' : route;
      this.metrics.observeRequest(request.method, shown, reply.statusCode, reply.elapsedTime);
      done();
    });
  }

  beforeApplicationShutdown(): void {
    this.adapterHost.httpAdapter.getInstance<FastifyInstance>().firstRequests.stop();
  }
}
