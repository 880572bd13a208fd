import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { MAX_PATH_PART } from '../http/limits.js';
import { addressTooLong, noRoute, sendProblem } from '../http/problem.filter.js';
import { Problem } from '../http/problem.js';

/** What `nx build dashboard` made. */
const BUILT = fileURLToPath(new URL('../../../dashboard/dist', import.meta.url));

/** Paths of programs, where a page would hide that there is nothing. */
const OF_PROGRAMS = /^\/(api|docs|metrics|healthz|readyz)(\/|$)/;

/** Serves the page at `/`, and at every address that is one of its own: which page that is, it decides itself. */
export function serveDashboard(server: FastifyInstance, built = BUILT): void {
  void server.register(async (scope) => {
    await scope.register(fastifyStatic, { root: built, serve: false, preCompressed: true, cacheControl: false });
    // Files that hold no data.
    scope.get('/*', { config: { needs: 'open' } }, (request, reply) => {
      const [path = '/'] = request.url.split('?');
      if (/^\/(assets\/[\w.-]+|icon\.svg)$/.test(path)) return sendAsset(path, reply);
      if (path.split('/').some((part) => part.length > MAX_PATH_PART))
        return sendProblem(addressTooLong(request), reply);
      if (path !== '/' && !isPage(path, request)) return sendProblem(noRoute(request), reply);
      if (!existsSync(`${built}/index.html`)) {
        return sendProblem(
          new Problem('unknown-address', 'The page is not built yet: npx nx build dashboard. /docs lists all calls.'),
          reply,
        );
      }
      // A page that is built anew has files of other names, and says so at once.
      return reply.header('cache-control', 'no-cache').sendFile('index.html');
    });
  });
}

/** The name of a file has a hash of its content, so that it never changes. */
const sendAsset = (path: string, reply: FastifyReply): FastifyReply =>
  reply
    .header(
      'cache-control',
      path.startsWith('/assets/') ? 'public, max-age=31536000, immutable' : 'public, max-age=86400',
    )
    .sendFile(path.slice(1));

const isPage = (path: string, { headers }: FastifyRequest): boolean =>
  !OF_PROGRAMS.test(path) && (headers.accept ?? '').includes('text/html');
