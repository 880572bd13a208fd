import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { BODY_LIMITS, bodyTooSlow, serverBusy, type BodyLimits } from './body-budget.js';
import { lastAnswer } from './last-answer.js';
import type { ProblemType } from './problem-types.js';
import type { Problem } from './problem.js';

/** First requests that wait for their turn, or to be refused: what comes beyond it is refused at once. */
const MOST_WAITING = 1_000;
/** Whoever has brought so much of a body waits for no more of it, bytes. */
const ENOUGH = 16 * 1024;
/** How often it is looked whose body has come, ms. */
const LOOK_EVERY = 5;
/** While more than these wait for their turn, no connection begins. */
const FEW_WAITING = 20;
/** So many are refused at one look. */
const AT_A_TIME = 3;
/** Of more bodies than these so many are read at a time, from one look to the next: others keep theirs in the network meanwhile. */
const READ_AT_A_TIME = 10;
/** A stop waits for no body that has been on its way for longer, ms. */
const AT_STOP = 1_000;

interface Waiting {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly since: number;
  isPaused: boolean;
}

/**
 * Thousands who connect at once, as to drip, hold up nobody who has been answered before. Until its body is there, or much of it,
 * nothing is done for the first request of a connection; of those that may begin one does in each turn of the event loop. Whoever
 * there is no room for, or comes too slowly, gets an answer that costs next to nothing, and the connection ends with it.
 */
export class FirstRequests {
  /** Hears of each that is refused here. */
  onRefusal: (type: ProblemType) => void = () => undefined;

  private readonly handlers: RequestListener[];
  private readonly answered = new WeakSet<Socket>();
  /** Whose bodies are on their way, in the order in which they came. */
  private readonly arriving = new Set<Waiting>();
  private readonly line: Waiting[] = [];
  /** Whether one has begun in this turn. */
  private hasBegun = false;
  private timer: NodeJS.Timeout | undefined;
  /** Place in `arriving` of the first that is read now. */
  private firstRead = 0;
  private readonly busy = refusal(serverBusy());
  private readonly slow: Refusal;

  constructor(
    private readonly server: FastifyInstance['server'],
    private readonly limits: BodyLimits,
  ) {
    this.slow = refusal(bodyTooSlow(limits));
    this.handlers = server.listeners('request') as RequestListener[];
    server.removeAllListeners('request');
    server.on('request', (request, response) => this.take(request, response));
  }

  /** Whether those that come now would only wait. */
  get isBehind(): boolean {
    return this.line.length > FEW_WAITING;
  }

  /** Before a stop, which waits for requests that have begun: those whose bodies may still come do so. */
  stop(): void {
    for (const waiting of this.arriving) {
      if (performance.now() - waiting.since > AT_STOP) {
        this.refuse(waiting, this.busy);
        continue;
      }
      this.arriving.delete(waiting);
      pause(waiting, false);
      this.handle(waiting);
    }
  }

  private take(request: IncomingMessage, response: ServerResponse): void {
    const { socket } = request;
    if (this.answered.has(socket)) return this.handle({ request, response });
    response.once('finish', () => this.answered.add(socket));
    const waiting = { request, response, since: performance.now(), isPaused: false };
    if (!hasBody(request)) return this.lineUp(waiting);
    const [oldest] = this.arriving;
    if (oldest && this.arriving.size >= this.limits.mostOpen + MOST_WAITING) this.refuse(oldest, this.busy);
    this.arriving.add(waiting);
    response.once('close', () => this.arriving.delete(waiting));
    // What came with its head is there in a moment.
    setImmediate(() => this.arriving.has(waiting) && this.beginIfHere(waiting));
    this.timer ??= setInterval(this.look, LOOK_EVERY).unref();
  }

  private readonly look = (): void => {
    const { window, mostOpen } = this.limits;
    const slow = performance.now() - window;
    const { size } = this.arriving;
    this.firstRead = (this.firstRead + READ_AT_A_TIME) % (size || 1);
    let place = -this.firstRead;
    let refused = 0;
    for (const waiting of this.arriving) {
      const isRead = size <= READ_AT_A_TIME || (place + size) % size < READ_AT_A_TIME;
      place += 1;
      if (this.beginIfHere(waiting)) continue;
      pause(waiting, !isRead);
      if (refused >= AT_A_TIME) continue;
      const isSlow = waiting.since < slow;
      if (!isSlow && this.arriving.size <= mostOpen) continue;
      refused += 1;
      this.refuse(waiting, isSlow ? this.slow : this.busy);
    }
    if (this.arriving.size > 0) return;
    clearInterval(this.timer);
    this.timer = undefined;
  };

  private beginIfHere(waiting: Waiting): boolean {
    const { complete, readableLength } = waiting.request;
    if (!complete && readableLength < ENOUGH) return false;
    this.arriving.delete(waiting);
    pause(waiting, false);
    this.lineUp(waiting);
    return true;
  }

  private lineUp(waiting: Waiting): void {
    if (!this.hasBegun) return this.begin(waiting);
    if (this.line.length >= MOST_WAITING) return this.refuse(waiting, this.busy);
    this.line.push(waiting);
  }

  private begin(waiting: Waiting): void {
    this.hasBegun = true;
    setImmediate(this.next);
    this.handle(waiting);
  }

  private readonly next = (): void => {
    this.hasBegun = false;
    let waiting = this.line.shift();
    // Who has gone meanwhile needs no answer.
    while (waiting?.request.socket.destroyed) waiting = this.line.shift();
    if (waiting) this.begin(waiting);
  };

  private handle({ request, response }: Pick<Waiting, 'request' | 'response'>): void {
    for (const handler of this.handlers) handler.call(this.server, request, response);
  }

  private refuse(waiting: Waiting, { type, bytes }: Refusal): void {
    this.arriving.delete(waiting);
    const { socket } = waiting.request;
    this.onRefusal(type);
    // It has none as long as an earlier request of its connection is not answered.
    if (waiting.response.socket) socket.write(bytes);
    socket.destroySoon();
  }
}

function pause(waiting: Waiting, isPaused: boolean): void {
  if (waiting.isPaused === isPaused) return;
  waiting.isPaused = isPaused;
  const { socket } = waiting.request;
  if (isPaused) socket.pause();
  else socket.resume();
}

interface Refusal {
  readonly type: ProblemType;
  readonly bytes: Buffer;
}

const refusal = (problem: Problem): Refusal => ({ type: problem.type, bytes: lastAnswer(problem) });

const hasBody = ({ headers }: IncomingMessage): boolean =>
  headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0';

declare module 'fastify' {
  interface FastifyInstance {
    firstRequests: FirstRequests;
  }
}

/** Must come after what takes requests past Fastify, and before whatever else listens to them. */
export function lineUpFirstRequests(server: FastifyInstance, limits: BodyLimits = BODY_LIMITS): void {
  server.decorate('firstRequests', new FirstRequests(server.server, limits));
}
