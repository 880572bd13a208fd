import type { Agent } from 'node:https';
import type { AxiosError, AxiosInstance, AxiosResponse } from 'axios';
import { showDuration } from '@device-metrics/domain';

export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly data?: Buffer;
  /** Of the whole exchange, ms; left out where the signal limits it. */
  readonly timeout?: number;
  /** Of the answer after decompression; a longer one is an error. */
  readonly maxBytes: number;
  /** Redirects go to the same host only; false: an answer of 3xx is an answer. */
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

/**
 * One request with every limit set. Answers of any status resolve.
 *
 * @throws HttpError when no usable answer came.
 */
export async function request(http: AxiosInstance, options: HttpRequest): Promise<HttpAnswer> {
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
    const response: AxiosResponse<string> = await http.request({
      method: options.method,
      url: options.url,
      headers: { 'user-agent': 'device-metrics-collector', ...options.headers },
      ...(options.data && { data: options.data }),
      responseType: 'text',
      transformResponse: (body: string) => body,
      validateStatus: () => true,
      maxContentLength: options.maxBytes,
      maxBodyLength: Infinity,
      maxRedirects: options.followRedirects ? 5 : 0,
      beforeRedirect: (target: { host?: string; hostname?: string; protocol?: string; port?: string | number }) => {
        staysOn(options.url, target);
      },
      // Targets come from the collector's own configuration, never from http_proxy of whoever started it.
      proxy: false,
      insecureHTTPParser: options.lenient ?? false,
      ...(options.httpsAgent && { httpsAgent: options.httpsAgent }),
      signal: abort.signal,
    });
    return { status: response.status, headers: response.headers as HttpAnswer['headers'], body: response.data };
  } catch (error) {
    if (late) throw new HttpError(`no answer within ${showDuration(options.timeout ?? 0)}`);
    throw new HttpError(reasonOf(error, options.maxBytes));
  } finally {
    clearTimeout(timer);
    options.signal.removeEventListener('abort', stop);
  }
}

function staysOn(url: string, target: { hostname?: string; protocol?: string }): void {
  const { hostname, protocol } = new URL(url);
  // The target of an IPv6 address comes without its brackets.
  if (
    target.hostname === hostname.replace(/^\[|\]$/g, '') &&
    (protocol === target.protocol || target.protocol === 'https:')
  )
    return;
  throw new HttpError(`redirects to another host (${target.protocol}//${target.hostname}), which is not followed`);
}

const REDIRECT_FAILED = 'Redirected request failed: ';

function reasonOf(error: unknown, maxBytes: number): string {
  if (!(error instanceof Error)) return String(error);
  if (!isAxiosError(error)) return error.message;
  if (/maxContentLength/.test(error.message)) return `the answer is longer than ${maxBytes} bytes`;
  if (error.code === 'ERR_CANCELED') return 'given up';
  // What `beforeRedirect` throws comes wrapped.
  if (error.message.startsWith(REDIRECT_FAILED)) return error.message.slice(REDIRECT_FAILED.length);
  // A connection that fails on every address of a host is an AggregateError with an empty message.
  return error.message || error.code || 'no connection';
}

/** As axios has it, without loading axios: not every command needs it. */
const isAxiosError = (error: Error): error is AxiosError => (error as Partial<AxiosError>).isAxiosError === true;
