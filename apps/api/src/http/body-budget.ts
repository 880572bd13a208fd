import type { Socket } from 'node:net';
import type { FastifyInstance, FastifyRequest, RequestPayload } from 'fastify';
import { Problem } from './problem.js';

export interface BodyLimits {
  /** Bytes of all bodies that are being received or whose requests are not answered yet, after decompression. */
  readonly mostBytes: number;
  /** A body must bring `leastBytes` in each window of this length until it is whole, ms. */
  readonly window: number;
  readonly leastBytes: number;
  /** How long the bodies may take that are taken in one turn of the event loop, ms: whoever comes later would wait too long. */
  readonly turn: number;
}

export const BODY_LIMITS: BodyLimits = {
  mostBytes: 32 * 1024 * 1024,
  window: 10_000,
  leastBytes: 16 * 1024,
  turn: 250,
};

/** Bodies up to this length are always taken, as those of a person at the page. */
const SMALL = 4 * 1024;

/** A body that takes longer than this is the first to go where there is no room for others, ms. */
const SLOW = 2_000;
const RETRY_AFTER = 2;

interface Body {
  readonly payload: RequestPayload;
  readonly socket: Socket;
  readonly since: number;
  bytes: number;
  isWhole: boolean;
  windowStart: number;
  /** Of the connection, when the window began. */
  readAtStart: number;
}

/**
 * Bounds what clients may make this server hold of bodies. One that comes too slowly is a 408. Beyond the budget the body
 * that has been on its way for long goes, such as that of a client that stalls, and otherwise what comes now: with a 503, before
 * anything of it was stored. Of more bodies than can be taken in one turn of the event loop the later ones go, so that nobody
 * waits long for an answer.
 */
export class BodyBudget {
  private bytes = 0;
  /** When the first body of this turn of the event loop came, and the processor time then, microseconds. */
  private turnStart: number | undefined;
  private turnCpu: NodeJS.CpuUsage | undefined;
  /** In the order in which they began. */
  private readonly bodies = new Set<Body>();

  constructor(private readonly limits: BodyLimits) {}

  /** Counts the body of a request until `release`. Must be the last that is put before the parser. */
  receive(request: FastifyRequest, payload: RequestPayload): Body {
    const now = performance.now();
    const { socket } = request.raw;
    const body: Body = {
      payload,
      socket,
      since: now,
      bytes: 0,
      isWhole: false,
      windowStart: now,
      readAtStart: socket.bytesRead,
    };
    this.bodies.add(body);
    payload.on('data', (chunk: Buffer) => this.grow(body, chunk.length));
    payload.once('end', () => (body.isWhole = true));
    // Whoever parses the body hears of it too; without a listener it would end the process.
    payload.on('error', () => (body.isWhole = true));
    return body;
  }

  /**
   * @param length of the body, as far as that is known before.
   * @throws Problem where there is no room for another body, or no time.
   */
  assertRoom(length = Infinity): void {
    if (length > SMALL && this.turnTook() > this.limits.turn) throw busy();
    if (this.bytes < this.limits.mostBytes) return;
    this.dropSlowest();
    if (this.bytes >= this.limits.mostBytes) throw busy();
  }

  /** How long this turn has taken, ms; without the time that other processes have had. */
  private turnTook(): number {
    const now = performance.now();
    if (this.turnStart === undefined) {
      this.turnStart = now;
      this.turnCpu = process.cpuUsage();
      setImmediate(() => (this.turnStart = undefined));
    }
    const took = now - this.turnStart;
    if (took <= this.limits.turn) return took;
    const { user, system } = process.cpuUsage(this.turnCpu);
    return Math.min(took, (user + system) / 1_000);
  }

  release(body: Body): void {
    if (this.bodies.delete(body)) this.bytes -= body.bytes;
  }

  /** Ends bodies that come too slowly. */
  check(): void {
    const now = performance.now();
    const { window, leastBytes } = this.limits;
    for (const body of this.bodies) {
      if (body.isWhole || now - body.windowStart < window) continue;
      if (body.socket.bytesRead - body.readAtStart < leastBytes) {
        const detail = `The body must come with at least ${leastBytes} bytes in ${window / 1_000} s.`;
        refuse(body, new Problem('body-too-slow', detail));
      }
      body.windowStart = now;
      body.readAtStart = body.socket.bytesRead;
    }
  }

  private grow(body: Body, bytes: number): void {
    // What comes after it was refused is read away, and kept by nobody.
    if (body.isWhole || !this.bodies.has(body)) return;
    body.bytes += bytes;
    this.bytes += bytes;
    if (this.bytes <= this.limits.mostBytes || this.bodies.size === 1) return;
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

  private drop(body: Body): void {
    this.release(body);
    refuse(body, busy());
  }
}

const busy = (): Problem =>
  new Problem('server-busy', 'The server has as much to take in as it can hold: nothing of this request was stored.', {
    retryAfter: RETRY_AFTER,
  });

/** Answers a request whose body is not whole; the connection ends with the answer. */
function refuse(body: Body, problem: Problem): void {
  if (body.isWhole) return;
  body.payload.emit('error', problem);
}

/** Must come after whatever else works on bodies, such as their decompression. */
export function boundBodies(server: FastifyInstance, limits: BodyLimits = BODY_LIMITS): void {
  const budget = new BodyBudget(limits);
  const timer = setInterval(() => budget.check(), limits.window / 10).unref();
  server.addHook('onClose', (_server, done) => {
    clearInterval(timer);
    done();
  });
  server.addHook('preParsing', (request, reply, payload, done) => {
    if (request.method === 'GET' || request.method === 'HEAD') return done(null, payload);
    try {
      const length = request.headers['content-length'];
      budget.assertRoom(length === undefined ? undefined : Number(length));
    } catch (problem) {
      return done(problem as Problem);
    }
    const body = budget.receive(request, payload);
    reply.raw.once('close', () => budget.release(body));
    done(null, payload);
  });
}
