import { createHash } from 'node:crypto';
import { applyDecorators } from '@nestjs/common';
import { ApiHeader } from '@device-metrics/contract/openapi';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { ApiProblems } from './openapi.js';
import { Problem } from './problem.js';

/** Of something that people change, as in the header `ETag`: another one once anything of it is another. */
export const entityTag = (content: unknown): string =>
  `"${createHash('sha256').update(JSON.stringify(content)).digest('base64url').slice(0, 16)}"`;

/** For `@ApiProperty` of a tag. */
export const ETAG = {
  description:
    'Changes with it: who sends it back as `If-Match` changes nothing that somebody else has changed meanwhile.',
  example: '"6yRzrbyNvoyXf0pP"',
};

/** Documents a call that heeds `If-Match`. */
export const HeedsTag = (): MethodDecorator =>
  applyDecorators(
    ApiHeader({
      name: 'If-Match',
      required: false,
      description: 'The `etag` of what is to change, as it was read; `*` for any. Left out: whatever is there.',
      schema: { type: 'string' },
    }),
    ApiProblems({ 'changed-meanwhile': changed().message }),
  );

/** Whether the caller says what it has read. */
export const isConditional = ({ headers }: FastifyRequest): boolean =>
  headers['if-match'] !== undefined || headers['if-none-match'] !== undefined;

/**
 * @param tag of what there is; undefined where there is nothing.
 * @throws Problem where the caller has read something else, or has asked by `If-None-Match: *` that there be nothing.
 */
export function assertAsRead({ headers }: FastifyRequest, tag: string | undefined): void {
  if (headers['if-none-match']?.trim() === '*' && tag !== undefined) {
    throw new Problem(
      'changed-meanwhile',
      'There is one of this name already: open that to change it, or choose another name.',
    );
  }
  const read = headers['if-match'];
  if (read === undefined) return;
  // Proxies that compress answers make weak tags of strong ones.
  const tags = read.split(',').map((one) => one.trim().replace(/^W\//, ''));
  if (tag === undefined) throw new Problem('changed-meanwhile', 'Somebody else has deleted it meanwhile.');
  if (!tags.includes('*') && !tags.includes(tag)) throw changed();
}

export const changed = (): Problem =>
  new Problem(
    'changed-meanwhile',
    'Somebody else has changed it meanwhile. Open it again as it is now, and make your change to that.',
  );

/** The tag of an answer's one thing is a header too. */
export function sendEntityTags(server: FastifyInstance): void {
  server.addHook('preSerialization', (_request, reply, payload, done) => {
    const tag = (payload as { etag?: unknown } | null)?.etag;
    if (typeof tag === 'string') void reply.header('etag', tag);
    done(null, payload);
  });
}
