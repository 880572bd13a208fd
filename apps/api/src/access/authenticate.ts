import { Inject, Injectable } from '@nestjs/common';
import type { AccessStore, StoredToken } from '@device-metrics/storage';
import { Problem } from '../http/problem.js';
import { ACCESS_STORE } from './access-store.js';
import { Caller, callerOfCollector, callerOfToken, callerOfUser, LOCAL, NOBODY } from './caller.js';
import { cookieOf } from './sessions/cookie.js';
import { hashOf, parseToken, whyUseless } from './token.js';

/** What a request shows of who sends it. */
export interface Credentials {
  readonly authorization: string | undefined;
  readonly cookie: string | undefined;
  /** Whether it comes from this machine, and not through a proxy. */
  readonly isLocal: boolean;
  /** Whether it came by TLS, as far as the browser. */
  readonly isSecure: boolean;
}

/** How long what the database says of a credential is believed, ms. A change by another process counts within a second. */
const BELIEVED = 900;
/** How often the last use of a credential is written down, ms. */
const USE_EVERY = 60_000;
/** How many credentials are remembered; beyond it all are forgotten. */
const MOST_REMEMBERED = 10_000;

interface Remembered {
  readonly caller: Caller;
  readonly until: number;
}

/** Says who sends a request. */
@Injectable()
export class Authenticate {
  private readonly remembered = new Map<string, Remembered>();
  private readonly usedAt = new Map<string, number>();
  private users: { readonly any: boolean; readonly until: number } | undefined;
  /** How often all was forgotten: what was asked for before may not be so any more. */
  private forgotten = 0;

  constructor(@Inject(ACCESS_STORE) private readonly store: AccessStore) {}

  /**
   * The caller at once where it is known, which nearly every request of a program is.
   *
   * @throws Problem where a credential is shown that does not work.
   */
  caller(credentials: Credentials): Caller | Promise<Caller> {
    return this.known(credentials) ?? this.find(credentials);
  }

  /** The caller where nothing has to be found out. */
  known(credentials: Credentials): Caller | undefined {
    const { authorization, cookie, isLocal } = credentials;
    const now = performance.now();
    if (authorization === undefined && cookie === undefined) {
      return isLocal && this.users && !this.users.any && this.users.until > now ? LOCAL : undefined;
    }
    const known = this.remembered.get(keyOf(credentials));
    return known && known.until > now ? known.caller : undefined;
  }

  /** Forgets what is remembered: something was changed here. */
  forget(): void {
    this.forgotten += 1;
    this.remembered.clear();
    this.users = undefined;
  }

  /** Whether somebody has to sign in. */
  async anyUser(): Promise<boolean> {
    if (this.users && this.users.until > performance.now()) return this.users.any;
    const { forgotten } = this;
    const until = performance.now() + BELIEVED;
    const any = await this.store.users.any();
    if (forgotten === this.forgotten) this.users = { any, until };
    return any;
  }

  private async find(credentials: Credentials): Promise<Caller> {
    const { authorization, cookie, isLocal, isSecure } = credentials;
    const isFree = isLocal && !(await this.anyUser());
    const shown = authorization === undefined ? undefined : tokenIn(authorization);
    if (shown !== undefined) {
      // What is no token of this server may be meant for a proxy before it.
      if (isFree && !shown.startsWith('dm_')) return LOCAL;
      return this.remember(keyOf(credentials), () => this.ofToken(shown));
    }
    const secret = cookieOf(cookie, isSecure);
    const caller =
      secret === undefined ? undefined : await this.remember(keyOf(credentials), () => this.ofSession(secret));
    return caller ?? (isFree ? LOCAL : NOBODY);
  }

  /** Remembers who it is from the moment on at which it was asked for, unless that has changed since. */
  private async remember<Found extends Caller | undefined>(key: string, ask: () => Promise<Found>): Promise<Found> {
    const { forgotten } = this;
    const until = performance.now() + BELIEVED;
    const caller = await ask();
    if (caller && forgotten === this.forgotten) {
      if (this.remembered.size >= MOST_REMEMBERED) this.remembered.clear();
      this.remembered.set(key, { caller, until });
    }
    return caller;
  }

  /** @throws Problem where the token does not work. */
  async ofToken(text: string): Promise<Caller> {
    const parts = parseToken(text);
    const token = parts && (await this.store.tokens.find(parts.id));
    const useless = parts && token ? whyUseless(token, parts, Date.now()) : 'is unknown';
    if (!token || useless !== undefined) {
      throw new Problem('not-signed-in', `The token ${useless ?? 'is unknown'}.`);
    }
    await this.noteUse(token.id, () => this.store.tokens.used(token.id, Date.now()));
    return this.callerOf(token);
  }

  private async callerOf(token: StoredToken, sessionId?: string): Promise<Caller> {
    if (token.collectorId === null) return callerOfToken(token, sessionId);
    const { collectors } = this.store;
    const collector = await collectors.find(token.collectorId);
    if (!collector) throw new Problem('not-signed-in', 'The collector of this token is gone.');
    await this.noteUse(collector.id, async () => {
      await collectors.change(collector.id, { seenAt: Date.now() });
    });
    return callerOfCollector(collector, token, await collectors.claimsOf(collector.id));
  }

  /** Undefined where the session is over: its cookie is then as good as none. */
  private async ofSession(secret: string): Promise<Caller | undefined> {
    const id = hashOf(secret);
    const session = await this.store.sessions.find(id);
    const now = Date.now();
    if (!session || session.expiresAt <= now) return undefined;
    await this.noteUse(id, () => this.store.sessions.seen(id, now));
    if (session.tokenId !== null) {
      const token = await this.store.tokens.find(session.tokenId);
      if (!token || token.revokedAt !== null || (token.expiresAt ?? Infinity) <= now) return undefined;
      return this.callerOf(token, id);
    }
    const user = await this.store.users.find(session.userId ?? '');
    return user && callerOfUser(user, id);
  }

  private async noteUse(key: string, write: () => Promise<void>): Promise<void> {
    const now = performance.now();
    if ((this.usedAt.get(key) ?? -Infinity) > now - USE_EVERY) return;
    if (this.usedAt.size >= MOST_REMEMBERED) this.usedAt.clear();
    this.usedAt.set(key, now);
    await write();
  }
}

/** What is remembered of one is nothing of the other: a cookie is no token, and one without TLS none with it. */
const keyOf = ({ authorization, cookie = '', isSecure }: Credentials): string =>
  authorization ?? `${isSecure ? 'tls' : 'plain'}\n${cookie}`;

/** The token of `Bearer <token>`, `Token <token>`, `Token <name>:<token>`, or of Basic with the token as password (RFC 7617); undefined for others. */
function tokenIn(authorization: string): string | undefined {
  const [, scheme = '', value = ''] = /^(\w+) +(\S+)\s*$/.exec(authorization) ?? [];
  switch (scheme.toLowerCase()) {
    case 'bearer':
      return value;
    case 'token':
      // Senders of InfluxDB 1.8 put a name before it.
      return value.slice(value.lastIndexOf(':') + 1);
    case 'basic': {
      const text = Buffer.from(value, 'base64').toString('utf8');
      return text.slice(text.indexOf(':') + 1);
    }
    default:
      return authorization.trim() === '' ? undefined : 'unknown';
  }
}
