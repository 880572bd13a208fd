import { Readable } from 'node:stream';
import { Logger, StreamableFile } from '@nestjs/common';
import { toRfc3339 } from '@device-metrics/contract';
import { Slices } from '@device-metrics/storage';
import { attachment } from '../http/attachment.js';
import type { Format } from './query-rules.js';

export const MEDIA_TYPES: Record<Format, string> = {
  json: 'application/json',
  csv: 'text/csv',
  ndjson: 'application/x-ndjson',
  xlsx: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
};

/**
 * Sends pieces as they are made, as fast as the client takes them. A client that goes away ends the making; an error in
 * it ends the connection, so that nobody takes a half for the whole, and goes to the log.
 *
 * @param subject and `time` (Unix ms) name the file; JSON is shown rather than saved.
 */
export function streamAnswer(
  pieces: AsyncIterable<string | Uint8Array>,
  format: Format,
  subject: string,
  time: number,
): StreamableFile {
  const name = `${subject}-${toRfc3339(time).replaceAll(':', '-')}.${format}`;
  const stream = Readable.from(inSlices(pieces), { objectMode: false });
  stream.once('error', (error) => new Logger('reporting').error(`${name} broke off: ${error.stack}`));
  return new StreamableFile(stream, {
    type: format === 'xlsx' ? MEDIA_TYPES.xlsx : `${MEDIA_TYPES[format]}; charset=utf-8`,
    ...(format !== 'json' && { disposition: attachment(name) }),
  });
}

/** A socket that takes everything at once would otherwise never let the event loop turn. */
async function* inSlices<Piece>(pieces: AsyncIterable<Piece>): AsyncGenerator<Piece> {
  const slices = new Slices();
  for await (const piece of pieces) {
    yield piece;
    if (slices.isOver()) await slices.next();
  }
}
