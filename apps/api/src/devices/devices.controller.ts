import { Body, Controller, Delete, Get, HttpCode, Inject, Param, Patch, Query, Req } from '@nestjs/common';
import { ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiParam, ApiTags } from '@device-metrics/contract/openapi';
import { inSlices, labelsKey, quote } from '@device-metrics/domain';
import type { Store, StoredDevice } from '@device-metrics/storage';
import type { FastifyRequest } from 'fastify';
import { assertAsRead, HeedsTag } from '../http/entity-tag.js';
import { invalidInput } from '../http/problem.js';
import { OneSeriesQuery } from './one-series-query.dto.js';
import { pairOf } from './pair-of.js';
import { Audited } from '../access/audit/audited.js';
import { Needs } from '../access/needs.js';
import { noDevice } from '../http/no-device.js';
import { composedName } from '../http/composed.pipe.js';
import { NO_PARAMETERS, NoQuery } from '../http/no-query.js';
import { ApiProblems, BAD_BODY } from '../http/openapi.js';
import { selectorOf } from '../http/series-query.js';
import { SAMPLE_STORE } from '../sample-store.token.js';
import { changeDevice } from './change-device.js';
import { descriptionTag, deviceAnswer } from './device-answer.js';
import { DeviceChangeDto } from './device-change.dto.js';
import { DeviceRhythms } from './device-rhythms.js';
import { DeviceDto, DevicesDto } from './device.dto.js';
import { DevicesQuery } from './devices-query.dto.js';

const NO_DEVICE = {
  'unknown-device': 'There is no device "lab-pc-9"; GET /api/v1/devices names those that there are.',
};

@ApiTags('devices')
@Controller('api/v1/devices')
export class DevicesController {
  constructor(
    @Inject(SAMPLE_STORE) private readonly store: Store,
    private readonly rhythms: DeviceRhythms,
  ) {}

  @Get()
  @Needs('reports:read')
  @ApiOperation({ summary: 'Devices: status, when they were first and last seen, and what people say of them' })
  @ApiOkResponse({ type: DevicesDto })
  @ApiProblems({ 400: 'status must be one of online, late, offline, got "on"' })
  async list(@Query() query: DevicesQuery): Promise<DevicesDto> {
    const stored = await this.store.devices(selectorOf(query));
    const rhythms = await this.rhythms.ofAll(stored);
    const devices: DeviceDto[] = [];
    await inSlices(stored, (device, index) => devices.push(deviceAnswer(device, rhythms[index], Date.now())));
    const { status } = query;
    return { devices: status === undefined ? devices : devices.filter((device) => status.includes(device.status)) };
  }

  @Get(':device_name')
  @Needs('reports:read')
  @ApiOperation({ summary: 'One device' })
  @ApiParam({ name: 'device_name', example: 'lab-pc-1' })
  @ApiOkResponse({ type: DeviceDto })
  @ApiProblems({ ...NO_PARAMETERS, ...NO_DEVICE })
  async get(@Param('device_name', composedName) name: string, @Query() _query: NoQuery): Promise<DeviceDto> {
    return this.dto(await this.find(name));
  }

  @Patch(':device_name')
  @Needs('devices:write')
  @Audited('device.change')
  @HeedsTag()
  @ApiOperation({
    summary: 'Change what is said of a device: its name, display name, notes and tags; or merge it with another',
    description: 'What is left out stays; null takes away (JSON Merge Patch, RFC 7396). The answer is the device.',
  })
  @ApiParam({ name: 'device_name', example: 'lab-pc-1' })
  @ApiOkResponse({ type: DeviceDto })
  @ApiProblems({
    400: 'display_name must be a string of 1 to 128 printable characters, or null for none, got 7',
    'device-taken':
      'device_name must be one that no device has, got "lab-pc-2"; with "merge": true the two become one.',
    'not-mergeable':
      '"hw.temperature" is in "Cel" of "lab-pc-1" and in "By" of "lab-pc-2", and one does not convert into the other.',
    ...NO_DEVICE,
    ...BAD_BODY,
  })
  async change(
    @Param('device_name', composedName) name: string,
    @Body() change: DeviceChangeDto,
    @Query() _query: NoQuery,
    @Req() request: FastifyRequest,
  ): Promise<DeviceDto> {
    const device = await changeDevice(this.store, name, change, (now) => assertAsRead(request, descriptionTag(now)));
    for (const one of [name, device.name]) this.rhythms.forget(one);
    return this.dto(device);
  }

  @Delete(':device_name')
  @Needs('devices:delete')
  @Audited('device.delete')
  @HeedsTag()
  @HttpCode(204)
  @ApiOperation({
    summary: 'Delete a device with all its samples',
    description: 'There is no way back. A device that still sends comes again with its next sample.',
  })
  @ApiParam({ name: 'device_name', example: 'lab-pc-1' })
  @ApiNoContentResponse({ description: 'Nothing of it is left.' })
  @ApiProblems({ ...NO_PARAMETERS, ...NO_DEVICE })
  async delete(
    @Param('device_name', composedName) name: string,
    @Query() _query: NoQuery,
    @Req() request: FastifyRequest,
  ): Promise<void> {
    assertAsRead(request, descriptionTag(await this.find(name)));
    if (!(await this.store.deleteDevice(name))) throw noDevice(name);
    this.rhythms.forget(name);
  }

  @Delete(':device_name/series')
  @Needs('devices:delete')
  @Audited('series.delete', ({ query }) => ({ metric: String((query as Partial<OneSeriesQuery>).metric_name) }))
  @HttpCode(204)
  @ApiOperation({
    summary: 'Delete one series of a device with all its samples',
    description: 'There is no way back. A series that is still sent comes again with its next sample.',
  })
  @ApiParam({ name: 'device_name', example: 'lab-pc-1' })
  @ApiNoContentResponse({ description: 'Nothing of it is left.' })
  @ApiProblems({ 400: 'metric_name and label must name one of its 4 series by all its labels, got "{}"', ...NO_DEVICE })
  async deleteSeries(
    @Param('device_name', composedName) name: string,
    @Query() { metric_name: metricName, label = [] }: OneSeriesQuery,
  ): Promise<void> {
    await this.find(name);
    const labels = labelsKey(Object.fromEntries(label.map(pairOf)));
    const found = await this.store.findSeries({ devices: [name], metrics: [metricName] });
    const series = found.find((one) => labelsKey(one.labels) === labels);
    if (!series) {
      const reason =
        found.length === 0
          ? `must be a metric of ${quote(name)}, got ${quote(metricName)}`
          : `and label must name one of its ${found.length} series by all its labels, got ${quote(labels)}`;
      throw invalidInput([{ field: 'metric_name', reason }]);
    }
    await this.store.deleteSeries(name, series.id);
    this.rhythms.forget(name);
  }

  private async find(name: string): Promise<StoredDevice> {
    const device = await this.store.device(name);
    if (!device) throw noDevice(name);
    return device;
  }

  private async dto(device: StoredDevice): Promise<DeviceDto> {
    return { ...deviceAnswer(device, await this.rhythms.of(device), Date.now()), etag: descriptionTag(device) };
  }
}
