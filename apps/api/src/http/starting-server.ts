import { once } from 'node:events';
import { createServer as createHttpServer, type RequestListener, type Server } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { Problem, PROBLEM_JSON } from './problem.js';
import { setSecurityHeaders } from './security-headers.js';

interface Address {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** Certificate and key, PEM; without them there is no TLS. */
  readonly tls?: { readonly cert: string; readonly key: string } | undefined;
}

/** As `listen` of Node takes it of any server or socket that it is given in place of an address. */
interface Handle {
  readonly _handle: unknown;
}

/** Answers while the database is being opened: that the process lives, and everywhere else that senders are to wait. */
export class StartingServer {
  private constructor(private readonly server: Server) {}

  static async open({ host, port, tls }: Address): Promise<StartingServer> {
    const server = tls ? createHttpsServer(tls, answer) : createHttpServer(answer);
    await once(server.listen(port, host), 'listening');
    return new StartingServer(server);
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /**
   * What another server goes on listening with: the port is open all the time, and until that server listens this one
   * answers. To be handed to `listen` beside the port.
   */
  handOver(): Handle {
    const holder = this.server as unknown as { _handle: unknown };
    const { _handle } = holder;
    // Without it the end of this server does not close the port.
    holder._handle = null;
    this.server.close();
    return { _handle };
  }
}

const STARTING = 'The api is opening its database; it will answer in a moment.';
const PAGE =
  '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">' +
  '<meta name="color-scheme" content="light dark"><title>Device Metrics</title>' +
  `<h1>Device Metrics</h1><p>${STARTING} This page goes on by itself.</p></html>\n`;

const answer: RequestListener = (request, response) => {
  request.resume();
  setSecurityHeaders(response);
  response.setHeader('connection', 'close');
  if (/^\/healthz\/?(\?|$)/.test(request.url ?? '')) {
    response.setHeader('content-type', 'application/json; charset=utf-8');
    response.end(JSON.stringify({ status: 'ok' }));
    return;
  }
  const problem = new Problem('starting', STARTING);
  response.statusCode = problem.getStatus();
  response.setHeader('retry-after', '5');
  // A browser, with a person who waits for the page.
  if (request.headers.accept?.includes('text/html')) {
    response.setHeader('content-type', 'text/html; charset=utf-8');
    response.setHeader('refresh', '2');
    return void response.end(PAGE);
  }
  response.setHeader('content-type', PROBLEM_JSON);
  response.end(JSON.stringify(problem.body()));
};
