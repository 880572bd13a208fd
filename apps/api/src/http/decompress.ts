import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import type { FastifyInstance, RequestPayload } from 'fastify';
import { Problem } from './problem.js';

/** Takes bodies with `Content-Encoding: gzip`; the body limit of the server counts what comes out. */
export function acceptGzip(server: FastifyInstance): void {
  server.addHook('preParsing', (request, _reply, payload, done) => {
    const encoding = request.headers['content-encoding']?.toLowerCase();
    const { encodings = ['identity', 'gzip'] } = request.routeOptions.config.speaks ?? {};
    if (encoding !== undefined && !encodings.includes(encoding)) {
      const allowed = encodings.includes('gzip') ? 'gzip or none' : encodings.join(' or ');
      return done(new Problem('unsupported-content', `The content encoding must be ${allowed}, got ${encoding}.`));
    }
    if (encoding !== 'gzip') return done(null, payload);
    delete request.headers['content-encoding'];
    delete request.headers['content-length'];
    done(null, gunzip(payload));
  });
}

function gunzip(payload: RequestPayload): Readable {
  const gunzipped = createGunzip();
  payload.on('error', (error) => gunzipped.destroy(error));
  gunzipped.on('error', (error) => {
    if (error instanceof Problem) return;
    Object.assign(error, { statusCode: 400, message: `the body is not gzip: ${error.message}` });
  });
  return payload.pipe(gunzipped);
}
