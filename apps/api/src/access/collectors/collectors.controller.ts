import { quote } from '@device-metrics/contract';
import type { AccessStore, StoredCollector } from '@device-metrics/storage';
import { Body, Controller, Delete, Get, HttpCode, Inject, Param, Post, Query, Req } from '@nestjs/common';
import { ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiParam, ApiTags } from '@device-metrics/contract/openapi';
import type { FastifyRequest } from 'fastify';
import { NO_PARAMETERS, NoQuery } from '../../http/no-query.js';
import { ApiProblems, BAD_BODY } from '../../http/openapi.js';
import { invalidInput, Problem } from '../../http/problem.js';
import { ACCESS_STORE } from '../access-store.js';
import { Audit } from '../audit/audit.js';
import { Authenticate } from '../authenticate.js';
import { Needs } from '../needs.js';
import { collectorDto, CollectorDto, CollectorsDto, DecisionDto } from './collector.dto.js';
import { acceptAsMoved, acceptAsNew, dismiss, isThere } from './join.js';
import { JoinTags } from './join-tags.js';

const ID = { name: 'id', example: '0f8fad5b-d9cb-469f-a165-70867728950e' };
const NO_COLLECTOR = { 'unknown-collector': 'There is no collector "0f8fad5b".' };

/** What an admin does with collectors. */
@ApiTags('access')
@Controller('api/v1/collectors')
export class CollectorsController {
  constructor(
    @Inject(ACCESS_STORE) private readonly store: AccessStore,
    private readonly audit: Audit,
    private readonly authenticate: Authenticate,
    private readonly tags: JoinTags,
  ) {}

  @Get()
  @Needs('access:manage')
  @ApiOperation({ summary: 'Collectors that have joined' })
  @ApiOkResponse({ type: CollectorsDto })
  @ApiProblems(NO_PARAMETERS)
  async list(@Query() _query: NoQuery): Promise<CollectorsDto> {
    const collectors: CollectorDto[] = [];
    for (const collector of await this.store.collectors.all()) collectors.push(await this.dto(collector));
    return { collectors };
  }

  @Post(':id/decision')
  @HttpCode(200)
  @Needs('access:manage')
  @ApiOperation({
    summary: 'Decide what a collector in conflict is',
    description:
      'A new device under a name of its own; or the same, moved to this machine: then the collector that it was before is let go. ' +
      'What waits in its spool is stored under the name that is decided.',
  })
  @ApiParam(ID)
  @ApiOkResponse({ type: CollectorDto })
  @ApiProblems({
    400: 'device_name must be given for a new device',
    ...NO_COLLECTOR,
    'no-conflict': 'The collector of vm is active: there is nothing to decide.',
    'device-taken': 'The device "vm-2" belongs to another collector.',
    ...BAD_BODY,
  })
  async decide(
    @Param('id') id: string,
    @Body() { decision, device_name: name }: DecisionDto,
    @Query() _query: NoQuery,
    @Req() request: FastifyRequest,
  ): Promise<CollectorDto> {
    const collector = await this.find(id);
    if (collector.state !== 'conflict') {
      throw new Problem(
        'no-conflict',
        `The collector of ${collector.deviceName} is ${collector.state}: there is nothing to decide.`,
      );
    }
    if (decision === 'same') {
      await acceptAsMoved(this.store, collector, Date.now());
    } else {
      if (name === undefined) throw invalidInput([{ field: 'device_name', reason: 'must be given for a new device' }]);
      if (!(await acceptAsNew(this.store, id, name))) {
        throw new Problem('device-taken', `The device ${quote(name)} belongs to another collector.`);
      }
    }
    this.authenticate.forget();
    const decided = await this.find(id);
    await this.tags.give(decided);
    await this.audit.note(request, {
      action: 'collector.decide',
      target: decided.deviceName,
      details: { id, decision },
    });
    return this.dto(decided);
  }

  @Delete(':id')
  @HttpCode(204)
  @Needs('access:manage')
  @ApiOperation({
    summary: 'Revoke a collector: nothing of it is taken any more',
    description: 'It keeps what it reads and waits; after it has joined again it goes on.',
  })
  @ApiParam(ID)
  @ApiNoContentResponse({ description: 'Its credential works no more.' })
  @ApiProblems({ ...NO_PARAMETERS, ...NO_COLLECTOR })
  async revoke(@Param('id') id: string, @Query() _query: NoQuery, @Req() request: FastifyRequest): Promise<void> {
    const { deviceName } = await this.find(id);
    await dismiss(this.store, id, 'revoked', Date.now());
    this.authenticate.forget();
    await this.audit.note(request, { action: 'collector.revoke', target: deviceName, details: { id } });
  }

  private async find(id: string): Promise<StoredCollector> {
    const collector = await this.store.collectors.find(id);
    if (!collector || !isThere(collector))
      throw new Problem('unknown-collector', `There is no collector ${quote(id)}.`);
    return collector;
  }

  private async dto(collector: StoredCollector): Promise<CollectorDto> {
    return collectorDto(collector, await this.store.collectors.claimsOf(collector.id));
  }
}
