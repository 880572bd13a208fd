import type { Readable } from 'node:stream';
import { createGunzip, gunzipSync } from 'node:zlib';
import type { FastifyInstance, RequestPayload } from 'fastify';
import { MAX_BODY } from './limits.js';
import { Problem } from './problem.js';

/** No body that says anything is so many times its length, once it is of some length: a bomb is a thousand times. */
const MOST_TIMES = 200;
const SOME_LENGTH = 2 ** 20;

/** Bodies of at most so many bytes are undone in one piece, where they become at most so many. */
export const MOST_PACKED = 64 * 1024;
const MOST_AT_ONCE = 512 * 1024;

/** Takes bodies with `Content-Encoding: gzip`; the body limit of the server counts what comes out. */
export function acceptGzip(server: FastifyInstance): void {
  server.addHook('preParsing', (request, _reply, payload, done) => {
    const said = request.headers['content-encoding']?.toLowerCase() || undefined;
    const encoding = said === 'x-gzip' ? 'gzip' : said;
    const { encodings = ['identity', 'gzip'] } = request.routeOptions.config.speaks ?? {};
    if (encoding !== undefined && !encodings.includes(encoding)) {
      const allowed = encodings.includes('gzip') ? 'gzip or none' : encodings.join(' or ');
      return done(new Problem('unsupported-content', `The content encoding must be ${allowed}, got ${encoding}.`));
    }
    // Some clients say gzip of all that they send, where that is nothing too.
    if (encoding !== 'gzip' || request.headers['content-length'] === '0') return done(null, payload);
    const { 'content-length': length } = request.headers;
    delete request.headers['content-encoding'];
    delete request.headers['content-length'];
    // Without a length, and without a type, Fastify would take it for a request without a body.
    if (length !== undefined) request.headers['transfer-encoding'] = 'chunked';
    done(null, gunzip(payload));
  });
}

/**
 * What comes out of a body. Beyond `most` bytes nothing more is inflated: whoever refuses it reads the rest away, which of a
 * bomb is a gigabyte. One that is seen to be a bomb before is an error.
 */
export function gunzip(payload: RequestPayload, most = MAX_BODY): Readable {
  const gunzipped = createGunzip();
  let bytes = 0;
  const end = (problem?: Problem): void => {
    payload.unpipe(gunzipped);
    payload.resume();
    gunzipped.destroy(problem);
  };
  gunzipped.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    // The parser hears of this piece first, and refuses the body.
    if (bytes > most) setImmediate(end);
    else if (bytes > SOME_LENGTH && bytes > MOST_TIMES * gunzipped.bytesWritten) end(tooTight());
  });
  payload.on('error', (error) => gunzipped.destroy(error));
  gunzipped.on('error', (error) => {
    if (error instanceof Problem) return;
    // Whoever still sends would not see the answer.
    payload.resume();
    Object.assign(error, { statusCode: 400, message: `the body is not gzip: ${error.message}` });
  });
  return payload.pipe(gunzipped);
}

/**
 * The same of a whole body, in a quarter of the time; undefined where it would hold up others, or is not gzip, which `gunzip` says.
 */
export function gunzipAtOnce(packed: Buffer): Buffer | undefined {
  try {
    return gunzipSync(packed, { maxOutputLength: MOST_AT_ONCE, chunkSize: MOST_PACKED });
  } catch {
    return undefined;
  }
}

const tooTight = (): Problem =>
  new Problem('body-too-large', `The body must have at most ${MOST_TIMES} times its length after decompression.`);
