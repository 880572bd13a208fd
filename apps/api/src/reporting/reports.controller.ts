import { Readable } from 'node:stream';
import { Controller, Get, Inject, Param, Query, StreamableFile } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import type { SampleStore } from '@device-metrics/storage';
import { ApiProblems } from '../http/openapi.js';
import { Problem } from '../http/problem.js';
import { SAMPLE_STORE } from '../sample-store.module.js';
import { DeviceReportDto, deviceReportJson } from './device-report.js';
import { DeviceReportQuery, SummaryQuery } from './queries.dto.js';
import { SummaryDto, summaryReport } from './summary.js';
import { lastHours, reportRange } from './time-span.js';

@ApiTags('reporting')
@Controller('api/v1/reports')
export class ReportsController {
  constructor(@Inject(SAMPLE_STORE) private readonly store: SampleStore) {}

  @Get('metrics/:device_name')
  @ApiOperation({
    summary: 'Device report: every sample of a device',
    description:
      'The samples of each series of the device, oldest first. Each element of `series` is a valid item of a batch.',
  })
  @ApiParam({ name: 'device_name', example: 'lab-pc-1' })
  @ApiOkResponse({ type: DeviceReportDto })
  @ApiProblems({
    400: 'end_time must be after start_time, got start_time "2026-01-16" and end_time "2026-01-15"',
    404: 'There is no device "lab-pc-9"; GET /api/v1/reports/summary names those that there are.',
  })
  async deviceReport(
    @Param('device_name') deviceName: string,
    @Query() query: DeviceReportQuery,
  ): Promise<StreamableFile> {
    const range = reportRange(query.start_time, query.end_time, Date.now());
    const series = await this.store.findSeries({ deviceName });
    if (series.length === 0) {
      const name = JSON.stringify(deviceName.slice(0, 200));
      throw new Problem(404, `There is no device ${name}; GET /api/v1/reports/summary names those that there are.`);
    }
    const json = deviceReportJson(deviceName, range, this.store.readSamples(series, range));
    return new StreamableFile(Readable.from(json, { objectMode: false }), { type: 'application/json; charset=utf-8' });
  }

  @Get('summary')
  @ApiOperation({
    summary: 'Summary: count, min, max, mean and last of every metric of every device',
    description: 'A metric with several series (labels) is summarized over all of them; `last` is its newest sample.',
  })
  @ApiOkResponse({ type: SummaryDto })
  @ApiProblems({ 400: 'time_range must be a number of hours above 0 and up to 876600, got "-1"' })
  async summary(@Query() query: SummaryQuery): Promise<SummaryDto> {
    const range = lastHours(query.time_range, Date.now());
    const series = await this.store.findSeries({});
    return summaryReport(range, await this.store.summarize(series, range));
  }
}
