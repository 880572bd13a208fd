import { quote } from '@device-metrics/contract';
import type { AccessStore, StoredToken } from '@device-metrics/storage';
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
import { assertAsRead, changed, HeedsTag, isConditional } from '../../http/entity-tag.js';
import { NO_PARAMETERS, NoQuery } from '../../http/no-query.js';
import { ApiProblems, BAD_BODY } from '../../http/openapi.js';
import { Problem } from '../../http/problem.js';
import { ACCESS_STORE } from '../access-store.js';
import { Audit } from '../audit/audit.js';
import { Authenticate } from '../authenticate.js';
import { Needs } from '../needs.js';
import { parseSpan } from '../rules.js';
import { makeToken, rotateToken, type MadeToken } from './make-token.js';
import { MadeTokenDto, NewTokenDto, RotateTokenDto, tokenDto, TokensDto, tokenTag } from './token.dto.js';

const NO_TOKEN = { 'unknown-token': 'There is no token "5f0c2d1a9b3e" that works.' };

@ApiTags('access')
@Controller('api/v1/tokens')
export class TokensController {
  constructor(
    @Inject(ACCESS_STORE) private readonly store: AccessStore,
    private readonly audit: Audit,
    private readonly authenticate: Authenticate,
  ) {}

  @Get()
  @Needs('access:manage')
  @ApiOperation({ summary: 'Tokens: what each is for, and when it was last used' })
  @ApiOkResponse({ type: TokensDto })
  @ApiProblems(NO_PARAMETERS)
  async list(@Query() _query: NoQuery): Promise<TokensDto> {
    const now = Date.now();
    return { tokens: (await this.store.tokens.all()).map((token) => tokenDto(token, now)) };
  }

  @Post()
  @Needs('access:manage')
  @ApiOperation({
    summary: 'Make a token',
    description: 'The answer has the token itself, this once: only a hash of its secret is kept.',
  })
  @ApiCreatedResponse({ type: MadeTokenDto })
  @ApiProblems({ 400: 'kind must be one of ingest, read, admin, got "write"', ...BAD_BODY })
  async make(
    @Body() wish: NewTokenDto,
    @Query() _query: NoQuery,
    @Req() request: FastifyRequest,
  ): Promise<MadeTokenDto> {
    const { kind, name, devices, tags, expires_in } = wish;
    const lifetime = expires_in === undefined ? undefined : parseSpan(expires_in);
    const made = await makeToken(this.store, { kind, name, devices, tags, lifetime }, request.caller.name, Date.now());
    await this.audit.note(request, { action: 'token.create', target: name, details: { id: made.stored.id, kind } });
    return madeTokenDto(made);
  }

  @Post(':id/rotate')
  @HttpCode(200)
  @Needs('access:manage')
  @HeedsTag()
  @ApiOperation({
    summary: 'Give a token another secret',
    description: 'The one before works for `overlap` more, so that nobody who sends is turned away meanwhile.',
  })
  @ApiParam({ name: 'id', example: '5f0c2d1a9b3e' })
  @ApiOkResponse({ type: MadeTokenDto })
  @ApiProblems({ 400: 'overlap must be a duration of at most 365d, as in 1h, got "long"', ...NO_TOKEN, ...BAD_BODY })
  async rotate(
    @Param('id') id: string,
    @Body() { overlap = '1h' }: RotateTokenDto,
    @Query() _query: NoQuery,
    @Req() request: FastifyRequest,
  ): Promise<MadeTokenDto> {
    const before = await this.findAsRead(id, request);
    const rotatedBefore = isConditional(request) ? before.rotatedAt : undefined;
    const made = await rotateToken(this.store, id, parseSpan(overlap) ?? 0, Date.now(), rotatedBefore);
    if (!made) throw rotatedBefore === undefined ? noToken(id) : changed();
    this.authenticate.forget();
    await this.audit.note(request, { action: 'token.rotate', target: made.stored.name, details: { id, overlap } });
    return madeTokenDto(made);
  }

  @Delete(':id')
  @HttpCode(204)
  @Needs('access:manage')
  @HeedsTag()
  @ApiOperation({ summary: 'Revoke a token, at once and for good' })
  @ApiParam({ name: 'id', example: '5f0c2d1a9b3e' })
  @ApiNoContentResponse({ description: 'Nothing gets in with it any more.' })
  @ApiProblems({ ...NO_PARAMETERS, ...NO_TOKEN })
  async revoke(@Param('id') id: string, @Query() _query: NoQuery, @Req() request: FastifyRequest): Promise<void> {
    const { name: target } = await this.findAsRead(id, request);
    if (!(await this.store.tokens.revoke(id, Date.now()))) throw noToken(id);
    this.authenticate.forget();
    await this.audit.note(request, { action: 'token.revoke', target, details: { id } });
  }

  private async findAsRead(id: string, request: FastifyRequest): Promise<StoredToken> {
    const token = await this.store.tokens.find(id);
    if (!token || token.revokedAt !== null) throw noToken(id);
    assertAsRead(request, tokenTag(token));
    return token;
  }
}

const noToken = (id: string): Problem => new Problem('unknown-token', `There is no token ${quote(id)} that works.`);

const madeTokenDto = ({ stored, token }: MadeToken): MadeTokenDto => ({ ...tokenDto(stored, Date.now()), token });
