import { createWriteStream } from 'node:fs';
import { request as requestByHttp, type IncomingMessage } from 'node:http';
import { request as requestByHttps, type Agent } from 'node:https';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import { showDuration } from '@device-metrics/domain';
import { charsetOf, textOfBytes } from './text-of-bytes.js';

export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly data?: Buffer;
  /** Of the whole exchange, ms; left out where the signal limits it. */
  readonly timeout?: number;
  /** Of the answer after decompression; a longer one is an error. */
  readonly maxBytes: number;
  /** A file that the body of a 200 is written to, in place of `body`. */
  readonly into?: string | undefined;
  /** Redirects of a GET go to the same host only; false: an answer of 3xx is an answer. */
  readonly followRedirects: boolean;
  /** Whether answers are read that break the rules of HTTP, as with line feeds alone. */
  readonly lenient?: boolean | undefined;
  /** For https, where it is not the usual one. */
  readonly httpsAgent?: Agent;
  readonly signal: AbortSignal;
}

export interface HttpAnswer {
  readonly status: number;
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: string;
}

/** No answer came, or one that may not be used. The message says why, without the URL. */
export class HttpError extends Error {
  override readonly name = 'HttpError';
}

const MOST_REDIRECTS = 5;

/**
 * One request with every limit set, by what Node has: a library for it would take 8 MB. Answers of any status resolve.
 *
 * Targets come from the collector's own configuration, never from http_proxy of whoever started it.
 *
 * @throws HttpError when no usable answer came.
 */
export async function request(options: HttpRequest): Promise<HttpAnswer> {
  const abort = new AbortController();
  const stop = (): void => abort.abort();
  options.signal.addEventListener('abort', stop);
  if (options.signal.aborted) stop();
  let late = false;
  const timer =
    options.timeout === undefined
      ? undefined
      : setTimeout(() => {
          late = true;
          stop();
        }, options.timeout);
  try {
    return await follow(options, abort.signal);
  } catch (error) {
    if (late) throw new HttpError(`no answer within ${showDuration(options.timeout ?? 0)}`);
    throw error instanceof HttpError ? error : new HttpError(abort.signal.aborted ? 'given up' : reasonOf(error));
  } finally {
    clearTimeout(timer);
    options.signal.removeEventListener('abort', stop);
  }
}

async function follow(options: HttpRequest, signal: AbortSignal): Promise<HttpAnswer> {
  let url = new URL(options.url);
  for (let redirects = 0; ; redirects += 1) {
    const answer = await ask(url, options, signal);
    const { statusCode: status = 0, headers } = answer;
    if (!options.followRedirects || status < 300 || status > 399 || headers.location === undefined) {
      const { into, maxBytes } = options;
      const isFile = into !== undefined && status === 200;
      const body = isFile ? await writeTo(into, answer, maxBytes) : await textOf(answer, maxBytes);
      return { status, headers: headers as HttpAnswer['headers'], body };
    }
    answer.destroy();
    if (redirects === MOST_REDIRECTS) throw new HttpError('Maximum number of redirects exceeded');
    url = nextUrl(url, headers.location);
  }
}

function ask(url: URL, options: HttpRequest, signal: AbortSignal): Promise<IncomingMessage> {
  const { method, headers, data, lenient = false, httpsAgent } = options;
  const isTls = url.protocol === 'https:';
  return new Promise((resolve, reject) => {
    const sent = (isTls ? requestByHttps : requestByHttp)(
      url,
      {
        method,
        headers: {
          'user-agent': 'device-metrics-collector',
          accept: '*/*',
          // Of deflate there are two forms, and servers send either.
          'accept-encoding': 'gzip, br',
          ...headers,
          ...(data && { 'content-length': data.length }),
        },
        insecureHTTPParser: lenient,
        signal,
        ...(isTls && httpsAgent && { agent: httpsAgent }),
      },
      resolve,
    );
    sent.on('error', reject);
    sent.end(data);
  });
}

const DECOMPRESS: Readonly<Record<string, () => NodeJS.ReadWriteStream>> = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
};

/** @throws HttpError where it is longer than `maxBytes` after decompression. */
function textOf(answer: IncomingMessage, maxBytes: number): Promise<string> {
  const encoding = answer.headers['content-encoding']?.trim().toLowerCase() ?? '';
  const decompress = DECOMPRESS[encoding];
  const plain: Readable = decompress ? (answer.pipe(decompress()) as unknown as Readable) : answer;
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    const fail = (error: Error): void => {
      answer.destroy();
      plain.destroy();
      reject(error);
    };
    plain.on('data', (chunk: Buffer) => {
      length += chunk.length;
      if (length > maxBytes) fail(new HttpError(`the answer is longer than ${maxBytes} bytes`));
      else chunks.push(chunk);
    });
    plain.on('end', () => resolve(textOfBytes(Buffer.concat(chunks), charsetOf(answer.headers['content-type']))));
    if (plain !== answer)
      plain.on('error', ({ message }) =>
        fail(new HttpError(`the answer is not ${encoding}, though it says so, or is cut off: ${message}`)),
      );
    answer.on('error', fail);
  });
}

/** @throws HttpError where it is longer than `maxBytes`, or ends before its end. */
async function writeTo(file: string, answer: IncomingMessage, maxBytes: number): Promise<string> {
  let length = 0;
  const bounded = async function* (pieces: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const piece of pieces) {
      length += piece.length;
      if (length > maxBytes) throw new HttpError(`the answer is longer than ${maxBytes} bytes`);
      yield piece;
    }
  };
  await pipeline(answer, bounded, createWriteStream(file, { mode: 0o600, flush: true }));
  return '';
}

/** @throws HttpError where it leads to another host, or from https to http. */
function nextUrl(from: URL, location: string): URL {
  if (!URL.canParse(location, from.href)) throw new HttpError(`redirects to ${location}, which is no address`);
  const to = new URL(location, from);
  if (to.hostname === from.hostname && (to.protocol === from.protocol || to.protocol === 'https:')) return to;
  if (to.hostname === from.hostname && to.protocol === 'http:')
    throw new HttpError('redirects from https to http, which is not followed');
  throw new HttpError(`redirects to another host (${to.protocol}//${to.hostname}), which is not followed`);
}

/** A connection that fails on every address of a host is an AggregateError with an empty message. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.message || (error as NodeJS.ErrnoException).code || 'no connection';
}
