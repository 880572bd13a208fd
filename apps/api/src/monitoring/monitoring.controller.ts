import { Controller, Get, Header, Inject } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@device-metrics/contract/openapi';
import { reasonOf } from '@device-metrics/domain';
import type { StoreOperation } from '@device-metrics/storage';
import { currentCaller } from '../access/caller.js';
import { Needs } from '../access/needs.js';
import { ApiProblems } from '../http/openapi.js';
import { Problem } from '../http/problem.js';
import { SAMPLE_STORE } from '../sample-store.token.js';
import { ApiMetrics } from './api-metrics.js';
import { HealthDto } from './health.dto.js';

@ApiTags('monitoring')
@Controller()
export class MonitoringController {
  constructor(
    @Inject(SAMPLE_STORE) private readonly store: StoreOperation,
    private readonly apiMetrics: ApiMetrics,
  ) {}

  @Get('healthz')
  @Needs('open')
  @ApiOperation({ summary: 'Does the process live?' })
  @ApiOkResponse({ type: HealthDto })
  healthz(): HealthDto {
    return { status: 'ok' };
  }

  @Get('readyz')
  @Needs('open')
  @ApiOperation({ summary: 'Does the database answer?' })
  @ApiOkResponse({ type: HealthDto })
  @ApiProblems({ 'database-unavailable': 'The database does not answer: database disk image is malformed' })
  async readyz(): Promise<HealthDto> {
    try {
      await this.store.ping();
    } catch (error) {
      throw new Problem('database-unavailable', `The database does not answer: ${reasonOf(error)}`, {
        retryAfter: 5,
      });
    }
    return { status: 'ok' };
  }

  @Get('metrics')
  @Needs('server:read')
  @Header('content-type', 'text/plain; version=0.0.4; charset=utf-8')
  @ApiOperation({ summary: 'Metrics of this server for Prometheus' })
  @ApiOkResponse({
    content: {
      'text/plain': {
        schema: { type: 'string' },
        example: 'device_metrics_samples_stored_total{protocol="json"} 86400\n',
      },
    },
  })
  metrics(): Promise<string> {
    return this.apiMetrics.text(!currentCaller());
  }
}
