import type { AccessStore, Store, StoredUser } from '@device-metrics/storage';
import { Body, Controller, Delete, Get, HttpCode, Inject, Post, Put, Query, Req, Res } from '@nestjs/common';
import {
  ApiCreatedResponse,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiTags,
} from '@device-metrics/contract/openapi';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { timeText } from '../time-text.js';
import { NO_PARAMETERS, NoQuery } from '../../http/no-query.js';
import { ApiProblems, BAD_BODY } from '../../http/openapi.js';
import { invalidInput, Problem } from '../../http/problem.js';
import { SAMPLE_STORE } from '../../sample-store.token.js';
import { ACCESS_STORE } from '../access-store.js';
import { Attempts } from '../attempts.js';
import { Audit } from '../audit/audit.js';
import { Authenticate } from '../authenticate.js';
import type { Caller } from '../caller.js';
import { Needs } from '../needs.js';
import { networkOf } from '../network-of.js';
import { OpenIdProvider } from '../openid/openid-provider.js';
import { FirstAdminCode } from './first-admin.js';
import { hashPassword } from './password.js';
import {
  FirstAdminDto,
  PasswordChangeDto,
  PasswordDto,
  SessionDto,
  SignInDto,
  TotpCodeDto,
  TotpOfferDto,
} from './session.dto.js';
import { SignIn } from './sign-in.js';
import { newUser } from '../users/new-user.js';
import { OneTimePasswords } from './totp.js';

const WRONG = {
  401: 'The name, the password or the one-time password is not right.',
  'too-many-attempts': 'Too many attempts; try again in 15 min.',
};

@ApiTags('access')
@Controller('api/v1/session')
export class SessionController {
  /** To make the first admin, by address. */
  private readonly attempts = new Attempts(20, 900_000, () => this.samples.processes);

  constructor(
    @Inject(ACCESS_STORE) private readonly store: AccessStore,
    private readonly signIn: SignIn,
    private readonly totp: OneTimePasswords,
    private readonly firstAdmin: FirstAdminCode,
    private readonly authenticate: Authenticate,
    private readonly audit: Audit,
    private readonly provider: OpenIdProvider,
    @Inject(SAMPLE_STORE) private readonly samples: Pick<Store, 'processes'>,
  ) {}

  @Get()
  @Needs('open')
  @ApiOperation({ summary: 'Who asks, what they may do, and whether somebody has to sign in' })
  @ApiOkResponse({ type: SessionDto })
  @ApiProblems(NO_PARAMETERS)
  get(@Query() _query: NoQuery, @Req() request: FastifyRequest): Promise<SessionDto> {
    return this.dto(request.caller);
  }

  @Post()
  @HttpCode(200)
  @Needs('open')
  @ApiOperation({
    summary: 'Sign in, by name and password or by a token',
    description: 'The answer sets a cookie. Where a one-time password is needed too, the problem has `totp_required`.',
  })
  @ApiOkResponse({ type: SessionDto })
  @ApiProblems({ 400: 'password must be given', ...WRONG, ...BAD_BODY })
  async start(
    @Body() { name, password, totp, token }: SignInDto,
    @Query() _query: NoQuery,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<SessionDto> {
    if (token !== undefined) {
      return this.dto(await this.signIn.start(request, reply, await this.authenticate.ofToken(token)));
    }
    if (name === undefined || password === undefined) {
      throw invalidInput([{ field: name === undefined ? 'name' : 'password', reason: 'must be given' }]);
    }
    const user = await this.signIn.withPassword(request, name, password, totp);
    return this.dto(await this.signIn.start(request, reply, user));
  }

  @Delete()
  @HttpCode(204)
  @Needs('open')
  @ApiOperation({ summary: 'Sign out' })
  @ApiNoContentResponse({ description: 'The session is over.' })
  @ApiProblems(NO_PARAMETERS)
  async end(
    @Query() _query: NoQuery,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<void> {
    await this.signIn.end(request, reply);
    this.authenticate.forget();
  }

  @Post('first-admin')
  @Needs('open')
  @ApiOperation({
    summary: 'Make the first user, an admin, and sign in',
    description: 'Once, by the code of the link in the log; on the machine itself without one.',
  })
  @ApiCreatedResponse({ type: SessionDto })
  @ApiProblems({
    400: 'password must be a string of 10 to 200 characters',
    'not-allowed': 'The code of the link in the log is needed, and there must be no user yet.',
    'too-many-attempts': WRONG['too-many-attempts'],
    ...BAD_BODY,
  })
  async makeFirst(
    @Body() { code = '', name, password }: FirstAdminDto,
    @Query() _query: NoQuery,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<SessionDto> {
    const { caller } = request;
    const from = networkOf(request.ip);
    this.attempts.assertLeft(from);
    this.attempts.count(from);
    const refuse = async (): Promise<never> => {
      await this.audit.note(request, { action: 'user.create', success: false });
      throw new Problem('not-allowed', 'The code of the link in the log is needed, and there must be no user yet.');
    };
    // The hash of a password costs much: nobody has it made who may not.
    const mayDo = caller.rights.has('access:manage') || this.firstAdmin.isRight(code);
    if (!mayDo || (await this.store.users.any())) return refuse();
    const user = newUser({ name, role: 'admin', passwordHash: await hashPassword(password) }, caller.name);
    if (!(await this.store.users.addFirst(user))) return refuse();
    this.attempts.giveBack(from);
    this.firstAdmin.use();
    this.authenticate.forget();
    await this.audit.note(request, { action: 'user.create', target: name, details: { role: 'admin' } });
    const made = (await this.store.users.findByName(name)) ?? user;
    return this.dto(await this.signIn.start(request, reply, made));
  }

  @Put('password')
  @HttpCode(204)
  @Needs('signed in')
  @ApiOperation({ summary: 'Change the own password', description: 'All other sessions of the user end.' })
  @ApiNoContentResponse({ description: 'The new one counts.' })
  @ApiProblems({ 400: 'new_password must be a string of 10 to 200 characters', ...BAD_BODY })
  async changePassword(
    @Body() { password, new_password }: PasswordChangeDto,
    @Query() _query: NoQuery,
    @Req() request: FastifyRequest,
  ): Promise<void> {
    const user = userOf(request);
    // Also counts as an attempt: a session that was left open must not become a password.
    await this.signIn.confirm(request, user, password);
    await this.store.users.change(user.id, { passwordHash: await hashPassword(new_password) });
    await this.store.sessions.deleteOfUser(user.id, request.caller.of.sessionId);
    this.authenticate.forget();
    await this.audit.note(request, { action: 'user.password', target: user.name });
  }

  @Post('totp')
  @HttpCode(200)
  @Needs('signed in')
  @ApiOperation({ summary: 'Ask for a secret of one-time passwords; it counts after PUT' })
  @ApiOkResponse({ type: TotpOfferDto })
  @ApiProblems(NO_PARAMETERS)
  async offer(@Query() _query: NoQuery, @Req() request: FastifyRequest): Promise<TotpOfferDto> {
    const user = userOf(request);
    if (user.passwordHash === null) {
      throw new Problem('not-allowed', `${user.name} signs in by OpenID, where one-time passwords are set up.`);
    }
    // A session that was left open must not lock out whose it is.
    if (user.totp !== null) {
      throw new Problem('not-allowed', 'One-time passwords are on: turn them off first, which takes your password.');
    }
    return this.totp.offer(user, Date.now());
  }

  @Put('totp')
  @HttpCode(204)
  @Needs('signed in')
  @ApiOperation({ summary: 'Show that the app has the secret: from then on one-time passwords are asked for' })
  @ApiNoContentResponse({ description: 'It counts.' })
  @ApiProblems({ 400: 'code must be one of the secret that was offered', ...BAD_BODY })
  async confirm(
    @Body() { code }: TotpCodeDto,
    @Query() _query: NoQuery,
    @Req() request: FastifyRequest,
  ): Promise<void> {
    const user = userOf(request);
    if (!(await this.totp.confirm(user, code, Date.now()))) {
      throw invalidInput([{ field: 'code', reason: 'must be one of the secret that was offered' }]);
    }
    this.authenticate.forget();
    await this.audit.note(request, { action: 'user.totp', target: user.name, details: { totp: 'on' } });
  }

  @Delete('totp')
  @HttpCode(204)
  @Needs('signed in')
  @ApiOperation({ summary: 'Ask this user for no one-time passwords any more' })
  @ApiNoContentResponse({ description: 'They are off.' })
  @ApiProblems({ 400: 'password must be a string of at most 200 characters', ...BAD_BODY })
  async withdraw(
    @Body() { password }: PasswordDto,
    @Query() _query: NoQuery,
    @Req() request: FastifyRequest,
  ): Promise<void> {
    const user = userOf(request);
    await this.signIn.confirm(request, user, password);
    await this.store.users.change(user.id, { totp: null });
    this.authenticate.forget();
    await this.audit.note(request, { action: 'user.totp', target: user.name, details: { totp: 'off' } });
  }

  private async dto(caller: Caller): Promise<SessionDto> {
    const any = await this.store.users.any();
    const openid = this.provider.displayName;
    const { kind, role, rights, limits, of } = caller;
    const shown = {
      kind,
      name: of.user?.name ?? of.collector?.deviceName ?? of.token?.name ?? kind,
      role: role ?? null,
      rights: [...rights],
      tags: limits.tags ?? null,
      page: of.token?.page ?? null,
      expires_at: timeText(of.token?.expiresAt ?? null),
    };
    return {
      sign_in: kind === 'nobody' ? 'required' : 'none',
      first_user: !any,
      caller: kind === 'nobody' ? null : shown,
      totp: (of.user?.totp ?? null) !== null,
      has_password: (of.user?.passwordHash ?? null) !== null,
      openid: openid === undefined ? null : { name: openid },
    };
  }
}

function userOf({ caller }: FastifyRequest): StoredUser {
  if (!caller.of.user) throw new Problem('not-allowed', 'This is for users who have signed in.');
  return caller.of.user;
}
