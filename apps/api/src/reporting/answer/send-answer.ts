import { Readable } from 'node:stream';
import { toRfc3339 } from '@device-metrics/contract';
import { Slices } from '@device-metrics/domain';
import { Logger, StreamableFile } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { attachment } from '../../http/attachment.js';
import { formatOf, MEDIA_TYPES, type Format } from './format.js';

/** How an answer is written in each format, in pieces. */
export type Writers = Readonly<Record<Format, () => AsyncIterable<string | Uint8Array>>>;

interface Answer {
  readonly writers: Writers;
  /** As the query names it; left out: as the header Accept says. */
  readonly format: Format | undefined;
  /** Both name the file; the time is in Unix milliseconds. */
  readonly subject: string;
  readonly time: number;
  /** Where there is a next page. */
  readonly nextCursor: string | undefined;
}

/**
 * Sends pieces as they are made, as fast as the client takes them. A client that goes away ends the making; an error in
 * it ends the connection, so that nobody takes a half for the whole, and goes to the log. JSON is shown, the others are
 * saved.
 */
export function sendAnswer(
  { writers, format: asked, subject, time, nextCursor }: Answer,
  request: FastifyRequest,
  reply: FastifyReply,
): StreamableFile {
  if (nextCursor !== undefined) linkNext(nextCursor, request, reply);
  const format = formatOf(asked, request.headers.accept);
  const name = `${subject}-${toRfc3339(time).replaceAll(':', '-')}.${format}`;
  const stream = Readable.from(inSlices(writers[format]()), { objectMode: false });
  stream.once('error', (error) => new Logger('reporting').error(`${name} broke off: ${error.stack}`));
  return new StreamableFile(stream, {
    type: format === 'xlsx' ? MEDIA_TYPES.xlsx : `${MEDIA_TYPES[format]}; charset=utf-8`,
    ...(format !== 'json' && { disposition: attachment(name) }),
  });
}

/** Tells the address of the next page in the header Link: that of this one with another cursor. */
function linkNext(cursor: string, request: FastifyRequest, reply: FastifyReply): void {
  const next = new URL(request.url, 'http://host');
  next.searchParams.set('cursor', cursor);
  void reply.header('link', `<${next.pathname}${next.search}>; rel="next"`);
}

/** Characters that are sent together: each piece by itself costs a chunk and a write. */
const TOGETHER = 32 * 1024;

/** Short texts together; and in slices, since a socket that takes everything at once would never let the event loop turn. */
async function* inSlices(pieces: AsyncIterable<string | Uint8Array>): AsyncGenerator<string | Uint8Array> {
  const slices = new Slices();
  let text = '';
  for await (const piece of pieces) {
    const isText = typeof piece === 'string';
    if (isText) text += piece;
    if (text !== '' && (!isText || text.length >= TOGETHER || slices.isOver())) {
      yield text;
      text = '';
    }
    if (!isText) yield piece;
    if (slices.isOver()) await slices.next();
  }
  if (text !== '') yield text;
}
