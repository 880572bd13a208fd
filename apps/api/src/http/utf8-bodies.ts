import { quote } from '@device-metrics/domain';
import type { FastifyInstance } from 'fastify';
import { Problem } from './problem.js';

/** What a text may say of its characters: ASCII is UTF-8 as well. */
const UTF8 = ['utf-8', 'utf8', 'us-ascii', 'ascii'];

/**
 * Refuses texts that say that they are not UTF-8: bytes that are none would become the same replacement character, and two
 * devices of different names one. What says nothing is looked at where it is parsed; other protocols say of each line, or
 * each name, which one it is.
 */
export function acceptOnlyUtf8(server: FastifyInstance): void {
  server.addHook('preParsing', (request, _reply, payload, done) => {
    const type = request.headers['content-type'];
    if (type === undefined || !type.includes(';')) return done(null, payload);
    const charset = /;\s*charset\s*=\s*"?([^";\s]*)/i.exec(type)?.[1];
    if (charset === undefined || UTF8.includes(charset.toLowerCase())) return done(null, payload);
    done(new Problem('unsupported-content', `The charset must be utf-8, got ${quote(charset)}.`));
  });
}
