import { Transform, type Readable } from 'node:stream';
import { quote } from '@device-metrics/domain';
import type { FastifyInstance } from 'fastify';
import { Problem } from './problem.js';

/** What a text may say of its characters: ASCII is UTF-8 as well. */
const UTF8 = ['utf-8', 'utf8', 'us-ascii', 'ascii'];

/**
 * Refuses texts that are not UTF-8: bytes that are none would become the same replacement character, and two devices of
 * different names one.
 */
export function acceptOnlyUtf8(server: FastifyInstance): void {
  server.addHook('preParsing', (request, _reply, payload, done) => {
    const type = request.headers['content-type'] ?? '';
    const charset = /;\s*charset\s*=\s*"?([^";\s]*)/i.exec(type)?.[1];
    if (charset !== undefined && !UTF8.includes(charset.toLowerCase())) {
      return done(new Problem('unsupported-content', `The charset must be utf-8, got ${quote(charset)}.`));
    }
    // Other protocols say of each line, or each name, which one it is.
    const { speaks } = request.routeOptions.config;
    if (speaks && !(speaks.parsesJson && /^\s*application\/json/i.test(type))) return done(null, payload);
    if (!/^\s*(text\/|application\/([\w.-]+\+)?json)/i.test(type)) return done(null, payload);
    done(null, (payload as Readable).pipe(checked(payload as Readable)));
  });
}

function checked(source: Readable): Transform {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const refuse = (): Error => Object.assign(new Error('it is not UTF-8'), { statusCode: 400, code: 'NOT_UTF8' });
  const check = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      try {
        decoder.decode(chunk, { stream: true });
        done(null, chunk);
      } catch {
        done(refuse());
      }
    },
    flush(done) {
      try {
        decoder.decode();
        done();
      } catch {
        done(refuse());
      }
    },
  });
  source.on('error', (error) => check.destroy(error));
  return check;
}
