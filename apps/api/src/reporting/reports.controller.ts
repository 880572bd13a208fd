import { setImmediate } from 'node:timers/promises';
import { toRfc3339 } from '@device-metrics/contract';
import { Controller, Get, Inject, Param, Query, Req, Res, type StreamableFile } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiParam, ApiTags } from '@device-metrics/contract/openapi';
import type { Store } from '@device-metrics/storage';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Needs } from '../access/needs.js';
import { apiConfig, type ApiConfig } from '../settings.js';
import { DeviceRhythms } from '../devices/device-rhythms.js';
import { composedName } from '../http/composed.pipe.js';
import { NO_PARAMETERS, NoQuery } from '../http/no-query.js';
import { ApiProblems } from '../http/openapi.js';
import { selectorOf } from '../http/series-query.js';
import { SAMPLE_STORE } from '../sample-store.token.js';
import { ApiAnswer } from './answer/api-answer.js';
import { sendAnswer } from './answer/send-answer.js';
import { AvailabilityQuery } from './availability/availability-query.dto.js';
import { AvailabilityDto } from './availability/availability.dto.js';
import { availability, availabilityWriters } from './availability/availability.js';
import { CompareQuery } from './compare/compare-query.dto.js';
import { CompareDto } from './compare/compare.dto.js';
import { compareWriters } from './compare/compare-writers.js';
import { compare } from './compare/compare.js';
import { DeviceReportQuery } from './device-report/device-report-query.dto.js';
import { DeviceReportDto } from './device-report/device-report.dto.js';
import { deviceReport, reportWriters } from './device-report/device-report.js';
import { LatestQuery } from './latest/latest-query.dto.js';
import { LatestDto } from './latest/latest.dto.js';
import { MetricDescriptions } from '../metadata/metric-descriptions.js';
import { SeriesEnds } from '../metadata/series-ends.js';
import { jsonList } from './answer/json-list.js';
import { latestReport } from './latest/latest.js';
import { MetricListDto } from './metric-list/metric-list.dto.js';
import { metricList } from './metric-list/metric-list.js';
import { SummaryQuery } from './summary/summary-query.dto.js';
import { SummaryDto } from './summary/summary.dto.js';
import { summaryReport, summaryWriters } from './summary/summary.js';

@ApiTags('reporting')
@Controller('api/v1')
export class ReportsController {
  constructor(
    @Inject(SAMPLE_STORE) private readonly store: Store,
    private readonly rhythms: DeviceRhythms,
    @Inject(apiConfig.KEY) private readonly settings: ApiConfig,
    private readonly ends: SeriesEnds,
    private readonly descriptions: MetricDescriptions,
  ) {}

  @Get('reports/metrics/:device_name')
  @Needs('reports:read')
  @ApiOperation({
    summary: 'Device report: the samples of a device, raw or by steps',
    description:
      'The samples of each series of the device, oldest first. Without `step` each element of `series` is a valid item of ' +
      'a batch. Formats: json, csv (RFC 4180), ndjson and xlsx (times in UTC), by `format` or the header Accept.',
  })
  @ApiParam({ name: 'device_name', example: 'lab-pc-1' })
  @ApiAnswer(DeviceReportDto, {
    csv: 'device_name,metric_name,unit,labels,timestamp,value\r\nlab-pc-1,system.uptime,s,{},2026-01-15T10:00:00.000Z,86400\r\n',
    ndjson:
      '{"device_name":"lab-pc-1","metric_name":"system.uptime","unit":"s","labels":{},"timestamp":"2026-01-15T10:00:00.000Z","value":86400}\n',
  })
  @ApiProblems({
    400: 'end_time must be after start_time, got start_time "2026-01-16" and end_time "2026-01-15"',
    'unknown-device': 'There is no device "lab-pc-9"; GET /api/v1/devices names those that there are.',
  })
  async deviceReport(
    @Param('device_name', composedName) deviceName: string,
    @Query() query: DeviceReportQuery,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Buffer | StreamableFile> {
    const report = await deviceReport(this.store, deviceName, query, Date.now(), this.settings);
    const { plan, nextCursor } = report;
    if (plan.hourlyUntil !== undefined) void reply.header('hourly-until', toRfc3339(plan.hourlyUntil));
    if (plan.edgesMoved) void reply.header('edges-moved', 'true');
    const writers = reportWriters(deviceName, report, query);
    const { format } = query;
    return sendAnswer({ writers, format, subject: deviceName, time: plan.range.start, nextCursor }, request, reply);
  }

  @Get('reports/summary')
  @Needs('reports:read')
  @ApiOperation({
    summary: 'Summary: count, min, max, mean and last of every metric of every device',
    description:
      'Series of one group are taken together, whatever their other labels; `last` is the newest sample. `devices` says how ' +
      'many of the readings that were to be expected have arrived. ' +
      'Formats: as in the device report.',
  })
  @ApiAnswer(SummaryDto, {
    csv:
      'device_name,metric_name,unit,labels,tags,series,count,min,max,mean,last,last_time\r\n' +
      'lab-pc-1,hw.temperature,Cel,,,1,8640,31,48.5,39.2,47,2026-01-15T10:00:00.000Z\r\n',
    ndjson:
      '{"device_name":"lab-pc-1","metric_name":"hw.temperature","unit":"Cel","series":1,"count":8640,"min":31,"max":48.5,' +
      '"mean":39.2,"last":47,"last_time":"2026-01-15T10:00:00.000Z"}\n',
  })
  @ApiProblems({ 400: 'time_range must be a number of hours above 0 and up to 876600, got "-1"' })
  async summary(
    @Query() query: SummaryQuery,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Buffer | StreamableFile> {
    const report = await summaryReport(this.store, this.rhythms, query, Date.now(), this.settings);
    // Some milliseconds of work lie behind, some ahead: let other requests through between.
    await setImmediate();
    const { nextCursor, range } = report;
    const writers = summaryWriters(report, query);
    const { format } = query;
    return sendAnswer({ writers, format, subject: 'summary', time: range.start, nextCursor }, request, reply);
  }

  @Get('reports/compare')
  @Needs('reports:read')
  @ApiOperation({ summary: 'Compare: one metric of many devices on one time axis, the top or the bottom of them' })
  @ApiAnswer(CompareDto, {
    csv: 'timestamp,lab-pc-1 hw.id=cpu\r\n2026-01-15T00:00:00.000Z,42.5\r\n',
    ndjson: '{"timestamp":"2026-01-15T00:00:00.000Z","values":[42.5]}\n',
  })
  @ApiProblems({ 400: 'metric_name must be the name of one metric, got nothing' })
  async compare(
    @Query() query: CompareQuery,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Buffer | StreamableFile> {
    const answer = await compare(this.store, query, Date.now(), this.settings);
    const { format } = query;
    const time = Date.parse(answer.start_time);
    const writers = compareWriters(answer, query);
    return sendAnswer({ writers, format, subject: answer.metric_name, time, nextCursor: undefined }, request, reply);
  }

  @Get('reports/availability')
  @Needs('reports:read')
  @ApiOperation({
    summary: 'Availability: when devices were silent, and how much of each month they were there',
    description: 'The last 30 days by default. Formats: as in the device report, with the rows that `rows` asks for.',
  })
  @ApiAnswer(AvailabilityDto, {
    csv:
      'device_name,tags,month,percent,silences,silent,watched,devices\r\n' +
      'lab-pc-1,,2026-01,99.8213,2,4786000,2678400000,1\r\n',
    ndjson:
      '{"device_name":"lab-pc-1","devices":1,"watched":2678400000,"silent":4786000,"silences":2,"percent":99.8213,"month":"2026-01"}\n',
  })
  @ApiProblems({ 400: 'rows must be one of months, totals, silences, got "days"' })
  async availability(
    @Query() query: AvailabilityQuery,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Buffer | StreamableFile> {
    const report = await availability(this.store, query, Date.now(), this.settings);
    const writers = availabilityWriters(report, query);
    const { format } = query;
    const answer = { writers, format, subject: 'availability', time: report.range.start, nextCursor: undefined };
    return sendAnswer(answer, request, reply);
  }

  @Get('reports/latest')
  @Needs('reports:read')
  @ApiOperation({ summary: 'Latest: the newest sample of every series' })
  @ApiOkResponse({ type: LatestDto })
  @ApiProblems({ 400: 'label must be name=value as in cpu=0, got "cpu"' })
  async latest(@Query() query: LatestQuery): Promise<LatestDto | StreamableFile> {
    const latest = await this.store.latest(await this.store.findSeries(selectorOf(query)));
    const { samples } = await latestReport(latest, query, Date.now(), (one) => this.ends.endOf(one));
    return jsonList('samples', samples);
  }

  @Get('metrics')
  @Needs('reports:read')
  @ApiOperation({ summary: 'Catalogue: every metric that there is, with unit, kind and number of series' })
  @ApiOkResponse({ type: MetricListDto })
  @ApiProblems(NO_PARAMETERS)
  async catalogue(@Query() _query: NoQuery): Promise<MetricListDto> {
    return metricList(await this.store.findSeries({}), (name) => this.descriptions.of(name)?.help);
  }
}
