import type { Socket } from 'node:net';
import type { Server } from 'node:tls';
import { isLoopbackAddress } from '../check-host.js';

/** What TLS begins with; no request of HTTP does. */
const HANDSHAKE = 22;
/** How long a connection may say nothing at all, ms. */
const SILENCE = 30_000;

/**
 * At an address with TLS, who asks from this machine may ask without, too: the collector beside the api, `curl` and a proxy here go
 * on as they were when a certificate comes. Nothing of it leaves the machine.
 */
export function answerPlainOnThisMachine(server: Server): void {
  const [secure] = server.listeners('connection') as ((socket: Socket) => void)[];
  if (!secure) throw new Error('a server with TLS takes no connections');
  server.off('connection', secure);
  server.prependListener('connection', (socket: Socket) => {
    if (!isLoopbackAddress(socket.remoteAddress ?? '')) return secure.call(server, socket);
    const end = (): void => void socket.destroy();
    socket.setTimeout(SILENCE, end).once('error', end);
    socket.once('data', (first: Buffer) => {
      socket.setTimeout(0).off('timeout', end).off('error', end);
      socket.pause();
      socket.unshift(first);
      if (first[0] === HANDSHAKE) return secure.call(server, socket);
      // What a server with TLS does with a connection once that is read in clear.
      server.emit('secureConnection', socket);
      process.nextTick(() => socket.resume());
    });
  });
}
