import type { IncomingMessage, ServerResponse } from 'node:http';
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

type Header = readonly [name: string, value: string];

/**
 * What helmet says for these directives: it says the same of every request, so it is asked once. And that nothing is kept:
 * most answers are for the one who asked, and some have a secret that is shown once.
 */
function headersWith(directives: Record<string, string[]>): readonly Header[] {
  const headers: Header[] = [['Cache-Control', 'no-store']];
  const response = {
    setHeader: (name: string, value: string) => headers.push([name, value]),
    removeHeader: () => undefined,
  } as unknown as ServerResponse;
  const ask = helmet({
    contentSecurityPolicy: { useDefaults: false, directives },
    // Whoever has a certificate of its own would shut browsers out by it.
    strictTransportSecurity: false,
    referrerPolicy: { policy: 'same-origin' },
  });
  ask({} as IncomingMessage, response, (error) => {
    if (error) throw new Error('helmet gives no headers', { cause: error });
  });
  return headers;
}

const strict = headersWith(STRICT);

/** Those of every answer but for the documentation's, names and values in turn. */
export const SECURITY_HEADERS: readonly string[] = strict.flat();

/** Sets them on an answer in whose way no hook stands. */
export function setSecurityHeaders(response: ServerResponse, headers = strict): void {
  for (const [name, value] of headers) response.setHeader(name, value);
}

/** Headers that make browsers and proxies careful, on every answer, refusals too. A route that needs others sets its own. */
export function sendSecurityHeaders(server: FastifyInstance): void {
  const swaggerUi = headersWith(SWAGGER_UI);
  server.addHook('onRequest', ({ url }, { raw }, done) => {
    setSecurityHeaders(raw, DOCUMENTATION.test(url) ? swaggerUi : strict);
    done();
  });
}
