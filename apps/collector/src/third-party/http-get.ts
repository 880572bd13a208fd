import type { HttpService } from '@nestjs/axios';
import { quote } from '@device-metrics/contract/rules';
import { request } from '../http.js';
import type { Section } from '../section.js';

/** Of an answer, after decompression. */
const MAX_BYTES = 2 * 2 ** 20;

export interface HttpTarget {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** The keys of a device that is read over HTTP: `url`, `headers`, and `username` with `password`, or `token`. */
export function httpTarget(keys: Section): HttpTarget {
  const url = keys.url('url');
  const headers = keys.headers('headers');
  const username = keys.optionalText('username');
  const password = keys.secret('password');
  const token = keys.secret('token');
  if (username !== undefined) {
    const credentials = Buffer.from(`${username}:${password ?? ''}`).toString('base64');
    return { url, headers: { ...headers, authorization: `Basic ${credentials}` } };
  }
  if (password !== undefined) keys.mistake('username', 'is missing; a password needs one');
  return { url, headers: { ...headers, ...(token !== undefined && { authorization: `Bearer ${token}` }) } };
}

/**
 * The body of a GET: at most 2 MB, redirects to the same host only.
 *
 * @throws Error with a reason when there is no answer, or one that is not 2xx.
 */
export async function httpGet(http: HttpService, target: HttpTarget, signal: AbortSignal): Promise<string> {
  // A connection that is kept may be one that the device closes at just this moment.
  const headers = { ...target.headers, connection: 'close' };
  const options = {
    method: 'GET',
    url: target.url,
    headers,
    maxBytes: MAX_BYTES,
    followRedirects: true,
    signal,
  } as const;
  const { status, body } = await request(http, options);
  if (status < 200 || status > 299) throw new Error(`answered ${status} ${body === '' ? '' : quote(body)}`.trim());
  return body;
}
