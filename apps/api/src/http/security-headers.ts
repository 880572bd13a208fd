import type { FastifyInstance } from 'fastify';
import helmet from 'helmet';

/** What a browser may load for an answer: nothing that is not of this server, and nothing inline. */
const STRICT = {
  defaultSrc: ["'self'"],
  baseUri: ["'none'"],
  formAction: ["'self'"],
  frameAncestors: ["'self'"],
  objectSrc: ["'none'"],
};
/** The page of Swagger UI has style sheets and symbols within it; its scripts are files. */
const SWAGGER_UI = { ...STRICT, styleSrc: ["'self'", "'unsafe-inline'"], imgSrc: ["'self'", 'data:'] };

const DOCUMENTATION = /^\/docs(\/|\?|$)/;

const headersWith = (directives: Record<string, string[]>): ReturnType<typeof helmet> =>
  helmet({
    contentSecurityPolicy: { useDefaults: false, directives },
    // Whoever has a certificate of its own would shut browsers out by it.
    strictTransportSecurity: false,
    referrerPolicy: { policy: 'same-origin' },
  });

/** Headers that make browsers careful, on every answer, refusals too. A route that needs others sets its own. */
export function sendSecurityHeaders(server: FastifyInstance): void {
  const strict = headersWith(STRICT);
  const swaggerUi = headersWith(SWAGGER_UI);
  server.addHook('onRequest', ({ raw, url }, reply, done) => {
    (DOCUMENTATION.test(url) ? swaggerUi : strict)(raw, reply.raw, () => done());
  });
}
