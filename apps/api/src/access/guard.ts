import { hostname } from 'node:os';
import { Inject, Injectable } from '@nestjs/common';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Socket } from 'node:net';
import type { DirectCall, RunAs, UsualHead } from '../http/direct.js';
import { Problem } from '../http/problem.js';
import type { Protocol } from '../http/speaks.js';
import { targetHostOf } from '../http/target.js';
import { apiConfig, type ApiConfig } from '../settings.js';
import { Audit } from './audit/audit.js';
import { noteCall } from './audit/audited.js';
import { Authenticate, type Credentials } from './authenticate.js';
import { NOBODY, runAs, type Caller } from './caller.js';
import { checkHost, isLoopbackAddress, isLoopbackName, parseHost } from './check-host.js';
import { Rates } from './limits/rates.js';
import type { Need } from './needs.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** Who sends it; set before anything else sees the request. */
    caller: Caller;
  }
  interface FastifyContextConfig {
    needs?: Need;
  }
}

/** What proxies add to a request. */
const OF_PROXIES = ['forwarded', 'x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto', 'x-real-ip', 'via'];

/** Where requests of a connection come from, by the header Host of the last one: mostly all have the same. */
interface Place {
  readonly host: string;
  /** Whether the host is this server. */
  readonly isOwn: boolean;
  /** Whether they come from this machine itself, if nothing else in them speaks against it. */
  readonly isLocal: boolean;
}

/** Swagger UI, whose routes say nothing. It describes calls, and holds no data. */
const DOCUMENTATION = /^\/docs(\/|$)/;

const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * Stands before every route, also those that are not Nest's, and before the body is read: where a request comes from, who
 * sends it, and whether they may do what the route says that it needs. A route that says nothing is closed.
 */
@Injectable()
export class Guard {
  private readonly names: readonly string[];
  private readonly places = new WeakMap<Socket, Place>();

  constructor(
    private readonly authenticate: Authenticate,
    private readonly rates: Rates,
    private readonly audit: Audit,
    @Inject(apiConfig.KEY) config: ApiConfig,
  ) {
    const { host, access } = config;
    const own = isLoopbackName(host) ? [] : [hostname().toLowerCase(), host.toLowerCase()];
    this.names = [...own, ...access.allowedHosts];
  }

  /** Must come before any route is registered. */
  stand(server: FastifyInstance): void {
    server.decorateRequest('caller');
    server.addHook('onRoute', (route) => {
      if (DOCUMENTATION.test(route.url)) route.config = Object.assign({}, route.config, { needs: 'open' as const });
      if (route.config?.needs !== undefined) return;
      throw new Error(`The route ${String(route.method)} ${route.url} does not say what it needs.`);
    });
    // Nearly every request is answered for at once, and goes on without a promise.
    server.addHook('onRequest', (request, _reply, done) => {
      let checked: Promise<void> | undefined;
      try {
        this.checkSender(request);
        checked = this.checkRights(request);
      } catch (error) {
        return done(error as Error);
      }
      if (!checked) return done();
      checked.then(() => done(), done);
    });
    server.addHook('onSend', (request, reply, payload, done) => {
      if (!request.routeOptions.config.audited) return done(null, payload);
      noteCall(this.audit, request, reply).then(() => done(null, payload), done);
    });
    // Here, as the parsing of the body loses what `runAs` keeps.
    server.addHook('preValidation', (request, _reply, done) => runAs(request.caller, done, this.rates.countsSamples));
  }

  /** @throws Problem for what a page of somebody else may have a browser send. */
  private checkSender({ raw, headers, routeOptions }: FastifyRequest): void {
    const hosts = hostsOf(raw.rawHeaders);
    const [targetHost, fetchSite] = [targetHostOf(raw), single(headers['sec-fetch-site'])];
    const isByPage = headers.origin !== undefined || (fetchSite !== undefined && fetchSite !== 'same-origin');
    const [host = ''] = hosts;
    if (!isByPage && targetHost === undefined && hosts.length === 1 && this.placeOf(raw.socket, host).isOwn) return;
    const problem = checkHost(
      {
        // A backup is got by GET, and is work all the same.
        onlyReads: (raw.method === 'GET' || raw.method === 'HEAD') && !routeOptions.config.audited,
        targetHost,
        hosts,
        origin: headers.origin,
        fetchSite,
        fetchMode: single(headers['sec-fetch-mode']),
        localAddress: raw.socket.localAddress ?? '',
      },
      this.names,
    );
    if (problem) throw problem;
  }

  /**
   * At once where the caller is known.
   *
   * @throws Problem where the caller is nobody, or has not the right.
   */
  private checkRights(request: FastifyRequest): Promise<void> | undefined {
    const credentials = credentialsOf(request);
    const found = this.authenticate.caller(credentials);
    if (found instanceof Promise) {
      return found.then(
        (caller) => this.checkRightsOf(caller, credentials, request),
        (error) => this.refuse(request, error),
      );
    }
    this.checkRightsOf(found, credentials, request);
    return undefined;
  }

  private checkRightsOf(caller: Caller, { isLocal }: Credentials, request: FastifyRequest): void {
    const { needs } = request.routeOptions.config;
    // Also what is not there at all, which says so to everybody.
    const isOpen = needs === 'open' || request.is404;
    request.caller = caller;
    this.rates.takeRequest(request.caller, request.ip);
    if (isOpen || (isLocal && needs === 'server:read' && request.routeOptions.url === '/metrics')) return;
    this.checkCaller(request.caller, needs);
    if (request.caller.of.sessionId !== undefined) checkSameOrigin(request);
  }

  /** A credential that does not work counts as one request of its address. @throws what it is given, or Problem for too many. */
  private refuse(request: FastifyRequest, error: unknown): never {
    this.rates.takeRequest(NOBODY, request.ip);
    throw error;
  }

  /**
   * For a request without anything in its head that would have to be looked at: what runs its work as its caller, where it is
   * known who that is and that they may send samples. Undefined otherwise: then nothing was done, and `stand` has to look.
   */
  admit({ request, query }: DirectCall, { host, authorization }: UsualHead, speaks?: Protocol): RunAs | undefined {
    const from = this.placeOf(request.socket, host);
    const shown = authorization ?? speaks?.authorization?.({ query });
    if (!from.isOwn) return undefined;
    const caller = this.authenticate.known({
      authorization: shown,
      cookie: undefined,
      isLocal: from.isLocal,
      isSecure: false,
    });
    if (!caller || caller.of.sessionId !== undefined) return undefined;
    try {
      this.checkCaller(caller, 'samples:write');
      this.rates.takeRequest(caller, request.socket.remoteAddress ?? '');
    } catch {
      // Of whoever may ask nothing now, nothing was taken either.
      return undefined;
    }
    return (work) => runAs(caller, work, this.rates.countsSamples);
  }

  /** What a connection and the header Host say of where a request comes from; a connection has mostly one. */
  private placeOf(socket: Socket, host: string): Place {
    let place = this.places.get(socket);
    if (place?.host === host) return place;
    const { localAddress = '' } = socket;
    const none = {
      onlyReads: false,
      targetHost: undefined,
      origin: undefined,
      fetchSite: undefined,
      fetchMode: undefined,
    };
    const isOwn = checkHost({ ...none, hosts: [host], localAddress }, this.names) === undefined;
    place = { host, isOwn, isLocal: isOwn && isLocal(socket, host) };
    this.places.set(socket, place);
    return place;
  }

  private checkCaller(caller: Caller, needs: Need | undefined): void {
    if (caller.kind === 'nobody') {
      throw new Problem('not-signed-in', 'This needs a token, as in "Authorization: Bearer dm_…", or to be signed in.');
    }
    if (needs === 'samples:write' && caller.of.collector?.state === 'conflict') {
      const { deviceName } = caller.of.collector;
      throw new Problem(
        'collector-conflict',
        `There is a device ${deviceName} already, of another collector or of somebody who has not joined: an admin has to say, ` +
          'under System, whether this is a new device, and what it is called, or the same one.',
      );
    }
    if (needs === 'signed in' || (needs !== undefined && needs !== 'open' && caller.rights.has(needs))) return;
    throw new Problem('not-allowed', `This needs the right ${needs}, which ${caller.name} has not.`);
  }
}

/** What a request shows of who sends it. */
export function credentialsOf(request: FastifyRequest): Credentials {
  const { cookie } = request.headers;
  const { speaks } = request.routeOptions.config;
  const authorization = request.headers.authorization ?? speaks?.authorization?.(request);
  return { authorization, cookie, isLocal: isLocalRequest(request), isSecure: request.protocol === 'https' };
}

/** Whether a request comes from this machine itself, as far as can be seen. */
function isLocalRequest({ raw, headers }: FastifyRequest): boolean {
  if (OF_PROXIES.some((name) => headers[name] !== undefined)) return false;
  // As nginx asks that was told nothing; what is on this machine itself has spoken 1.1 for long.
  if (raw.httpVersion === '1.0') return false;
  return isLocal(raw.socket, headers.host ?? '');
}

/** What was found of connections, which is the same for as long as they are open. */
const found = new WeakMap<Socket, { readonly host: string; readonly isLocal: boolean }>();

function isLocal(socket: Socket, host: string): boolean {
  const known = found.get(socket);
  if (known?.host === host) return known.isLocal;
  const { remoteAddress = '', localAddress = '' } = socket;
  const isLocal =
    isLoopbackAddress(remoteAddress) && isLoopbackAddress(localAddress) && isLoopbackName(parseHost(host)?.name ?? '');
  found.set(socket, { host, isLocal });
  return isLocal;
}

/** The values of all headers `Host`: of several, Node gives the first alone. */
const hostsOf = (rawHeaders: readonly string[]): string[] => {
  const hosts: string[] = [];
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] as string;
    if (name.length === 4 && name.toLowerCase() === 'host') hosts.push(rawHeaders[at + 1] as string);
  }
  return hosts;
};

/** A cookie comes along whoever asks: what changes something must say that a page of this server asks. */
function checkSameOrigin({ method, headers }: FastifyRequest): void {
  if (SAFE_METHODS.has(method) || headers.origin !== undefined) return;
  if (single(headers['sec-fetch-site']) === 'same-origin') return;
  throw new Problem('foreign-origin', 'With a cookie only pages of this server may change something.');
}

const single = (header: string | string[] | undefined): string | undefined =>
  Array.isArray(header) ? header[0] : header;
