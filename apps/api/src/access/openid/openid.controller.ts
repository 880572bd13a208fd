import { reasonOf } from '@device-metrics/domain';
import type { AccessStore, Store } from '@device-metrics/storage';
import { Controller, Get, Inject, Logger, Query, Req, Res } from '@nestjs/common';
import { ApiExcludeEndpoint, ApiFoundResponse, ApiOperation, ApiTags } from '@device-metrics/contract/openapi';
import { parseCookie, stringifySetCookie } from 'cookie';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ApiProblems } from '../../http/openapi.js';
import { Problem } from '../../http/problem.js';
import { apiConfig, type ApiConfig } from '../../settings.js';
import { SAMPLE_STORE } from '../../sample-store.token.js';
import { ACCESS_STORE } from '../access-store.js';
import { Attempts } from '../attempts.js';
import { Audit } from '../audit/audit.js';
import { Authenticate } from '../authenticate.js';
import { Needs } from '../needs.js';
import { networkOf } from '../network-of.js';
import { SecretBox } from '../sessions/secret-box.js';
import { SignIn } from '../sessions/sign-in.js';
import { BeginQuery } from './begin-query.dto.js';
import { OpenIdProvider, type Identity, type Journey } from './openid-provider.js';
import { roleOfGroups, userOf } from './openid-user.js';

const CALLBACK = '/api/v1/session/openid/callback';
/** How long somebody may take at the provider, seconds. */
const JOURNEY_TIME = 600;
/** How long an address it may carry along, characters. */
const MOST_CARRIED = 1_500;
/** How long a session lasts, ms: what the provider says of groups counts from the next sign-in. */
const LIFETIME = 86_400_000;

/** What the browser carries along while it is at the provider, sealed. */
interface Carried extends Journey {
  readonly page: string;
  readonly until: number;
}

/** Why somebody did not get in; the page has the words. */
type Failure = 'refused' | 'not-allowed' | 'late' | 'unreachable';

/** Signs people in by an OpenID provider: authorization code with PKCE. */
@ApiTags('access')
@Controller('api/v1/session/openid')
export class OpenIdController {
  private readonly logger = new Logger('openid');
  /** What came back and was no answer of the provider, by address: each is asked of the provider, and stands in the audit. */
  private readonly attempts = new Attempts(20, 900_000, () => this.samples.processes);

  constructor(
    @Inject(ACCESS_STORE) private readonly store: AccessStore,
    @Inject(apiConfig.KEY) private readonly config: ApiConfig,
    private readonly provider: OpenIdProvider,
    private readonly signIn: SignIn,
    private readonly authenticate: Authenticate,
    private readonly audit: Audit,
    @Inject(SAMPLE_STORE) private readonly samples: Pick<Store, 'processes'>,
  ) {}

  @Get()
  @Needs('open')
  @ApiOperation({
    summary: 'Sign in by the OpenID provider',
    description: 'For browsers: leads to the provider, and from there to `page`, signed in.',
  })
  @ApiFoundResponse({ description: 'To the provider.' })
  @ApiProblems({ 400: 'page must be a path of this server, as in /devices/lab-pc-1, got "https://example.org"' })
  async begin(
    @Query() { page: wanted = '/' }: BeginQuery,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    if (this.provider.displayName === undefined) {
      throw new Problem('unknown-address', 'This server has no OpenID provider: OIDC_ISSUER names one.');
    }
    // A browser keeps no longer cookie.
    const page = wanted.length <= MOST_CARRIED ? wanted : '/';
    // The guard has seen that Host is a name of this server.
    const redirectUri = `${request.protocol}://${request.headers.host}${CALLBACK}`;
    try {
      const { url, journey } = await this.provider.begin(redirectUri);
      const carried: Carried = { ...journey, page, until: Date.now() + JOURNEY_TIME * 1_000 };
      this.carry(request, reply, this.box.seal(JSON.stringify(carried)), JOURNEY_TIME);
      await reply.redirect(url.href, 302);
    } catch (error) {
      this.logger.error(`The provider ${this.config.openId.issuer} cannot be used: ${reasonOf(error)}`);
      await this.fail(reply, page, 'unreachable');
    }
  }

  @Get('callback')
  @Needs('open')
  @ApiExcludeEndpoint()
  async comeBack(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const carried = this.carriedOf(request);
    this.carry(request, reply, '', 0);
    if (!carried) return this.fail(reply, '/', 'late');
    const from = networkOf(request.ip);
    this.attempts.assertLeft(from);
    this.attempts.count(from);
    let identity: Identity;
    try {
      identity = await this.provider.end(new URL(request.url, carried.redirectUri).search, carried);
    } catch (error) {
      this.logger.warn(`A sign-in by ${this.config.openId.issuer} failed: ${reasonOf(error)}`);
      await this.audit.note(request, { action: 'session.sign-in', success: false, details: { by: 'openid' } });
      return this.fail(reply, carried.page, 'refused');
    }
    this.attempts.giveBack(from);
    const role = roleOfGroups(identity.groups, this.config.openId.roles);
    const user = role && (await userOf(this.store, identity, role));
    if (!user) return this.turnAway(request, reply, carried.page, identity);
    this.authenticate.forget();
    await this.signIn.start(request, reply, user, LIFETIME);
    await reply.redirect(carried.page, 302);
  }

  /** Who may come no more is signed out everywhere. */
  private async turnAway(
    request: FastifyRequest,
    reply: FastifyReply,
    page: string,
    { subject, name }: Identity,
  ): Promise<void> {
    const known = await this.store.users.findBySubject(subject);
    if (known) await this.store.sessions.deleteOfUser(known.id);
    this.authenticate.forget();
    const details = { by: 'openid', reason: 'no group of theirs has a role' };
    await this.audit.note(request, { action: 'session.sign-in', target: name, success: false, details });
    return this.fail(reply, page, 'not-allowed');
  }

  private async fail(reply: FastifyReply, page: string, failure: Failure): Promise<void> {
    const address = new URL(page, 'http://server');
    address.searchParams.set('openid-problem', failure);
    await reply.redirect(address.pathname + address.search, 302);
  }

  /** Undefined where nothing, something else, or something too old comes along. */
  private carriedOf(request: FastifyRequest): Carried | undefined {
    const sealed = parseCookie(request.headers.cookie ?? '')[cookieName(request)];
    const text = sealed === undefined ? undefined : this.box.open(sealed);
    const carried = text === undefined ? undefined : (JSON.parse(text) as Carried);
    return carried && carried.until > Date.now() ? carried : undefined;
  }

  /** The way back is one from another site: SameSite=Strict would lose the cookie. */
  private carry(request: FastifyRequest, reply: FastifyReply, value: string, maxAge: number): void {
    const secure = request.protocol === 'https';
    const attributes = { httpOnly: true, sameSite: 'lax', secure, path: '/', maxAge } as const;
    void reply.header('set-cookie', stringifySetCookie({ name: cookieName(request), value, ...attributes }));
  }

  private get box(): SecretBox {
    return SecretBox.beside(this.config.databasePath);
  }
}

const cookieName = ({ protocol }: FastifyRequest): string =>
  protocol === 'https' ? '__Host-device-metrics-openid' : 'device-metrics-openid';
