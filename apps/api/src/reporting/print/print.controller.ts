import { Readable } from 'node:stream';
import { Controller, Get, Header, Inject, Query, StreamableFile } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@device-metrics/contract/openapi';
import type { Store } from '@device-metrics/storage';
import { DeviceRhythms } from '../../devices/device-rhythms.js';
import { Needs } from '../../access/needs.js';
import { apiConfig, type ApiConfig } from '../../settings.js';
import { ApiProblems } from '../../http/openapi.js';
import { SAMPLE_STORE } from '../../sample-store.token.js';
import { CONTENT_SECURITY_POLICY } from './page.js';
import { PrintQuery } from './print-query.dto.js';
import { printReport } from './print-report.js';

@ApiTags('reporting')
@Controller('api/v1')
export class PrintController {
  constructor(
    @Inject(SAMPLE_STORE) private readonly store: Store,
    private readonly rhythms: DeviceRhythms,
    @Inject(apiConfig.KEY) private readonly settings: ApiConfig,
  ) {}

  @Get('reports/print')
  @Needs('reports:read')
  @Header('content-security-policy', `${CONTENT_SECURITY_POLICY}; frame-ancestors 'none'`)
  @Header('x-content-type-options', 'nosniff')
  @ApiOperation({
    summary: 'Printable report: one page about a device, with a table of its metrics and charts',
    description:
      'HTML that is complete in itself: no script, and nothing that it loads. First what the device is, its status and its availability, ' +
      'how busy and how full it is. Counters are shown by their rate, states by the share that the metric catalogue names. What does not ' +
      'change has no chart; of a metric with many series, the ten with the largest mean are drawn.',
  })
  @ApiOkResponse({
    content: { 'text/html': { schema: { type: 'string' }, example: '<!doctype html>\n<html lang="en">…' } },
  })
  @ApiProblems({
    400: 'device must be a string of 1 to 128 printable characters without space at its ends, got nothing',
    'unknown-device': 'There is no device "lab-pc-9"; GET /api/v1/devices names those that there are.',
  })
  async print(@Query() query: PrintQuery): Promise<StreamableFile> {
    const page = await printReport(this.store, this.rhythms, query, Date.now(), this.settings);
    return new StreamableFile(Readable.from(page, { objectMode: false }), { type: 'text/html; charset=utf-8' });
  }
}
