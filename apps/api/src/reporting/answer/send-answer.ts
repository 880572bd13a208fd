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

/** Of so many bytes or fewer an answer is sent as a whole, for which a stream would cost more than to make it. */
export const WHOLE = 256 * 1024;

/**
 * Sends a short answer as a whole, and else pieces as they are made, as fast as the client takes them. A client that goes away ends
 * the making; an error in it, once something is sent, ends the connection, so that nobody takes a half for the whole, and goes to
 * the log. JSON is shown, the others are saved.
 */
export async function sendAnswer(
  { writers, format: asked, subject, time, nextCursor }: Answer,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<Buffer | StreamableFile> {
  if (nextCursor !== undefined) linkNext(nextCursor, request, reply);
  const format = formatOf(asked, request.headers.accept);
  const name = `${subject}-${toRfc3339(time).replaceAll(':', '-')}.${format}`;
  const pieces = writers[format]()[Symbol.asyncIterator]();
  const { begun, next } = await beginning(pieces, reply);
  void reply.header('content-type', format === 'xlsx' ? MEDIA_TYPES.xlsx : `${MEDIA_TYPES[format]}; charset=utf-8`);
  if (format !== 'json') void reply.header('content-disposition', attachment(name));
  if (next === undefined) return whole(begun);
  const stream = Readable.from(inSlices(begun, next, pieces), { objectMode: false });
  stream.once('error', (error) => new Logger('reporting').error(`${name} broke off: ${error.stack}`));
  return new StreamableFile(stream);
}

type Pieces = AsyncIterator<string | Uint8Array>;

/** The bytes that an answer begins with, and the piece behind them; that is undefined where they are all. */
async function beginning(
  pieces: Pieces,
  { raw: response }: FastifyReply,
): Promise<{ begun: Uint8Array[]; next: string | Uint8Array | undefined }> {
  const slices = new Slices();
  const begun: Uint8Array[] = [];
  let length = 0;
  for (let piece = await pieces.next(); !piece.done; piece = await pieces.next()) {
    if (length > WHOLE) return { begun, next: piece.value };
    const bytes = typeof piece.value === 'string' ? Buffer.from(piece.value) : piece.value;
    begun.push(bytes);
    length += bytes.length;
    if (!slices.isOver()) continue;
    await slices.next();
    if (response.destroyed) await pieces.return?.();
  }
  return { begun, next: undefined };
}

function whole(pieces: readonly Uint8Array[]): Buffer {
  const [only = Buffer.alloc(0), ...others] = pieces;
  if (others.length > 0) return Buffer.concat(pieces);
  return Buffer.from(only.buffer, only.byteOffset, only.length);
}

/** Tells the address of the next page in the header Link: that of this one with another cursor. */
function linkNext(cursor: string, request: FastifyRequest, reply: FastifyReply): void {
  const next = new URL(request.url, 'http://host');
  next.searchParams.set('cursor', cursor);
  void reply.header('link', `<${next.pathname}${next.search}>; rel="next"`);
}

/** Characters that are sent together: each piece by itself costs a chunk and a write. */
const TOGETHER = 32 * 1024;

/**
 * What an answer begins with, and all that is behind it: short texts together; and in slices, since a socket that takes everything
 * at once would never let the event loop turn.
 */
async function* inSlices(
  begun: readonly Uint8Array[],
  next: string | Uint8Array,
  pieces: Pieces,
): AsyncGenerator<string | Uint8Array> {
  const slices = new Slices();
  let text = '';
  try {
    yield* begun;
    for (let piece: IteratorResult<string | Uint8Array> = { value: next }; !piece.done; piece = await pieces.next()) {
      const { value } = piece;
      const isText = typeof value === 'string';
      if (isText) text += value;
      if (text !== '' && (!isText || text.length >= TOGETHER || slices.isOver())) {
        yield text;
        text = '';
      }
      if (!isText) yield value;
      if (slices.isOver()) await slices.next();
    }
  } finally {
    await pieces.return?.();
  }
  if (text !== '') yield text;
}
