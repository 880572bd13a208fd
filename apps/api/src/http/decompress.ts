import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import type { FastifyInstance, RequestPayload } from 'fastify';
import { MAX_BODY } from './limits.js';
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

/**
 * What comes out of a body. Beyond `most` bytes nothing more is inflated: whoever refuses it reads the rest away, which of a
 * bomb is a gigabyte.
 */
export function gunzip(payload: RequestPayload, most = MAX_BODY): Readable {
  const gunzipped = createGunzip();
  let bytes = 0;
  gunzipped.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes <= most) return;
    // The parser hears of this piece first, and refuses the body.
    setImmediate(() => {
      payload.unpipe(gunzipped);
      payload.resume();
      gunzipped.destroy();
    });
  });
  payload.on('error', (error) => gunzipped.destroy(error));
  gunzipped.on('error', (error) => {
    if (error instanceof Problem) return;
    Object.assign(error, { statusCode: 400, message: `the body is not gzip: ${error.message}` });
  });
  return payload.pipe(gunzipped);
}
