import { pipeline, Readable } from 'node:stream';
import { constants, createGzip, gzip } from 'node:zlib';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

/** Smaller answers cost more time to compress than to send, bytes. */
const WORTH_IT = 32_768;

/** Numbers and names that come again and again: the fastest level makes a tenth of them. */
const OPTIONS = { level: constants.Z_BEST_SPEED };

/**
 * Sends long JSON that was asked for as gzip to those who take it. Nothing secret is in such an answer beside what a stranger
 * could have put there (BREACH): secrets are shown once, in answers to a POST.
 */
export function compressAnswers(server: FastifyInstance): void {
  const compressed = new WeakSet<FastifyReply>();
  server.addHook('onSend', (request, reply, payload: unknown, done) => {
    // What broke off before its first byte is answered anew, by a problem.
    if (compressed.delete(reply)) void reply.removeHeader('content-encoding');
    if (!isLong(payload) || !mayCompress(request, reply)) return done(null, payload);
    compressed.add(reply);
    void reply.header('content-encoding', 'gzip').header('vary', varyOf(reply)).removeHeader('content-length');
    if (!(payload instanceof Readable)) return gzip(payload, OPTIONS, done);
    // What breaks off on one side ends the other.
    done(
      null,
      pipeline(payload, createGzip(OPTIONS), () => undefined),
    );
  });
}

const isLong = (payload: unknown): payload is string | Buffer | Readable =>
  payload instanceof Readable ||
  ((typeof payload === 'string' || Buffer.isBuffer(payload)) && payload.length >= WORTH_IT);

const mayCompress = ({ method, headers }: FastifyRequest, reply: FastifyReply): boolean =>
  method === 'GET' &&
  reply.statusCode === 200 &&
  /^application\/json\b/.test(String(reply.getHeader('content-type') ?? '')) &&
  reply.getHeader('content-encoding') === undefined &&
  takesGzip(headers['accept-encoding']);

/** Whether a header `Accept-Encoding` names gzip, other than to refuse it. */
const takesGzip = (accepted: string | string[] | undefined): boolean =>
  String(accepted ?? '')
    .split(',')
    .some((one) => /^\s*gzip\s*(;\s*q=(1|0\.\d*[1-9])\d*\.?0*\s*)?$/i.test(one));

const varyOf = (reply: FastifyReply): string =>
  [reply.getHeader('vary') ?? [], 'accept-encoding'].flat().map(String).join(', ');
