import { quote } from '@device-metrics/contract';
import type { AccessStore } from '@device-metrics/storage';
import { Body, Controller, Delete, Get, HttpCode, Inject, Param, Post, Query, Req } from '@nestjs/common';
import {
  ApiCreatedResponse,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiParam,
  ApiTags,
} from '@device-metrics/contract/openapi';
import type { FastifyRequest } from 'fastify';
import { NO_PARAMETERS, NoQuery } from '../../http/no-query.js';
import { ApiProblems, BAD_BODY } from '../../http/openapi.js';
import { Problem } from '../../http/problem.js';
import { apiConfig, type ApiConfig } from '../../settings.js';
import { ACCESS_STORE } from '../access-store.js';
import { Audit } from '../audit/audit.js';
import { Needs } from '../needs.js';
import { reachableUrl } from '../reachable-url.js';
import { parseSpan } from '../rules.js';
import type { Certificate } from '../tls/certificate.js';
import { CERTIFICATE, pinOf } from '../tls/tls-material.js';
import { invitationDto, InvitationsDto, MadeInvitationDto, NewInvitationDto } from './invitation.dto.js';
import { makeInvitation } from './make-invitation.js';

@ApiTags('access')
@Controller('api/v1/invitations')
export class InvitationsController {
  constructor(
    @Inject(ACCESS_STORE) private readonly store: AccessStore,
    @Inject(CERTIFICATE) private readonly certificate: Certificate | undefined,
    private readonly audit: Audit,
    @Inject(apiConfig.KEY) private readonly config: ApiConfig,
  ) {}

  @Get()
  @Needs('access:manage')
  @ApiOperation({ summary: 'Invitations: codes that let collectors join' })
  @ApiOkResponse({ type: InvitationsDto })
  @ApiProblems(NO_PARAMETERS)
  async list(@Query() _query: NoQuery): Promise<InvitationsDto> {
    const now = Date.now();
    return { invitations: (await this.store.invitations.all()).map((one) => invitationDto(one, now)) };
  }

  @Post()
  @Needs('access:manage')
  @ApiOperation({
    summary: 'Invite: make a code that lets collectors join',
    description: 'The answer has the code, this once, and the line to run on the PC that is to join.',
  })
  @ApiCreatedResponse({ type: MadeInvitationDto })
  @ApiProblems({ 400: 'uses must be an integer from 1 to 10000, got 0', ...BAD_BODY })
  async invite(
    @Body() { uses, expires_in, tags, url }: NewInvitationDto,
    @Query() _query: NoQuery,
    @Req() request: FastifyRequest,
  ): Promise<MadeInvitationDto> {
    const wish = {
      uses,
      tags,
      lifetime: expires_in === undefined ? undefined : parseSpan(expires_in),
      url: url ?? reachableUrl(`${this.certificate ? 'https' : request.protocol}://${request.headers.host}`),
      fingerprint: this.certificate?.fingerprint,
      pin: this.certificate && pinOf(this.certificate, this.config),
    };
    const { stored, code, command } = await makeInvitation(this.store, wish, request.caller.name, Date.now());
    const details = { uses: String(stored.maxUses), until: new Date(stored.expiresAt).toISOString() };
    await this.audit.note(request, { action: 'invitation.create', target: stored.id, details });
    return { ...invitationDto(stored, Date.now()), code, command };
  }

  @Delete(':id')
  @HttpCode(204)
  @Needs('access:manage')
  @ApiOperation({ summary: 'Revoke an invitation; who has joined with it stays' })
  @ApiParam({ name: 'id', example: '5f0c2d1a9b3e' })
  @ApiNoContentResponse({ description: 'Nobody joins with it any more.' })
  @ApiProblems({ ...NO_PARAMETERS, 'unknown-invitation': 'There is no invitation "5f0c2d1a9b3e".' })
  async revoke(@Param('id') id: string, @Query() _query: NoQuery, @Req() request: FastifyRequest): Promise<void> {
    if (!(await this.store.invitations.revoke(id, Date.now()))) {
      throw new Problem('unknown-invitation', `There is no invitation ${quote(id)}.`);
    }
    await this.audit.note(request, { action: 'invitation.revoke', target: id });
  }
}
