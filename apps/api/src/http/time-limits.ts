import { maxHeaderSize, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { lastAnswer } from './last-answer.js';
import { Problem } from './problem.js';

/** Milliseconds. Each has its say in docs/operations.md. */
export interface TimeLimits {
  /** For the head of a request, and for a connection that asks nothing at all. */
  readonly head: number;
  /** For a request with its body, at the most. */
  readonly request: number;
  /** Without the client having taken any of an answer that waits for it. */
  readonly stalledReader: number;
}

export const TIME_LIMITS: TimeLimits = { head: 15_000, request: 300_000, stalledReader: 30_000 };

interface ServerTimes {
  readonly headersTimeout: number;
  readonly requestTimeout: number;
  readonly connectionsCheckingInterval: number;
}

/** For Node's server: what it watches by itself. */
export const serverTimes = ({ head, request }: TimeLimits = TIME_LIMITS): ServerTimes => ({
  headersTimeout: head,
  requestTimeout: request,
  connectionsCheckingInterval: Math.min(1_000, head / 4),
});

/** Ends connections whose client does not read what it asked for, as of a backup. Others that are quiet may go on. */
export function endStalledReaders(server: FastifyInstance, { stalledReader }: TimeLimits = TIME_LIMITS): void {
  /** Answers that each connection waits for. */
  const waiting = new WeakMap<Socket, number>();
  const add = (socket: Socket, count: number): void => void waiting.set(socket, (waiting.get(socket) ?? 0) + count);
  server.server.on('request', ({ socket }: IncomingMessage, response: ServerResponse) => {
    add(socket, 1);
    response.once('close', () => add(socket, -1));
  });
  // Node's own timer, which knows of the bytes that are on their way in one large piece.
  server.server.setTimeout(stalledReader, (socket: Socket) => {
    if (!waiting.get(socket) || socket.writableLength > 0) socket.destroy();
    else socket.setTimeout(stalledReader);
  });
}

/** Answers what is no request that Node could read, or came too slowly. */
export function refuseConnection(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return;
  if (socket.writable) socket.write(lastAnswer(unreadable(error.code)));
  socket.destroySoon();
}

function unreadable(code: string | undefined): Problem {
  switch (code) {
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return new Problem('request-too-slow', 'The request did not come in time.');
    case 'HPE_HEADER_OVERFLOW':
      return new Problem('request-refused', `The head must have at most ${maxHeaderSize} bytes.`, { status: 431 });
    default:
      return new Problem('request-refused', 'This is not HTTP/1.1.');
  }
}
