import { quote } from '@device-metrics/contract';
import type { AccessStore, StoredUser, UserChange } from '@device-metrics/storage';
import { Body, Controller, Delete, Get, HttpCode, Inject, Param, Patch, Post, Query, Req } from '@nestjs/common';
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
import { hashPassword } from '../sessions/password.js';
import { newUser } from './new-user.js';
import { NewUserDto, UserChangeDto, userDto, UserDto, UsersDto, userTag } from './user.dto.js';

const NAME = { name: 'name', example: 'anna' };
const NO_USER = { 'unknown-user': 'There is no user "anna".' };
const LAST = { 'last-admin': 'anna is the last admin, and somebody has to be one.' };

@ApiTags('access')
@Controller('api/v1/users')
export class UsersController {
  constructor(
    @Inject(ACCESS_STORE) private readonly store: AccessStore,
    private readonly audit: Audit,
    private readonly authenticate: Authenticate,
  ) {}

  @Get()
  @Needs('access:manage')
  @ApiOperation({ summary: 'Users' })
  @ApiOkResponse({ type: UsersDto })
  @ApiProblems(NO_PARAMETERS)
  async list(@Query() _query: NoQuery): Promise<UsersDto> {
    return { users: (await this.store.users.all()).map(userDto) };
  }

  @Post()
  @Needs('access:manage')
  @ApiOperation({
    summary: 'Make a user',
    description: 'The first is an admin, whatever is asked for; with it everybody has to sign in.',
  })
  @ApiCreatedResponse({ type: UserDto })
  @ApiProblems({
    400: 'role must be one of viewer, editor, admin, got "boss"',
    'name-taken': 'There is a user "anna" already.',
    ...BAD_BODY,
  })
  async make(
    @Body() { name, role, tags = null, password }: NewUserDto,
    @Query() _query: NoQuery,
    @Req() request: FastifyRequest,
  ): Promise<UserDto> {
    const first = newUser({ name, role: 'admin', passwordHash: await hashPassword(password) }, request.caller.name);
    const user = { ...first, role, tags };
    const isFirst = await this.store.users.addFirst(first);
    if (!isFirst && !(await this.store.users.add(user))) {
      throw new Problem('name-taken', `There is a user ${quote(name)} already.`);
    }
    this.authenticate.forget();
    const made = isFirst ? first : user;
    await this.audit.note(request, { action: 'user.create', target: name, details: { role: made.role } });
    return userDto(made);
  }

  @Patch(':name')
  @Needs('access:manage')
  @HeedsTag()
  @ApiOperation({ summary: 'Change the role, the tags or the password of a user' })
  @ApiParam(NAME)
  @ApiOkResponse({ type: UserDto })
  @ApiProblems({ 400: 'role must be one of viewer, editor, admin, got "boss"', ...NO_USER, ...LAST, ...BAD_BODY })
  async change(
    @Param('name') name: string,
    @Body() { role, tags, password, totp }: UserChangeDto,
    @Query() _query: NoQuery,
    @Req() request: FastifyRequest,
  ): Promise<UserDto> {
    const change: UserChange = {
      ...(role !== undefined && { role }),
      ...(tags !== undefined && { tags }),
      ...(password !== undefined && { passwordHash: await hashPassword(password) }),
      ...(totp === false && { totp: null }),
    };
    const user = await this.findAsRead(name, request);
    const as = isConditional(request) ? user : undefined;
    const isLess = (role ?? 'admin') !== 'admin' || Object.keys(tags ?? {}).length > 0;
    if (Object.keys(change).length > 0) {
      const isDone = isLess
        ? await this.store.users.changeUnlessLastAdmin(user.id, change, as)
        : await this.store.users.change(user.id, change, as);
      if (!isDone) await this.refuse(user, as);
    }
    if (password !== undefined) await this.store.sessions.deleteOfUser(user.id);
    this.authenticate.forget();
    await this.audit.note(request, {
      action: 'user.change',
      target: user.name,
      details: { changed: Object.keys(change).join(', '), ...(role !== undefined && { role }) },
    });
    return userDto(await this.find(name));
  }

  @Delete(':name')
  @HttpCode(204)
  @Needs('access:manage')
  @HeedsTag()
  @ApiOperation({ summary: 'Delete a user, whose sessions and shared links end' })
  @ApiParam(NAME)
  @ApiNoContentResponse({ description: 'There is no such user any more.' })
  @ApiProblems({ ...NO_PARAMETERS, ...NO_USER, ...LAST })
  async delete(@Param('name') name: string, @Query() _query: NoQuery, @Req() request: FastifyRequest): Promise<void> {
    const user = await this.findAsRead(name, request);
    const as = isConditional(request) ? user : undefined;
    if (!(await this.store.users.changeUnlessLastAdmin(user.id, undefined, as))) await this.refuse(user, as);
    await this.store.sessions.deleteOfUser(user.id);
    await this.store.tokens.revokeSharesBy(`user ${user.name}`, Date.now());
    this.authenticate.forget();
    await this.audit.note(request, { action: 'user.delete', target: user.name });
  }

  private async findAsRead(name: string, request: FastifyRequest): Promise<StoredUser> {
    const user = await this.find(name);
    assertAsRead(request, userTag(user));
    return user;
  }

  /** Says why a change of a user did nothing. */
  private async refuse(user: StoredUser, as: StoredUser | undefined): Promise<never> {
    const now = await this.store.users.find(user.id);
    throw as && (!now || userTag(now) !== userTag(as)) ? changed() : lastAdmin(user);
  }

  private async find(name: string): Promise<StoredUser> {
    const user = await this.store.users.findByName(name);
    if (!user) throw new Problem('unknown-user', `There is no user ${quote(name)}.`);
    return user;
  }
}

const lastAdmin = ({ name }: StoredUser): Problem =>
  new Problem('last-admin', `${name} is the last admin, and somebody has to be one.`);
