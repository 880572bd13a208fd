import type { Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { serveDashboard } from './dashboard/serve-dashboard.js';
import { BODY_LIMITS, BodyBudget, boundBodies } from './http/body-budget.js';
import { consoleLogger } from './http/console-logger.js';
import { compressAnswers } from './http/compress.js';
import { acceptGzip } from './http/decompress.js';
import { openDirectPath } from './http/direct.js';
import { sendEntityTags } from './http/entity-tag.js';
import { lineUpFirstRequests } from './http/first-requests.js';
import { acceptJson } from './http/json-body.js';
import { MAX_BODY, MAX_PATH_PART } from './http/limits.js';
import { serveDocs } from './http/serve-docs.js';
import { ProblemFilter, refuseAddress } from './http/problem.filter.js';
import { acceptBytes } from './http/raw-body.js';
import { lineUpReports } from './http/report-line.js';
import { sendSecurityHeaders } from './http/security-headers.js';
import { pathOf } from './http/target.js';
import { endStalledReaders, refuseConnection, serverTimes } from './http/time-limits.js';
import { closeUnusedConnections } from './http/unused-connections.js';
import { acceptUtf8AndLatin1 } from './http/utf8-bodies.js';
import { validation } from './http/validation.js';

interface ServerOptions {
  /** Certificate and key, PEM; without them there is no TLS. */
  readonly tls?: { readonly cert: string; readonly key: string } | undefined;
  /** Addresses and networks of reverse proxies whose headers say who the client is. */
  readonly trustedProxies?: readonly string[];
  /** Sees the application before it has any route. */
  readonly beforeRoutes?: (app: NestFastifyApplication) => void;
}

const noSchemas = (): never => {
  throw new Error('Routes have no JSON schemas: DTO classes say what is taken.');
};

/** The application of a module with everything that holds for every call: limits, validation, errors, documentation. */
export async function createServer(
  module: Type,
  { tls, trustedProxies = [], beforeRoutes }: ServerOptions = {},
): Promise<NestFastifyApplication> {
  const times = serverTimes();
  const adapter = new FastifyAdapter({
    ...(tls ? { https: { ...times, cert: tls.cert, key: tls.key } } : { http: times }),
    requestTimeout: times.requestTimeout,
    clientErrorHandler: refuseConnection,
    bodyLimit: MAX_BODY,
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: MAX_PATH_PART },
    frameworkErrors: refuseAddress,
    // Nothing here is checked or written by JSON schemas, and their compilers are 230 files.
    schemaController: { compilersFactory: { buildValidator: noSchemas, buildSerializer: noSchemas } },
    trustProxy: trustedProxies.length > 0 ? [...trustedProxies] : false,
    rewriteUrl: pathOf,
    // A stop answers the requests under way and closes every connection, also those that clients keep open.
    forceCloseConnections: 'idle',
  });
  const app = await NestFactory.create<NestFastifyApplication>(module, adapter, {
    // Nest's would add forms, and take __proto__ keys.
    bodyParser: false,
    abortOnError: false,
    // Nest's own forty lines about modules and routes say nothing to a user.
    logger: consoleLogger(['warn', 'error', 'fatal']),
  });
  const server = adapter.getInstance();
  server.removeContentTypeParser('text/plain');
  const budget = new BodyBudget(BODY_LIMITS);
  const json = acceptJson(server, budget);
  sendSecurityHeaders(server);
  openDirectPath(server, budget, json);
  lineUpFirstRequests(server);
  beforeRoutes?.(app);
  lineUpReports(server);
  acceptGzip(server);
  compressAnswers(server);
  sendEntityTags(server);
  acceptUtf8AndLatin1(server);
  boundBodies(server, BODY_LIMITS, budget);
  acceptBytes(server, budget);
  endStalledReaders(server);
  closeUnusedConnections(server);
  app.useGlobalPipes(validation());
  app.useGlobalFilters(new ProblemFilter());
  serveDocs(app);
  serveDashboard(server);
  return app;
}
