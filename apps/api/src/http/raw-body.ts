import type { FastifyInstance } from 'fastify';
import type { BodyBudget } from './body-budget.js';
import { Problem } from './problem.js';

const WITHOUT_BODY = new Set(['GET', 'HEAD']);

/** Gives routes of other protocols their bodies as bytes, whatever these say that they are; on other routes it is a 415. */
export function acceptBytes(server: FastifyInstance, budget: BodyBudget): void {
  server.addContentTypeParser('*', { parseAs: 'buffer' }, (request, body, done) => {
    budget.takeTurn(request, (refusal) => done(refusal ?? null, body));
  });
  server.addHook('preParsing', ({ method, headers, is404, routeOptions }, _reply, payload, done) => {
    // As InfluxDB's clients in Go send it. Fastify would refuse it before the route.
    if (headers['content-type'] === '') delete headers['content-type'];
    const hasBody = headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0';
    // Many clients name a type with every request.
    if (method === 'DELETE' && !hasBody) delete headers['content-type'];
    const type = headers['content-type'];
    if (
      WITHOUT_BODY.has(method) ||
      is404 ||
      routeOptions.config.speaks ||
      (type === undefined && !hasBody) ||
      /^\s*application\/(json|x-www-form-urlencoded)\s*(;|$)/i.test(type ?? '')
    ) {
      return done(null, payload);
    }
    done(new Problem('unsupported-content', `The content type must be application/json, got ${type || 'none'}.`));
  });
}
