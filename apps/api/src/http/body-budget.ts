import type { Socket } from 'node:net';
import type { FastifyInstance, RequestPayload } from 'fastify';
import { Problem } from './problem.js';

export interface BodyLimits {
  /** Bytes of all bodies that are being received or whose requests are not answered yet, after decompression. */
  readonly mostBytes: number;
  /** Bodies that are not whole yet at a time: each connection that drips costs memory too. */
  readonly mostOpen: number;
  /** A body must bring `leastBytes` in each window of this length until it is whole, ms. */
  readonly window: number;
  readonly leastBytes: number;
  /** Bytes of the bodies of a lane that are parsed and stored at a time: what comes of them takes many times their memory. */
  readonly atOnce: number;
  /** How long a body that is whole waits for its turn, ms: whoever would wait longer is refused. */
  readonly patience: number;
}

export const BODY_LIMITS: BodyLimits = {
  mostBytes: 32 * 1024 * 1024,
  mostOpen: 500,
  window: 10_000,
  leastBytes: 16 * 1024,
  atOnce: 512 * 1024,
  patience: 700,
};

/** Bodies up to this length wait for nobody, as those of a person at the page. */
const SMALL = 4 * 1024;
/** Bodies up to this length, as those of a collector, wait for others like them and not for a large one. */
const MEDIUM = 64 * 1024;

/** A body that takes longer than this is the first to go where there is no room for others, ms. */
const SLOW = 2_000;
const RETRY_AFTER = 2;

/** Bodies that are ended for coming too slowly by one look at all, and looks in a window. */
const AT_A_TIME = 10;
const LOOKS = 100;

interface Body {
  readonly request: Request;
  readonly payload: RequestPayload;
  readonly socket: Socket;
  readonly since: number;
  bytes: number;
  /** Until `release`. */
  isHeld: boolean;
  isWhole: boolean;
  /** Where it has its turn. */
  lane: Lane | undefined;
  windowStart: number;
  /** Of the connection, when the window began. */
  readAtStart: number;
}

/** Stands for the body that it brings: Fastify's, or Node's where Fastify has no part in it. */
type Request = object;

/** What takes a body in as it comes. */
export interface BodyTaker {
  readonly data: (chunk: Buffer) => void;
  readonly end: () => void;
  readonly error: (error: Error) => void;
}

/** Bodies that take turns with each other. */
interface Lane {
  /** Bytes of those that have their turn. */
  inWork: number;
  isCalling: boolean;
  /** In the order in which they were whole. */
  readonly line: Map<Body, Turn>;
}

const makeLane = (): Lane => ({ inWork: 0, isCalling: false, line: new Map<Body, Turn>() });

/** A body that is whole, and what is done with it. */
interface Turn {
  readonly since: number;
  readonly act: (refusal?: Problem) => void;
}

/**
 * Bounds what clients may make this server hold of bodies. One that comes too slowly is a 408. Beyond the budget the body
 * that has been on its way for long goes, such as that of a client that stalls, and otherwise what comes now: with a 503, before
 * anything of it was stored. Of too many that are not whole the oldest that drips goes.
 * Bodies that are whole take turns, large ones and others apart, so that few are parsed at a time, and one that would wait
 * for long is refused.
 */
export class BodyBudget {
  private bytes = 0;
  private readonly ofRequests = new WeakMap<Request, Body>();
  /**
   * In the order in which they began. A list, for V8 would keep requests that are over with a map that they come to and leave again: the
   * tables that it outgrows lead from each to the next one, and still hold what they held.
   */
  private readonly bodies: Body[] = [];
  /** How many of them are not whole. */
  private open = 0;
  private readonly medium = makeLane();
  private readonly large = makeLane();

  constructor(private readonly limits: BodyLimits) {}

  /**
   * Counts the body of a request until `release`. Must be the last that is put before the parser.
   *
   * @param taker hears of all that the payload brings, where nobody else listens to it: each listener costs every request.
   */
  receive(request: Request, socket: Socket, payload: RequestPayload, taker?: BodyTaker): void {
    const now = performance.now();
    const body: Body = {
      request,
      payload,
      socket,
      since: now,
      bytes: 0,
      isHeld: true,
      isWhole: false,
      lane: undefined,
      windowStart: now,
      readAtStart: socket.bytesRead,
    };
    const end = (): void => {
      if (body.isHeld && !body.isWhole) this.open -= 1;
      body.isWhole = true;
    };
    if (this.open >= this.limits.mostOpen) this.dropOneThatDrips();
    this.ofRequests.set(request, body);
    this.bodies.push(body);
    this.open += 1;
    payload.on('data', (chunk: Buffer) => {
      this.grow(body, chunk.length);
      taker?.data(chunk);
    });
    payload.on('end', () => {
      end();
      taker?.end();
    });
    // Whoever parses the body hears of it too; without a listener it would end the process.
    payload.on('error', (error: Error) => {
      end();
      taker?.error(error);
    });
  }

  /**
   * Counts a whole body as what it has become.
   *
   * @throws Problem where there is no room for that.
   */
  replace(request: Request, bytes: number): void {
    const body = this.ofRequests.get(request);
    if (!body) return;
    this.bytes += bytes - body.bytes;
    body.bytes = bytes;
    if (this.bytes > this.limits.mostBytes && this.bodies.length > 1 && !this.dropSlowest()) throw serverBusy();
  }

  /** @throws Problem where there is no room for another body. */
  assertRoom(): void {
    if (this.bytes < this.limits.mostBytes) return;
    this.dropSlowest();
    if (this.bytes >= this.limits.mostBytes) throw serverBusy();
  }

  /** Calls `act` when it is the turn of a body that is whole, with a refusal where it has waited for too long. */
  takeTurn(request: Request, act: (refusal?: Problem) => void): void {
    const body = this.ofRequests.get(request);
    if (!body || body.bytes <= SMALL) return act();
    const lane = body.bytes <= MEDIUM ? this.medium : this.large;
    if (lane.line.size > 0 || !this.hasRoom(lane, body)) {
      return void lane.line.set(body, { since: performance.now(), act });
    }
    begin(lane, body);
    act();
  }

  /** What came of a body is stored, or refused: its answer may still be on its way. */
  endTurn(request: Request): void {
    const body = this.ofRequests.get(request);
    if (body) this.leave(body);
  }

  /** Nothing is held of a body any more. */
  release(request: Request): void {
    const body = this.ofRequests.get(request);
    if (!body) return;
    this.ofRequests.delete(request);
    this.bodies.splice(this.bodies.indexOf(body), 1);
    if (!body.isWhole) this.open -= 1;
    body.isHeld = false;
    this.bytes -= body.bytes;
    this.leave(body);
  }

  private leave(body: Body): void {
    this.medium.line.delete(body);
    this.large.line.delete(body);
    const { lane } = body;
    if (!lane) return;
    body.lane = undefined;
    lane.inWork -= body.bytes;
    this.next(lane);
  }

  private next(lane: Lane): void {
    // Whoever has a turn may end it at once, and others' with it.
    if (lane.isCalling) return;
    lane.isCalling = true;
    for (const [body, { since, act }] of lane.line) {
      if (performance.now() - since > this.limits.patience) {
        lane.line.delete(body);
        act(serverBusy());
        continue;
      }
      if (!this.hasRoom(lane, body)) break;
      lane.line.delete(body);
      begin(lane, body);
      act();
    }
    lane.isCalling = false;
  }

  private hasRoom({ inWork }: Lane, { bytes }: Body): boolean {
    return inWork === 0 || inWork + bytes <= this.limits.atOnce;
  }

  /** Ends bodies that come too slowly, and refuses those that have waited too long for their turn. */
  check(): void {
    this.next(this.medium);
    this.next(this.large);
    const now = performance.now();
    const { window, leastBytes } = this.limits;
    let refused = 0;
    for (const body of this.bodies) {
      if (body.isWhole || now - body.windowStart < window) continue;
      if (body.socket.bytesRead - body.readAtStart < leastBytes) {
        refuse(body, bodyTooSlow(this.limits));
        if (++refused >= AT_A_TIME) return;
        continue;
      }
      body.windowStart = now;
      body.readAtStart = body.socket.bytesRead;
    }
  }

  private grow(body: Body, bytes: number): void {
    // What comes after it was refused is read away, and kept by nobody.
    if (body.isWhole || !body.isHeld) return;
    body.bytes += bytes;
    this.bytes += bytes;
    if (this.bytes <= this.limits.mostBytes || this.bodies.length === 1) return;
    if (!this.dropSlowest()) this.drop(body);
  }

  private dropSlowest(): boolean {
    for (const body of this.bodies) {
      if (performance.now() - body.since < SLOW) return false;
      if (body.isWhole) continue;
      this.drop(body);
      return true;
    }
    return false;
  }

  /** The oldest that has brought little; the oldest, where each brings much. */
  private dropOneThatDrips(): void {
    const open = this.bodies.filter(({ isWhole }) => !isWhole);
    const drips = open.find(({ socket, readAtStart }) => socket.bytesRead - readAtStart < this.limits.leastBytes);
    const dropped = drips ?? open[0];
    if (dropped) this.drop(dropped);
  }

  private drop(body: Body): void {
    this.release(body.request);
    refuse(body, serverBusy());
  }
}

function begin(lane: Lane, body: Body): void {
  body.lane = lane;
  lane.inWork += body.bytes;
}

export const serverBusy = (): Problem =>
  new Problem('server-busy', 'The server has as much to take in as it can hold: nothing of this request was stored.', {
    retryAfter: RETRY_AFTER,
  });

export const bodyTooSlow = ({ leastBytes, window }: BodyLimits): Problem =>
  new Problem('body-too-slow', `The body must come with at least ${leastBytes} bytes in ${window / 1_000} s.`);

/** Answers a request whose body is not whole; the connection ends with the answer. */
function refuse(body: Body, problem: Problem): void {
  if (body.isWhole) return;
  body.payload.emit('error', problem);
}

/**
 * Must come after whatever else works on bodies, such as their decompression. Whoever parses bodies has them take turns of what
 * this gives.
 */
export function boundBodies(
  server: FastifyInstance,
  limits: BodyLimits = BODY_LIMITS,
  budget = new BodyBudget(limits),
): BodyBudget {
  const timer = setInterval(() => budget.check(), limits.window / LOOKS).unref();
  server.addHook('onClose', (_server, done) => {
    clearInterval(timer);
    done();
  });
  server.addHook('preParsing', (request, reply, payload, done) => {
    if (request.method === 'GET' || request.method === 'HEAD') return done(null, payload);
    try {
      budget.assertRoom();
    } catch (problem) {
      return done(problem as Problem);
    }
    budget.receive(request, request.raw.socket, payload);
    reply.raw.once('close', () => budget.release(request));
    done(null, payload);
  });
  server.addHook('onSend', (request, _reply, payload, done) => {
    budget.endTurn(request);
    done(null, payload);
  });
  return budget;
}
