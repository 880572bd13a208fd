import type { Socket } from 'node:net';
import type { ServerResponse } from 'node:http';
import type { FastifyInstance } from 'fastify';
import { isMemoryShort, roomForReports } from './memory.js';
import { Problem } from './problem.js';

export interface LineLimits {
  /** Reports that are made at a time. */
  readonly atOnce: number;
  /** Of one connection. */
  readonly ofOne: number;
  /** Reports that wait. */
  readonly waiting: number;
  /** How long a reader that takes nothing keeps its place among those that are made, ms. */
  readonly patience: number;
  /** How long others wait, where memory is short, for readers that take nothing, and for slow ones, ms: then these are cut off. */
  readonly unread: number;
  readonly slow: number;
}

export const LINE_LIMITS: LineLimits = {
  atOnce: Math.min(6, roomForReports()),
  ofOne: 2,
  waiting: 200,
  patience: 100,
  unread: 5_000,
  slow: 60_000,
};
const RETRY_AFTER = 5;

interface Place {
  readonly connection: Socket;
  readonly response: ServerResponse;
  /** Lets it begin. */
  readonly call: () => void;
  isBlocked: boolean;
  /** Since when others wait for its reader, and since when that has taken nothing, ms. */
  awaited?: { readonly since: number; unreadSince: number; bytes: number } | undefined;
}

/**
 * The line of reports, which may take long: a few are made at a time, and connections take turns, so that somebody who
 * asks for hundreds makes others wait for some. Everything else passes by. A reader that takes nothing of its report makes
 * way.
 */
export class ReportLine {
  private readonly running = new Set<Place>();
  /** Those that have begun and are not at their end, with readers that take nothing: they hold memory. */
  private readonly begun = new Set<Place>();
  /** By connection, whose turn is next first. */
  private readonly waiting = new Map<Socket, Place[]>();
  private waitingCount = 0;

  /** @param isShort whether memory is short while so many are made: then a report begins only once no other is under way. */
  constructor(
    private readonly limits: LineLimits,
    private readonly isShort: (underWay: number) => boolean = () => false,
  ) {}

  /**
   * Resolves when it is this one's turn.
   *
   * @throws Problem where the line is too long.
   */
  async turn(connection: Socket, response: ServerResponse): Promise<void> {
    if (this.waitingCount >= this.limits.waiting) {
      throw new Problem('too-many-reports', `There are ${this.limits.waiting} reports that wait to be made.`, {
        retryAfter: RETRY_AFTER,
      });
    }
    await new Promise<void>((resolve) => {
      const place: Place = { connection, response, call: resolve, isBlocked: false };
      response.once('close', () => this.leave(place));
      const line = this.waiting.get(connection);
      if (line) line.push(place);
      else this.waiting.set(connection, [place]);
      this.waitingCount += 1;
      this.next();
    });
  }

  /** Takes those that are gone out of the line, and gives away the places of readers that take nothing. */
  check(): void {
    if (this.begun.size === 0 && this.waitingCount === 0) return;
    for (const connection of [...this.waiting.keys()]) if (connection.destroyed) this.leaveAll(connection);
    for (const place of this.running) {
      const { connection, response } = place;
      const isBlocked = response.writableNeedDrain || connection.writableNeedDrain;
      if (connection.destroyed || (isBlocked && place.isBlocked)) this.running.delete(place);
      place.isBlocked = isBlocked;
    }
    this.next();
    this.cutOffSlow();
  }

  /** Where memory is short and all that have begun wait for their readers, those in the line do not wait for these for ever. */
  private cutOffSlow(): void {
    const now = performance.now();
    const isAwaited = this.waitingCount > 0 && this.running.size === 0;
    for (const place of this.begun) {
      const { bytesWritten: bytes } = place.connection;
      if (!isAwaited) place.awaited = undefined;
      else if (!place.awaited) place.awaited = { since: now, unreadSince: now, bytes };
      else if (place.awaited.bytes !== bytes) Object.assign(place.awaited, { unreadSince: now, bytes });
      const { since = now, unreadSince = now } = place.awaited ?? {};
      if (now - unreadSince > this.limits.unread || now - since > this.limits.slow) place.connection.destroy();
    }
  }

  private leave(place: Place): void {
    this.running.delete(place);
    this.begun.delete(place);
    if (place.connection.destroyed) this.leaveAll(place.connection);
    this.next();
  }

  /** Whoever waited on a connection that is no more: nobody would read it. */
  private leaveAll(connection: Socket): void {
    this.waitingCount -= this.waiting.get(connection)?.length ?? 0;
    this.waiting.delete(connection);
  }

  private next(): void {
    for (const [connection, line] of [...this.waiting]) {
      if (this.running.size >= this.limits.atOnce) return;
      if (this.runningOf(connection) >= this.limits.ofOne) continue;
      if (this.begun.size > 0 && this.isShort(this.running.size)) return;
      const place = line.shift();
      // To the end: others are served first now.
      this.waiting.delete(connection);
      if (line.length > 0) this.waiting.set(connection, line);
      if (!place) continue;
      this.waitingCount -= 1;
      this.running.add(place);
      this.begun.add(place);
      place.call();
    }
  }

  private runningOf(connection: Socket): number {
    let count = 0;
    for (const place of this.running) if (place.connection === connection) count += 1;
    return count;
  }
}

const isReport = (route: string | undefined): boolean => /^\/api\/v1\/reports\/(?!latest)/.test(route ?? '');

/** Must come after the guard: whoever may not ask does not wait. */
export function lineUpReports(server: FastifyInstance, limits: LineLimits = LINE_LIMITS): void {
  const line = new ReportLine(limits, isMemoryShort);
  const timer = setInterval(() => line.check(), limits.patience).unref();
  server.addHook('onClose', (_server, done) => {
    clearInterval(timer);
    done();
  });
  server.addHook('onRequest', (request, reply, done) => {
    if (!isReport(request.routeOptions.url)) return done();
    line.turn(request.raw.socket, reply.raw).then(() => done(), done);
  });
}
