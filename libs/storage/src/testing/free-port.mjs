import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';

/** Where the system takes the ports of connections from, on Linux and elsewhere. */
const FIRST_OF_CONNECTIONS = 32_768;
const LOWEST = 15_000;

/**
 * A port of 127.0.0.1 that nobody listens on. The system gives it to no connection, so that a server that was stopped, and comes
 * back to it, finds it free.
 */
export const freePort = () => portThat(isFree);

/** The same for UDP. */
export const freeUdpPort = () => portThat(isFreeForUdp);

async function portThat(is) {
  for (;;) {
    const port = LOWEST + Math.floor(Math.random() * (FIRST_OF_CONNECTIONS - LOWEST));
    if (await is(port)) return port;
  }
}

const isFree = (port) =>
  new Promise((resolve) => {
    const server = createServer()
      .once('error', () => resolve(false))
      .listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });

const isFreeForUdp = (port) =>
  new Promise((resolve) => {
    const socket = createSocket('udp4')
      .once('error', () => resolve(false))
      .bind(port, '127.0.0.1', () => socket.close(() => resolve(true)));
  });
