import { Inject, Module, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { StoreOperation } from '@device-metrics/storage';
import type { FastifyInstance } from 'fastify';
import { SAMPLE_STORE, SampleStoreModule } from '../sample-store.module.js';
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
export class MonitoringModule implements OnModuleInit {
  constructor(
    private readonly adapterHost: HttpAdapterHost,
    private readonly metrics: ApiMetrics,
    @Inject(SAMPLE_STORE) store: StoreOperation,
  ) {
    addStoreMetrics(metrics.registry, store);
  }

  onModuleInit(): void {
    const server = this.adapterHost.httpAdapter.getInstance<FastifyInstance>();
    server.addHook('onResponse', (request, reply, done) => {
      const route = request.routeOptions.url ?? 'none';
      this.metrics.requestDuration.observe(
        {
          http_request_method: request.method,
          http_route: route.startsWith('/docs') ? '/docs' : route,
          http_response_status_code: reply.statusCode,
        },
        reply.elapsedTime / 1000,
      );
      done();
    });
  }
}
