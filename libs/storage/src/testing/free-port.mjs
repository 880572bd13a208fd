import { createServer } from 'node:net';

/** Where the system takes the ports of connections from, on Linux and elsewhere. */
const FIRST_OF_CONNECTIONS = 32_768;
const LOWEST = 15_000;

/**
 * A port of 127.0.0.1 that nobody listens on. The system gives it to no connection, so that a server that was stopped, and comes
 * back to it, finds it free.
 */
export async function freePort() {
  for (;;) {
    const port = LOWEST + Math.floor(Math.random() * (FIRST_OF_CONNECTIONS - LOWEST));
    if (await isFree(port)) return port;
  }
}

const isFree = (port) =>
  new Promise((resolve) => {
    const server = createServer()
      .once('error', () => resolve(false))
      .listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
