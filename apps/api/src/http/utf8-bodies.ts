import { Transform, type TransformCallback } from 'node:stream';
import { quote } from '@device-metrics/domain';
import type { FastifyInstance, RequestPayload } from 'fastify';
import { Problem } from './problem.js';

/** What a text may say of its characters: ASCII is UTF-8 as well. */
const UTF8 = ['utf-8', 'utf8', 'us-ascii', 'ascii'];
/** Clients in Java say and send this where nobody has told them otherwise. */
const LATIN1 = ['iso-8859-1', 'latin1'];

/**
 * Makes UTF-8 of texts that say that they are Latin-1, and refuses those of other characters: bytes that are not UTF-8 would become
 * the same replacement character, and two devices of different names one. What says nothing is looked at where it is parsed;
 * other protocols say of each line, or each name, which one it is. Must come after the decompression of bodies.
 */
export function acceptUtf8AndLatin1(server: FastifyInstance): void {
  server.addHook('preParsing', (request, _reply, payload, done) => {
    const type = request.headers['content-type'];
    if (type === undefined || !type.includes(';')) return done(null, payload);
    const charset = /;\s*charset\s*=\s*"?([^";\s]*)/i.exec(type)?.[1];
    if (charset === undefined || UTF8.includes(charset.toLowerCase())) return done(null, payload);
    if (!LATIN1.includes(charset.toLowerCase())) {
      return done(
        new Problem('unsupported-content', `The charset must be utf-8 or iso-8859-1, got ${quote(charset)}.`),
      );
    }
    const { 'content-length': length = '0' } = request.headers;
    delete request.headers['content-length'];
    // Without a length, and without a type, Fastify would take it for a request without a body.
    if (length !== '0') request.headers['transfer-encoding'] = 'chunked';
    done(null, utf8OfLatin1(payload));
  });
}

function utf8OfLatin1(payload: RequestPayload): Transform {
  const utf8 = new Transform({
    transform: (chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback) =>
      done(null, Buffer.from(chunk.toString('latin1'))),
  });
  payload.on('error', (error) => utf8.destroy(error));
  return payload.pipe(utf8);
}
