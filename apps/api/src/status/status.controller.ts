import { Body, Controller, Delete, Get, Headers, HttpCode, Inject, Param, Post, Put, Query, Req } from '@nestjs/common';
import {
  ApiCreatedResponse,
  ApiHeader,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiParam,
  ApiTags,
} from '@device-metrics/contract/openapi';
import { quote } from '@device-metrics/domain';
import type { Store } from '@device-metrics/storage';
import type { FastifyRequest } from 'fastify';
import { Attempts } from '../access/attempts.js';
import { Needs } from '../access/needs.js';
import { networkOf } from '../access/network-of.js';
import { assertWholeSite } from '../access/whole-site.js';
import { NO_PARAMETERS, NoQuery } from '../http/no-query.js';
import { ApiProblems, BAD_BODY } from '../http/openapi.js';
import { Problem } from '../http/problem.js';
import { SAMPLE_STORE } from '../sample-store.token.js';
import { StatusPage } from './status-page.js';
import {
  IncidentChangeDto,
  IncidentDto,
  IncidentsDto,
  StatusPasswordDto,
  PublicStatusDto,
  StatusPageDto,
  StatusPassDto,
} from './status.dto.js';

const NO_PAGE = 'There is no status page.';
const LOCKED = 'This page needs its password: POST /api/v1/status/pass gives a pass for the header x-status-pass.';
const NO_INCIDENT = { 'unknown-incident': 'There is no incident "kVn0".' };
const ID = { name: 'id', example: 'kVn0qZ3rQ1' };
/** Guesses of the password by one address in ten minutes. */
const MOST_GUESSES = 10;
const GUESSES_TIME = 10 * 60_000;

/** The status page: everybody may read what an editor has chosen for it. */
@ApiTags('status')
@Controller('api/v1/status')
export class StatusController {
  private readonly guesses = new Attempts(MOST_GUESSES, GUESSES_TIME, () => this.store.processes);

  constructor(
    @Inject(StatusPage) private readonly page: StatusPage,
    @Inject(SAMPLE_STORE) private readonly store: Store,
  ) {}

  @Get()
  @Needs('open')
  @ApiOperation({
    summary: 'Status page: how the chosen devices are, their last 90 days, and incidents',
    description: 'For everybody, where an editor has made a page. It has no tags, and names only as they were chosen.',
  })
  @ApiHeader({
    name: 'x-status-pass',
    required: false,
    description: 'Of a page with a password.',
    example: '1768471200000.kVn0…',
  })
  @ApiOkResponse({ type: PublicStatusDto })
  @ApiProblems({ ...NO_PARAMETERS, 'unknown-address': NO_PAGE, 'password-needed': LOCKED })
  async read(@Headers('x-status-pass') pass: string | undefined, @Query() _query: NoQuery): Promise<PublicStatusDto> {
    const answer = await this.page.read(pass);
    if (answer === undefined) throw new Problem('unknown-address', NO_PAGE);
    if (answer === 'locked') throw new Problem('password-needed', LOCKED);
    return answer;
  }

  @Post('pass')
  @HttpCode(200)
  @Needs('open')
  @ApiOperation({ summary: 'A pass for a status page with a password' })
  @ApiOkResponse({ type: StatusPassDto })
  @ApiProblems({
    ...BAD_BODY,
    400: 'password must be a text of 1 to 200 characters, got 7',
    'password-needed': 'This is not the password.',
    'too-many-attempts': 'Too many attempts; try again in 9m.',
  })
  async pass(
    @Body() { password }: StatusPasswordDto,
    @Query() _query: NoQuery,
    @Req() request: FastifyRequest,
  ): Promise<StatusPassDto> {
    const from = networkOf(request.ip);
    this.guesses.assertLeft(from);
    this.guesses.count(from);
    const pass = await this.page.passFor(password);
    if (pass === undefined) throw new Problem('password-needed', 'This is not the password.');
    this.guesses.clear(from);
    return { pass };
  }

  @Get('page')
  @Needs('alerts:write')
  @ApiOperation({ summary: 'How the status page is set up' })
  @ApiOkResponse({ type: StatusPageDto })
  @ApiProblems(NO_PARAMETERS)
  settings(@Query() _query: NoQuery): Promise<StatusPageDto> {
    assertWholeSite('The status page and its incidents');
    return this.page.settings();
  }

  @Put('page')
  @Needs('alerts:write')
  @ApiOperation({ summary: 'Set up the status page' })
  @ApiOkResponse({ type: StatusPageDto })
  @ApiProblems({ ...BAD_BODY, 400: 'tags must be a list of at most 32 tags such as "room=lab", got "lab"' })
  set(@Body() page: StatusPageDto, @Query() _query: NoQuery): Promise<StatusPageDto> {
    assertWholeSite('The status page and its incidents');
    return this.page.set(page);
  }

  @Get('incidents')
  @Needs('alerts:write')
  @ApiOperation({ summary: 'All incidents' })
  @ApiOkResponse({ type: IncidentsDto })
  @ApiProblems(NO_PARAMETERS)
  async incidents(@Query() _query: NoQuery): Promise<IncidentsDto> {
    assertWholeSite('The status page and its incidents');
    return { incidents: await this.page.incidents() };
  }

  @Post('incidents')
  @HttpCode(201)
  @Needs('alerts:write')
  @ApiOperation({ summary: 'Write an incident' })
  @ApiCreatedResponse({ type: IncidentDto })
  @ApiProblems({ ...BAD_BODY, 400: 'title must be a text of 1 to 200 characters, got 7' })
  async add(@Body() incident: IncidentChangeDto, @Query() _query: NoQuery): Promise<IncidentDto> {
    assertWholeSite('The status page and its incidents');
    return (await this.page.put(incident)) as IncidentDto;
  }

  @Put('incidents/:id')
  @Needs('alerts:write')
  @ApiOperation({ summary: 'Write what is new of an incident, or correct it' })
  @ApiParam(ID)
  @ApiOkResponse({ type: IncidentDto })
  @ApiProblems({ ...BAD_BODY, ...NO_INCIDENT, 400: 'title must be a text of 1 to 200 characters, got 7' })
  async change(
    @Param('id') id: string,
    @Body() change: IncidentChangeDto,
    @Query() _query: NoQuery,
  ): Promise<IncidentDto> {
    assertWholeSite('The status page and its incidents');
    const changed = await this.page.put(change, id);
    if (!changed) throw noIncident(id);
    return changed;
  }

  @Delete('incidents/:id')
  @HttpCode(204)
  @Needs('alerts:write')
  @ApiOperation({ summary: 'Delete an incident' })
  @ApiParam(ID)
  @ApiNoContentResponse({ description: 'It is gone.' })
  @ApiProblems({ ...NO_PARAMETERS, ...NO_INCIDENT })
  async remove(@Param('id') id: string, @Query() _query: NoQuery): Promise<void> {
    assertWholeSite('The status page and its incidents');
    if (!(await this.page.remove(id))) throw noIncident(id);
  }
}

const noIncident = (id: string): Problem => new Problem('unknown-incident', `There is no incident ${quote(id)}.`);
