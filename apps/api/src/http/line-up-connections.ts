import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';

/** Of many who connect so few begin at a time. */
const AT_A_TIME = 3;
/** How long after them the next ones do, ms. */
const EVERY = 2;

/**
 * Of thousands who connect at once few begin at a time, and none while those who have begun wait for their turns; nothing is read of one
 * before. Who is connected has most of the event loop meanwhile. Must come after whatever else listens to connections, and after what
 * lines up first requests.
 */
export function lineUpConnections({ server, firstRequests }: FastifyInstance): void {
  const listeners = server.listeners('connection') as ((socket: Socket) => void)[];
  server.removeAllListeners('connection');
  (server as typeof server & { pauseOnConnect: boolean }).pauseOnConnect = true;
  const line: Socket[] = [];
  let isWaiting = false;
  const begin = (): void => {
    isWaiting = line.length > 0;
    if (!isWaiting) return;
    for (const socket of line.splice(0, firstRequests.isBehind ? 0 : AT_A_TIME)) {
      for (const listener of listeners) listener.call(server, socket);
      socket.resume();
    }
    setTimeout(begin, EVERY);
  };
  server.on('connection', (socket: Socket) => {
    line.push(socket);
    if (isWaiting) return;
    isWaiting = true;
    setImmediate(begin);
  });
}
