import { Inject, Injectable } from '@nestjs/common';
import type { AccessStore, Store, StoredToken, StoredUser } from '@device-metrics/storage';
import { stringifySetCookie } from 'cookie';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Problem } from '../../http/problem.js';
import { SAMPLE_STORE } from '../../sample-store.token.js';
import { ACCESS_STORE } from '../access-store.js';
import { Attempts } from '../attempts.js';
import { Audit } from '../audit/audit.js';
import { callerOfToken, callerOfUser, type Caller } from '../caller.js';
import { networkOf } from '../network-of.js';
import { hashOf, newSecret } from '../token.js';
import { cookieName } from './cookie.js';
import { isPassword } from './password.js';
import { OneTimePasswords } from './totp.js';

const MINUTES_15 = 900_000;
/** How long a session lasts, ms. */
const LIFETIME = 14 * 86_400_000;

/** Lets people in, and remembers them by a cookie. */
@Injectable()
export class SignIn {
  /** Failures of a name from one address, of an address, and of a name from anywhere. */
  private readonly ofBoth: Attempts;
  private readonly ofAddress: Attempts;
  private readonly ofName: Attempts;

  constructor(
    @Inject(ACCESS_STORE) private readonly store: AccessStore,
    private readonly totp: OneTimePasswords,
    private readonly audit: Audit,
    @Inject(SAMPLE_STORE) samples: Pick<Store, 'processes'>,
  ) {
    const processes = (): number => samples.processes;
    this.ofBoth = new Attempts(5, MINUTES_15, processes);
    this.ofAddress = new Attempts(20, MINUTES_15, processes);
    this.ofName = new Attempts(100, MINUTES_15, processes);
  }

  /** @throws Problem where name and password, or the one-time password, are not right. */
  async withPassword(request: FastifyRequest, name: string, password: string, code?: string): Promise<StoredUser> {
    const from = networkOf(request.ip);
    const key = name.toLowerCase();
    const tries = [
      [this.ofBoth, `${from} ${key}`],
      [this.ofAddress, from],
      [this.ofName, key],
    ] as const;
    for (const [attempts, who] of tries) attempts.assertLeft(who);
    for (const [attempts, who] of tries) attempts.count(who);
    const giveBack = (): void => tries.forEach(([attempts, who]) => attempts.giveBack(who));
    const user = await this.store.users.findByName(name);
    const isRight = await isPassword(password, user?.passwordHash);
    if (isRight && user && user.totp !== null && code === undefined) {
      giveBack();
      throw new Problem('not-signed-in', 'The one-time password of the app is needed too.', {
        extensions: { totp_required: true },
      });
    }
    if (isRight && user && (user.totp === null || (await this.totp.isRight(user, code ?? '', Date.now())))) {
      giveBack();
      this.ofBoth.clear(`${from} ${key}`);
      return user;
    }
    // What was typed as a name may be a password.
    const actor = user ? `user ${user.name}` : 'nobody';
    await this.audit.note(request, { action: 'session.sign-in', target: user?.name ?? '', success: false, actor });
    throw new Problem('not-signed-in', 'The name, the password or the one-time password is not right.');
  }

  /** Asks for the password of somebody who has signed in. @throws Problem where it is not right. */
  async confirm({ ip }: FastifyRequest, user: StoredUser, password: string): Promise<void> {
    const key = `${networkOf(ip)} ${user.name.toLowerCase()}`;
    this.ofBoth.assertLeft(key);
    this.ofBoth.count(key);
    if (await isPassword(password, user.passwordHash)) return this.ofBoth.giveBack(key);
    throw new Problem('not-allowed', 'The password is not right.');
  }

  /** Makes a session of a user, or of a token in place of one, and gives its cookie to the browser. */
  async start(
    request: FastifyRequest,
    reply: FastifyReply,
    who: StoredUser | Caller,
    lifetime = LIFETIME,
  ): Promise<Caller> {
    const secret = newSecret();
    const now = Date.now();
    const isUser = 'role' in who && 'passwordHash' in who;
    const token = isUser ? undefined : who.of.token;
    const id = hashOf(secret);
    await this.store.sessions.deleteExpired(now);
    await this.store.sessions.add({
      id,
      userId: isUser ? who.id : null,
      tokenId: token?.id ?? null,
      createdAt: now,
      seenAt: now,
      expiresAt: Math.min(now + lifetime, token?.expiresAt ?? Infinity, endOfPrevious(token, now)),
      address: request.ip,
    });
    this.setCookie(request, reply, secret, lifetime / 1_000);
    const caller = isUser ? callerOfUser(who, id) : token ? callerOfToken(token, id) : who;
    if (isUser) await this.store.users.change(who.id, { lastSignInAt: now });
    await this.audit.note(request, { action: 'session.sign-in', actor: caller.name });
    return caller;
  }

  async end(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const { sessionId } = request.caller.of;
    if (sessionId !== undefined) {
      await this.store.sessions.delete(sessionId);
      await this.audit.note(request, { action: 'session.sign-out' });
    }
    this.setCookie(request, reply, '', 0);
  }

  private setCookie(request: FastifyRequest, reply: FastifyReply, value: string, maxAge: number): void {
    const secure = request.protocol === 'https';
    const attributes = { httpOnly: true, sameSite: 'strict', secure, path: '/', maxAge } as const;
    void reply.header('set-cookie', stringifySetCookie({ name: cookieName(secure), value, ...attributes }));
  }
}

/** While both secrets of a token that was rotated work, either may be what somebody signs in by. */
const endOfPrevious = (token: StoredToken | undefined, now: number): number => {
  const until = token?.previousUntil ?? 0;
  return until > now ? until : Infinity;
};
