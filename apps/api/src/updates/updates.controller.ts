import { isNewer } from '@device-metrics/domain';
import { Body, Controller, Get, HttpCode, Inject, Logger, Post, Query, Req } from '@nestjs/common';
import { ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiTags } from '@device-metrics/contract/openapi';
import type { FastifyRequest } from 'fastify';
import { Audit } from '../access/audit/audit.js';
import { Audited } from '../access/audit/audited.js';
import { ownOf } from '../access/collectors/join.controller.js';
import { Needs } from '../access/needs.js';
import { UPDATE_KEY, type UpdateKey } from '../access/update-key.js';
import { NO_PARAMETERS, NoQuery } from '../http/no-query.js';
import { ApiProblems, BAD_BODY } from '../http/openapi.js';
import { packageDto } from '../packages/packages.dto.js';
import { CollectorVersionDto, UpdateAnswerDto, UpdateQuestionDto, UpdatesDto } from './updates.dto.js';
import { Updates } from './updates.js';
import { standingOf, type Member } from './wave.js';

/** How collectors get to newer versions by themselves. */
@ApiTags('access')
@Controller('api/v1')
export class UpdatesController {
  private readonly log = new Logger('updates');

  constructor(
    private readonly updates: Updates,
    private readonly audit: Audit,
    @Inject(UPDATE_KEY) private readonly key: UpdateKey | undefined,
  ) {}

  @Post('collectors/self/update')
  @HttpCode(200)
  @Needs('collector:self')
  @ApiOperation({
    summary: 'Ask for a newer version of the collector, and say how the last one fared',
    description:
      'Asked by collectors that may update themselves (`update: auto`). One may take a new version first; when that has sent, a tenth of ' +
      'all; then all. After a collector had to go back, nobody else is let go ahead until a person says so.',
  })
  @ApiOkResponse({ type: UpdateAnswerDto })
  @ApiProblems({ 400: 'version must be a string of at most 64 printable characters, got 1', ...BAD_BODY })
  async ask(
    @Body() question: UpdateQuestionDto,
    @Query() _query: NoQuery,
    @Req() request: FastifyRequest,
  ): Promise<UpdateAnswerDto> {
    const { id, deviceName } = ownOf(request);
    const { version, tried = '', result, reason = '' } = question;
    const offer = await this.updates.ask(id, question, Date.now());
    if (result !== undefined) {
      const success = result === 'updated';
      const details = { id, version, tried, result, reason };
      await this.audit.note(request, { action: 'collector.update', target: deviceName, success, details });
      const said = `The collector of ${deviceName}`;
      if (success) this.log.log(`${said} has updated itself to ${tried}`);
      else if (result === 'failed') this.log.warn(`${said} went back from ${tried} to ${version}: ${reason}`);
      else this.log.warn(`${said} could not take ${tried}: ${reason}`);
    }
    if (!('facts' in offer)) return { reason: offer.reason };
    if (!this.key) return { reason: 'This api has no key to sign packages with; its log says why.' };
    return { package: { ...packageDto(offer.facts), signature: this.key.sign(offer.facts) }, reason: '' };
  }

  @Get('updates')
  @Needs('server:read')
  @ApiOperation({ summary: 'Which collector has which version, and how far a newer one has got' })
  @ApiOkResponse({ type: UpdatesDto })
  @ApiProblems(NO_PARAMETERS)
  async list(@Query() _query: NoQuery): Promise<UpdatesDto> {
    const now = Date.now();
    const { members } = await this.updates.all();
    const waves = (await this.updates.waves(now)).map(({ version, size, limit, updated, underWay, failed }) => ({
      version,
      size,
      limit,
      updated,
      under_way: underWay,
      held_back_by: failed?.collector.deviceName ?? '',
    }));
    return { collectors: members.map((member) => versionDto(member, now)), waves };
  }

  @Post('updates/again')
  @HttpCode(204)
  @Needs('access:manage')
  @Audited('updates.again')
  @ApiOperation({
    summary: 'Let collectors try again that went back from a newer version, and those that waited for them',
  })
  @ApiNoContentResponse({ description: 'They try when they next ask.' })
  @ApiProblems(NO_PARAMETERS)
  async again(@Query() _query: NoQuery): Promise<void> {
    await this.updates.again();
  }
}

function versionDto(member: Member, now: number): CollectorVersionDto {
  const { collector, update, newest } = member;
  const automatic = update.askedAt > 0;
  const isBehind = newest !== '' && isNewer(newest, collector.version);
  const standing = automatic && newest !== '' ? standingOf(member, now) : 'updated';
  const state = standing !== 'updated' ? standing : isBehind ? 'behind' : 'current';
  const reason = state === 'failed' || state === 'refused' ? update.reason : '';
  return { device_name: collector.deviceName, version: collector.version, newest, automatic, state, reason };
}
