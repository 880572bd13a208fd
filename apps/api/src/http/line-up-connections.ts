import type { Server, Socket } from 'node:net';

/** So many connections begin in one turn of the event loop. */
const AT_A_TIME = 5;

/**
 * Of thousands who connect at once few begin in each turn of the event loop, and nothing is read of one before: who is
 * connected waits for few of them. Must come after whatever else listens to connections.
 */
export function lineUpConnections(server: Server): void {
  const listeners = server.listeners('connection') as ((socket: Socket) => void)[];
  server.removeAllListeners('connection');
  (server as Server & { pauseOnConnect: boolean }).pauseOnConnect = true;
  const line: Socket[] = [];
  let isBusy = false;
  const begin = (): void => {
    for (const socket of line.splice(0, AT_A_TIME)) {
      for (const listener of listeners) listener.call(server, socket);
      socket.resume();
    }
    isBusy = line.length > 0;
    if (isBusy) setImmediate(begin);
  };
  server.on('connection', (socket: Socket) => {
    line.push(socket);
    if (isBusy) return;
    isBusy = true;
    setImmediate(begin);
  });
}
