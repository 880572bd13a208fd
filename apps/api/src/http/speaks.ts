import type { FastifyRequest } from 'fastify';
import type { Problem } from './problem.js';
import { AddRouteConfig } from './route-config.js';

/** An answer as bytes or text, and what it is. */
export interface Written {
  readonly contentType: string;
  readonly body: string | Uint8Array;
}

/** What is different on the routes of a protocol that is not this project's own. */
export interface Protocol {
  /** Content encodings that it takes, of which only gzip is undone before the route sees the body; left out: none and gzip. */
  readonly encodings?: readonly string[];
  /** Whether JSON is parsed before the route sees it; any other body, whatever its type, comes as a Buffer. */
  readonly parsesJson?: boolean;
  /** What stands for the header Authorization where senders of the protocol may show who they are in another way. */
  readonly authorization?: (request: Pick<FastifyRequest, 'query'>) => string | undefined;
  /** A problem as senders of the protocol read it; who called and what failed makes no difference. */
  readonly problem: (problem: Problem, request: FastifyRequest) => Written;
}

declare module 'fastify' {
  interface FastifyContextConfig {
    speaks?: Protocol;
  }
}

/** Says that a route speaks a protocol of others: how its bodies come, and how its errors go, those of the guard too. */
export const Speaks = (protocol: Protocol): MethodDecorator => AddRouteConfig({ speaks: protocol });
