import type { RequestListener } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';

/** First requests that wait: what comes beyond it is cut off. */
const MOST_WAITING = 1_000;

/**
 * Of the first requests of connections begins one in each turn of the event loop, so that thousands who connect at once, as to
 * drip, hold up nobody who has been answered before. Must come before whatever else listens to requests.
 */
export function lineUpFirstRequests({ server }: FastifyInstance): void {
  const handlers = server.listeners('request') as RequestListener[];
  server.removeAllListeners('request');
  const answered = new WeakSet<Socket>();
  const line: Parameters<RequestListener>[] = [];
  /** Whether one has begun in this turn. */
  let hasBegun = false;

  const handle: RequestListener = (request, response) => {
    for (const handler of handlers) handler.call(server, request, response);
  };
  const begin = (...[request, response]: Parameters<RequestListener>): void => {
    hasBegun = true;
    setImmediate(next);
    handle(request, response);
  };
  const next = (): void => {
    hasBegun = false;
    let waiting = line.shift();
    // Who has gone meanwhile needs no answer.
    while (waiting?.[0].socket.destroyed) waiting = line.shift();
    if (waiting) begin(...waiting);
  };

  server.on('request', (request, response) => {
    const { socket } = request;
    if (answered.has(socket)) return handle(request, response);
    response.once('finish', () => answered.add(socket));
    if (!hasBegun) return begin(request, response);
    if (line.length >= MOST_WAITING) return void socket.destroy();
    line.push([request, response]);
  });
}
