import { quote } from '@device-metrics/contract';
import type { AccessStore, Store, StoredToken } from '@device-metrics/storage';
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
import { noDevice } from '../../http/no-device.js';
import { NO_PARAMETERS, NoQuery } from '../../http/no-query.js';
import { ApiProblems, BAD_BODY } from '../../http/openapi.js';
import { invalidInput, Problem } from '../../http/problem.js';
import { SAMPLE_STORE } from '../../sample-store.token.js';
import { ACCESS_STORE } from '../access-store.js';
import { Audit } from '../audit/audit.js';
import { Authenticate } from '../authenticate.js';
import { Needs } from '../needs.js';
import { parseSpan } from '../rules.js';
import { makeToken } from '../tokens/make-token.js';
import { tokenDto } from '../tokens/token.dto.js';
import { MadeShareDto, NewShareDto, ShareDto, SharesDto } from './share.dto.js';

/** Links that show some devices to whoever has them. */
@ApiTags('access')
@Controller('api/v1/shares')
export class SharesController {
  constructor(
    @Inject(ACCESS_STORE) private readonly store: AccessStore,
    @Inject(SAMPLE_STORE) private readonly samples: Store,
    private readonly audit: Audit,
    private readonly authenticate: Authenticate,
  ) {}

  @Get()
  @Needs('shares:write')
  @ApiOperation({ summary: 'Links that were shared' })
  @ApiOkResponse({ type: SharesDto })
  @ApiProblems(NO_PARAMETERS)
  async list(@Query() _query: NoQuery, @Req() request: FastifyRequest): Promise<SharesDto> {
    return { shares: (await this.own(request)).map((share) => shareDto(share)) };
  }

  @Post()
  @Needs('shares:write')
  @ApiOperation({
    summary: 'Share: make a link that shows a page, and some devices, to whoever has it',
    description: 'It reads and changes nothing. Who sees some devices only shares no others.',
  })
  @ApiCreatedResponse({ type: MadeShareDto })
  @ApiProblems({
    400: 'page must be a path of this server, as in /devices/lab-pc-1, got "https://example.org"',
    404: 'There is no device "lab-pc-9"; GET /api/v1/devices names those that there are.',
    ...BAD_BODY,
  })
  async make(
    @Body() { name, page, devices, tags, expires_in = '30d' }: NewShareDto,
    @Query() _query: NoQuery,
    @Req() request: FastifyRequest,
  ): Promise<MadeShareDto> {
    const { caller } = request;
    if (devices === undefined && tags === undefined) {
      throw invalidInput([{ field: 'devices', reason: 'or tags must be given: a link does not show everything' }]);
    }
    if (caller.isLimited) {
      // A pattern may come to mean devices that its maker does not see: these are shared by name.
      if (devices === undefined) throw invalidInput([{ field: 'devices', reason: 'must be given, by name' }]);
      for (const device of devices) if (!(await this.samples.device(device))) throw noDevice(device);
    }
    const wish = { kind: 'share', name, page, devices, tags, lifetime: parseSpan(expires_in) } as const;
    const { stored, token } = await makeToken(this.store, wish, caller.name, Date.now());
    await this.audit.note(request, { action: 'share.create', target: name, details: { id: stored.id } });
    return { ...shareDto(stored), url: `/share#${token}` };
  }

  @Delete(':id')
  @HttpCode(204)
  @Needs('shares:write')
  @ApiOperation({ summary: 'Let a link show nothing any more' })
  @ApiParam({ name: 'id', example: '5f0c2d1a9b3e' })
  @ApiNoContentResponse({ description: 'It shows nothing any more.' })
  @ApiProblems({ ...NO_PARAMETERS, 'unknown-token': 'There is no share "5f0c2d1a9b3e".' })
  async revoke(@Param('id') id: string, @Query() _query: NoQuery, @Req() request: FastifyRequest): Promise<void> {
    const share = (await this.own(request)).find((one) => one.id === id);
    if (!share || !(await this.store.tokens.revoke(id, Date.now()))) {
      throw new Problem('unknown-token', `There is no share ${quote(id)}.`);
    }
    this.authenticate.forget();
    await this.audit.note(request, { action: 'share.revoke', target: share.name, details: { id } });
  }

  /** All shares, for who manages access; for others those that they made. */
  private async own({ caller }: FastifyRequest): Promise<StoredToken[]> {
    const shares = (await this.store.tokens.all()).filter(({ kind }) => kind === 'share');
    return caller.rights.has('access:manage') ? shares : shares.filter(({ createdBy }) => createdBy === caller.name);
  }
}

const shareDto = (share: StoredToken): ShareDto => ({ ...tokenDto(share, Date.now()), page: share.page ?? '/' });
