import { once } from 'node:events';
import { createServer as createHttpServer, type RequestListener, type Server } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { Problem, PROBLEM_JSON } from './problem.js';

interface Address {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** Certificate and key, PEM; without them there is no TLS. */
  readonly tls?: { readonly cert: string; readonly key: string } | undefined;
}

/** How long answers that are under way may take at the end, ms. */
const GRACE = 200;

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

  /** Resolves once its port is free. */
  async close(): Promise<void> {
    const closed = once(this.server, 'close');
    this.server.close();
    this.server.closeIdleConnections();
    const cut = setTimeout(() => this.server.closeAllConnections(), GRACE);
    await closed;
    clearTimeout(cut);
  }
}

const answer: RequestListener = (request, response) => {
  request.resume();
  response.setHeader('connection', 'close');
  if (/^\/healthz\/?(\?|$)/.test(request.url ?? '')) {
    response.setHeader('content-type', 'application/json; charset=utf-8');
    response.end(JSON.stringify({ status: 'ok' }));
    return;
  }
  const problem = new Problem('starting', 'The api is opening its database; it will answer in a moment.');
  response.writeHead(problem.getStatus(), { 'content-type': PROBLEM_JSON, 'retry-after': '5' });
  response.end(JSON.stringify(problem.body()));
};
