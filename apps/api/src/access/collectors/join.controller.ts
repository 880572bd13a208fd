import type { AccessStore, Store, StoredCollector } from '@device-metrics/storage';
import { Body, Controller, Delete, Get, HttpCode, Inject, Post, Put, Query, Req } from '@nestjs/common';
import {
  ApiCreatedResponse,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiTags,
} from '@device-metrics/contract/openapi';
import type { FastifyRequest } from 'fastify';
import { NO_PARAMETERS, NoQuery } from '../../http/no-query.js';
import { ApiProblems, BAD_BODY } from '../../http/openapi.js';
import { Problem } from '../../http/problem.js';
import { SAMPLE_STORE } from '../../sample-store.token.js';
import { ACCESS_STORE } from '../access-store.js';
import { Attempts } from '../attempts.js';
import { Audit } from '../audit/audit.js';
import { Authenticate } from '../authenticate.js';
import { unlimited } from '../caller.js';
import { hashOfCode } from '../invitations/code.js';
import { Needs } from '../needs.js';
import { networkOf } from '../network-of.js';
import { UPDATE_KEY, type UpdateKey } from '../update-key.js';
import {
  collectorDto,
  CollectorNewsDto,
  JoinDto,
  JoinedDto,
  OwnCollectorDto,
  RefusedDeviceDto,
} from './collector.dto.js';
import { dismiss, isOfOthers, join } from './join.js';
import { JoinTags } from './join-tags.js';

/** What collectors do for themselves: join, say what they read, leave. */
@ApiTags('access')
@Controller('api/v1/collectors')
export class JoinController {
  /** Wrong codes, by address. */
  private readonly attempts = new Attempts(20, 600_000, () => this.samples.processes);

  constructor(
    @Inject(ACCESS_STORE) private readonly store: AccessStore,
    private readonly audit: Audit,
    private readonly authenticate: Authenticate,
    private readonly tags: JoinTags,
    @Inject(UPDATE_KEY) private readonly key: UpdateKey | undefined,
    @Inject(SAMPLE_STORE) private readonly samples: Store,
  ) {}

  @Post('join')
  @Needs('open')
  @ApiOperation({
    summary: 'Join: get a credential by the code of an invitation',
    description:
      'Where the name of its PC belongs to another collector, or has samples of somebody who has not joined, `state` is ' +
      '`conflict`: nothing of it is taken, with 409, until an admin says whether this is a new device or the same one, moved.',
  })
  @ApiCreatedResponse({ type: JoinedDto })
  @ApiProblems({
    400: 'device_name must be a string of 1 to 128 printable characters without space at its ends, got 7',
    'wrong-code': 'The code is wrong, or it has ended or been used as often as it may be.',
    'too-many-attempts': 'Too many attempts; try again in 10 min.',
    ...BAD_BODY,
  })
  async join(@Body() wish: JoinDto, @Query() _query: NoQuery, @Req() request: FastifyRequest): Promise<JoinedDto> {
    const { ip } = request;
    const from = networkOf(ip);
    this.attempts.assertLeft(from);
    const now = Date.now();
    const hash = hashOfCode(wish.code);
    const invitation = hash === undefined ? undefined : await this.store.invitations.take(hash, now);
    if (!invitation) {
      this.attempts.count(from);
      await this.audit.note(request, { action: 'collector.join', target: wish.device_name, success: false });
      throw new Problem('wrong-code', 'The code is wrong, or it has ended or been used as often as it may be.');
    }
    const { device_name: name, devices = [], version = '', platform = '', previous_token: previousToken } = wish;
    const said = { name, devices, version, platform, address: ip, previousToken };
    const { collector, token } = await join(this.store, said, invitation, now, await this.sampled());
    this.authenticate.forget();
    await this.tags.give(collector);
    const details = { id: collector.id, invitation: invitation.id, state: collector.state };
    await this.audit.note(request, { action: 'collector.join', target: collector.deviceName, details });
    const key = this.key && { update_key: this.key.publicKey };
    return { ...(await this.own(collector, devices)), token: token.token, ...key };
  }

  @Get('self')
  @Needs('collector:self')
  @ApiOperation({ summary: 'The collector that asks' })
  @ApiOkResponse({ type: OwnCollectorDto })
  @ApiProblems(NO_PARAMETERS)
  async self(@Query() _query: NoQuery, @Req() request: FastifyRequest): Promise<OwnCollectorDto> {
    return this.own(ownOf(request), []);
  }

  @Put('self')
  @Needs('collector:self')
  @ApiOperation({
    summary: 'Say what this collector reads',
    description:
      'Devices that belong to no other collector, and of which nobody else has sent samples, belong to it from then on; `refused` ' +
      'names the others.',
  })
  @ApiOkResponse({ type: OwnCollectorDto })
  @ApiProblems({ 400: 'devices must be an array of at most 10000 names, got "rack-ups"', ...BAD_BODY })
  async news(
    @Body() { devices = [], version, platform }: CollectorNewsDto,
    @Query() _query: NoQuery,
    @Req() request: FastifyRequest,
  ): Promise<OwnCollectorDto> {
    const asking = ownOf(request);
    const { id } = asking;
    const news = { ...(version !== undefined && { version }), ...(platform !== undefined && { platform }) };
    await this.store.collectors.change(id, { ...news, address: request.ip, seenAt: Date.now() });
    // What is remembered of who asks may be from before an admin decided.
    const { name, state } = (await this.store.collectors.find(id)) ?? asking;
    const others = devices.filter((device) => device !== name);
    const before = new Set(await this.store.collectors.claimsOf(id));
    const sampled = await this.sampled();
    for (const device of others) {
      // An invitation may give what others send, a credential that somebody has found may not.
      if (state !== 'active' || (await isOfOthers(this.store, device, sampled))) continue;
      await this.store.collectors.claim(device, id);
    }
    this.authenticate.forget();
    const gained = (await this.store.collectors.claimsOf(id)).filter((device) => !before.has(device));
    for (const target of gained) await this.audit.note(request, { action: 'collector.claim', target, details: { id } });
    return this.own((await this.store.collectors.find(id)) ?? asking, others);
  }

  @Delete('self')
  @HttpCode(204)
  @Needs('collector:self')
  @ApiOperation({ summary: 'Leave: the credential works no more', description: 'What was sent stays.' })
  @ApiNoContentResponse({ description: 'It has left.' })
  @ApiProblems(NO_PARAMETERS)
  async leave(@Query() _query: NoQuery, @Req() request: FastifyRequest): Promise<void> {
    const { id, deviceName } = ownOf(request);
    await dismiss(this.store, id, 'left', Date.now());
    this.authenticate.forget();
    await this.audit.note(request, { action: 'collector.leave', target: deviceName, details: { id } });
  }

  /** Names of all devices of which there are samples, also those that they had before. */
  private async sampled(): Promise<ReadonlySet<string>> {
    const devices = await unlimited(() => this.samples.devices());
    return new Set(devices.flatMap(({ name, formerNames }) => [name, ...formerNames]));
  }

  private async own(collector: StoredCollector, wanted: readonly string[]): Promise<OwnCollectorDto> {
    const devices = await this.store.collectors.claimsOf(collector.id);
    const refused: RefusedDeviceDto[] = [];
    for (const name of new Set(wanted)) {
      if (devices.includes(name) || name === collector.name) continue;
      const owner = await this.store.collectors.ownerOf(name);
      const other = owner === undefined ? undefined : await this.store.collectors.find(owner);
      refused.push({ device_name: name, reason: whyNot(collector, other) });
    }
    return { ...collectorDto(collector, devices), refused };
  }
}

function whyNot({ state }: StoredCollector, other: StoredCollector | undefined): string {
  if (state === 'conflict') return 'belongs to nobody while this is in conflict';
  return other
    ? `belongs to another collector, ${other.deviceName}`
    : 'has samples of somebody who has not joined; it is given to this collector once that joins again by a new code';
}

/** The collector that asks: the guard lets nobody else get here. */
export function ownOf({ caller }: FastifyRequest): StoredCollector {
  if (!caller.of.collector) throw new Problem('not-allowed', 'This is for collectors.');
  return caller.of.collector;
}
