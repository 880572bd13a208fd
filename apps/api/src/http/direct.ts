import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { parse, type ParsedUrlQuery } from 'node:querystring';
import { Readable } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import type { BodyBudget } from './body-budget.js';
import { gunzip, gunzipAtOnce, MOST_PACKED } from './decompress.js';
import type { JsonBody } from './json-body.js';
import { MAX_BODY } from './limits.js';
import { Problem } from './problem.js';
import { SECURITY_HEADERS } from './security-headers.js';
import type { Protocol } from './speaks.js';

/** What a route makes of a body, once all of it is stored. */
export interface DirectAnswer {
  readonly status: number;
  /** Names and values in turn. */
  readonly headers: readonly string[];
  readonly body?: string | Uint8Array;
}

/** What is known of a request before its body comes. */
export interface DirectCall {
  readonly request: IncomingMessage;
  /** For headers that an answer has from then on, whatever comes of it. */
  readonly response: ServerResponse;
  readonly query: ParsedUrlQuery;
  /** @throws Problem where the bytes are not UTF-8. */
  readonly json: (bytes: Buffer) => JsonBody;
}

/** A route that programs call so often that the framework would cost more than what is done. */
export interface DirectRoute {
  readonly path: string;
  /** Content types as their senders write them; undefined stands for none. */
  readonly types: readonly (string | undefined)[];
  /** The only content encoding of its bodies, which it undoes itself; left out: none, or gzip. */
  readonly encoding?: string;
  readonly speaks?: Protocol;
  /** @throws what the route itself would throw; it is answered as there. */
  readonly take: (bytes: Buffer, call: DirectCall) => Promise<DirectAnswer>;
}

/** What a request that is as usual says in its head. */
export interface UsualHead {
  host: string;
  authorization: string | undefined;
}

interface Head extends UsualHead {
  type: string | undefined;
  /** NaN for a body in chunks, of which it is not known. */
  length: number;
  encoding: string | undefined;
}

/** Runs work as the caller of a request. */
export type RunAs = (work: () => void) => void;

/** What stands before the routes and hears of their answers. */
export interface DirectChecks {
  /** Undefined where it is not known at once that the caller may: then nothing was done. */
  readonly admit: (call: DirectCall, head: UsualHead, route: DirectRoute) => RunAs | undefined;
  readonly answered: (route: DirectRoute, status: number, milliseconds: number) => void;
}

/** Queries that are remembered as parsed: senders have one each. */
const MOST_QUERIES = 100;

/**
 * Headers that say nothing to these routes; `Sec-Fetch-Mode` comes from programs without the site that browsers add. With any
 * other that is not read here a request is none of the usual.
 */
const SILENT = new Set(['connection', 'accept', 'accept-encoding', 'accept-language', 'user-agent', 'sec-fetch-mode']);

/**
 * Takes requests that are as usual past Fastify and Nest, which cost a request of 500 samples a quarter of all. It takes
 * nothing that a route would not take, and nothing that needs another look, such as a credential that is not known yet: all
 * that goes the usual way, and so do the answers to what fails.
 */
export class DirectPath {
  private readonly routes = new Map<string, DirectRoute>();
  private readonly queries = new Map<string, ParsedUrlQuery>();
  private readonly failures = new WeakMap<IncomingMessage, unknown>();
  private readonly usual: RequestListener;
  private checks: DirectChecks | undefined;
  private isStopping = false;

  constructor(
    { server }: FastifyInstance,
    private readonly budget: BodyBudget,
    private readonly json: DirectCall['json'],
  ) {
    const listeners = server.listeners('request') as RequestListener[];
    this.usual = (request, response) => {
      for (const listener of listeners) listener.call(server, request, response);
    };
    server.removeAllListeners('request');
    server.on('request', (request, response) => {
      if (!this.begins(request, response)) this.usual(request, response);
    });
  }

  open(routes: readonly DirectRoute[], checks: DirectChecks): void {
    this.checks = checks;
    for (const route of routes) this.routes.set(route.path, route).set(`${route.path}/`, route);
  }

  /** From now on all goes the usual way, which knows that the server stops. */
  stop(): void {
    this.isStopping = true;
  }

  /** What a route has thrown at a request that is answered the usual way. */
  failureOf(request: IncomingMessage): unknown {
    return this.failures.get(request);
  }

  private begins(request: IncomingMessage, response: ServerResponse): boolean {
    const { checks } = this;
    if (!checks || this.isStopping || request.method !== 'POST' || request.httpVersion !== '1.1') return false;
    const url = request.url as string;
    const mark = url.indexOf('?');
    const route = this.routes.get(mark < 0 ? url : url.slice(0, mark));
    const head = route && headOf(request.rawHeaders);
    if (!head || !route.types.includes(head.type)) return false;
    const isPacked = head.encoding === 'gzip' && route.encoding === undefined;
    if (!isPacked && head.encoding !== route.encoding) return false;
    if (head.length <= 0 || head.length > MAX_BODY) return false;
    const query = this.queryOf(mark < 0 ? '' : url.slice(mark + 1));
    const call = { request, response, query, json: this.json };
    const runAs = checks.admit(call, head, route);
    if (!runAs) return false;
    this.receive(route, call, runAs, isPacked ? head.length : undefined);
    return true;
  }

  /** @param packed the length of a body that is gzip. */
  private receive(route: DirectRoute, call: DirectCall, runAs: RunAs, packed: number | undefined): void {
    const { budget } = this;
    const { request, response } = call;
    const start = performance.now();
    try {
      budget.assertRoom();
    } catch (refusal) {
      return this.fail(call, refusal);
    }
    response.on('close', () => budget.release(request));
    const take = (bytes: Buffer): void => this.take(route, call, runAs, start, bytes);
    if (packed === undefined) this.collect(call, request, take);
    else if (packed <= MOST_PACKED) this.collect(call, request, (bytes) => this.unpack(call, bytes, take));
    else this.collect(call, gunzip(request), take);
  }

  /** Calls `whole` with all that comes of a body. */
  private collect(call: DirectCall, payload: Readable, whole: (bytes: Buffer) => void): void {
    const { request } = call;
    let chunks: Buffer[] = [];
    let isOver = false;
    let bytes = 0;
    const fail = (error: unknown): void => {
      if (isOver) return;
      isOver = true;
      this.fail(call, error);
    };
    this.budget.receive(request, request.socket, payload, {
      data: (chunk) => {
        bytes += chunk.length;
        if (bytes > MAX_BODY) fail(tooLarge());
        else chunks.push(chunk);
      },
      end: () => {
        if (isOver) return;
        isOver = true;
        const all = chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks);
        // What has come is let go of now: V8 may keep a request that is over for long, and would keep its body with it.
        chunks = [];
        whole(all);
      },
      error: (error) => {
        // Who has gone needs no answer.
        if (request.complete || !request.destroyed) fail(error);
      },
    });
  }

  private unpack(call: DirectCall, packed: Buffer, whole: (bytes: Buffer) => void): void {
    const { budget } = this;
    const { request } = call;
    const bytes = gunzipAtOnce(packed);
    if (!bytes) {
      budget.release(request);
      return this.collect(call, gunzip(Readable.from([packed])), whole);
    }
    try {
      budget.replace(request, bytes.length);
    } catch (refusal) {
      return this.fail(call, refusal);
    }
    whole(bytes);
  }

  private take(route: DirectRoute, call: DirectCall, runAs: RunAs, start: number, bytes: Buffer): void {
    const { budget } = this;
    const { request, response } = call;
    budget.takeTurn(request, (refusal) => {
      if (refusal) return this.fail(call, refusal);
      const answered = (answer: DirectAnswer): void => {
        budget.endTurn(request);
        send(response, answer);
        this.checks?.answered(route, answer.status, performance.now() - start);
      };
      const failed = (error: unknown): void => this.fail(call, error);
      runAs(() => void route.take(bytes, call).then(answered, failed));
    });
  }

  private fail({ request, response }: DirectCall, error: unknown): void {
    this.budget.endTurn(request);
    this.failures.set(request, error);
    // What has not been read would be taken for the next request.
    if (!request.complete) response.setHeader('connection', 'close');
    this.usual(request, response);
  }

  private queryOf(text: string): ParsedUrlQuery {
    let query = this.queries.get(text);
    if (!query) {
      if (this.queries.size >= MOST_QUERIES) this.queries.clear();
      this.queries.set(text, (query = parse(text)));
    }
    return query;
  }
}

const tooLarge = (): Problem =>
  new Problem('body-too-large', `The body must have at most ${MAX_BODY} bytes, after decompression.`);

/** Undefined where it has a header that is not usual, or one of them twice. */
function headOf(rawHeaders: readonly string[]): Head | undefined {
  const head: Head = { host: '', authorization: undefined, type: undefined, length: 0, encoding: undefined };
  let seen = 0;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = (rawHeaders[at] as string).toLowerCase();
    const value = rawHeaders[at + 1] as string;
    const bit = READ.get(name);
    if (bit === undefined) {
      if (SILENT.has(name)) continue;
      return undefined;
    }
    if ((seen & bit) !== 0) return undefined;
    seen |= bit;
    if (bit === HOST) head.host = value;
    else if (bit === TYPE) head.type = value;
    else if (bit === LENGTH) head.length = Number(value);
    else if (bit === ENCODING) head.encoding = value;
    else if (bit === AUTHORIZATION) head.authorization = value;
    else if (bit === CHUNKED) {
      if (value !== 'chunked') return undefined;
      head.length = NaN;
    }
  }
  return head;
}

const [HOST, TYPE, LENGTH, ENCODING, AUTHORIZATION, VERSION, CHUNKED] = [1, 2, 4, 8, 16, 32, 64];
const READ = new Map([
  ['host', HOST],
  ['content-type', TYPE],
  ['content-length', LENGTH],
  ['transfer-encoding', CHUNKED],
  ['content-encoding', ENCODING],
  ['authorization', AUTHORIZATION],
  // Read by its route.
  ['x-prometheus-remote-write-version', VERSION],
]);

function send(response: ServerResponse, { status, headers, body }: DirectAnswer): void {
  const all = [...SECURITY_HEADERS, ...headers];
  if (body !== undefined) all.push('content-length', String(Buffer.byteLength(body)));
  response.writeHead(status, all);
  response.end(body);
}

declare module 'fastify' {
  interface FastifyInstance {
    direct: DirectPath;
  }
}

/** Must come before whatever else looks at requests but for what lines them up, and its hook before the guard's. */
export function openDirectPath(server: FastifyInstance, budget: BodyBudget, json: DirectCall['json']): void {
  const direct = new DirectPath(server, budget, json);
  server.decorate('direct', direct);
  server.addHook('onRequest', ({ raw }, _reply, done) => done(direct.failureOf(raw) as Error | undefined));
  server.addHook('preClose', (done) => {
    direct.stop();
    done();
  });
}
