import { validateHeaderName, validateHeaderValue } from 'node:http';
import { Agent } from 'node:https';
import { quote } from '@device-metrics/domain';
import { request, type HttpAnswer } from '../http.js';
import { SECRET_NAME } from '../config/redact.js';
import type { Section } from '../config/section.js';
import { digestAuthorization, type Credentials } from './digest.js';
import { networkProblem } from './network-problem.js';
import { tlsOptions, tlsTrust } from './tls-trust.js';
import { takeCredentials } from './url-credentials.js';

export interface HttpTarget {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** For a device that wants digest authentication. */
  readonly digest?: Credentials;
  /** Of an answer, after decompression. */
  readonly maxBytes: number;
  /** For a device whose headers Node's parser refuses. */
  readonly lenient?: boolean;
  /** For a server whose certificate this machine does not know. */
  readonly httpsAgent?: Agent;
}

export interface HttpBody {
  readonly body: string;
  /** Empty where the answer has none. */
  readonly contentType: string;
}

/**
 * The keys of a device that is read over HTTP: `url`, `query`, `headers`; `username` with `password` and maybe
 * `digest: true`, or `token`; `ca` (the
 * certificate of its authority, PEM) or `insecure: true` (any certificate); `lenient: true` (headers that break the rules).
 *
 * @param maxBytes of an answer, after decompression.
 */
export function httpTarget(keys: Section, maxBytes: number): HttpTarget {
  const url = urlWithQuery(keys);
  const own = headersOf(keys);
  const { digest, ...ofCaller } = authorization(keys, url);
  const headers = { ...own, ...ofCaller };
  const trust = tlsTrust(keys);
  return {
    url: url.href,
    headers,
    ...(digest && { digest }),
    maxBytes,
    lenient: keys.flag('lenient', false),
    ...((trust.ca !== undefined || trust.insecure) && { httpsAgent: new Agent(tlsOptions(trust)) }),
  };
}

function urlWithQuery(keys: Section): URL {
  const url = new URL(keys.url('url'));
  for (const [name, value] of Object.entries(keys.textsByName('query'))) url.searchParams.set(name, value);
  for (const [name, value] of url.searchParams) if (SECRET_NAME.test(name)) keys.hide(value);
  return url;
}

function headersOf(keys: Section): Record<string, string> {
  const headers = keys.headers('headers');
  for (const [name, value] of Object.entries(headers)) {
    try {
      validateHeaderName(name);
    } catch {
      keys.mistake('headers', `has the name ${quote(name)}, which must be letters, digits and - without blanks`);
    }
    checkHeaderValue(keys, `headers.${name}`, value);
  }
  return headers;
}

/** The request would go without the characters that no header may have. */
function checkHeaderValue(keys: Section, key: string, value: string): void {
  try {
    validateHeaderValue(key, value);
  } catch {
    keys.mistake(key, 'has characters that no HTTP header may have, such as a line feed or a letter beyond Latin-1');
  }
}

/** Of the keys, or of a URL such as http://user:password@host, which loses them. */
function authorization(keys: Section, url: URL): { authorization?: string; digest?: Credentials } {
  const ofUrl = takeCredentials(url);
  const ownName = keys.optionalText('username');
  const ownPassword = keys.secret('password');
  const token = keys.secret('token');
  const isDigest = keys.flag('digest', false);
  if (ownPassword !== undefined && ownName === undefined) keys.mistake('username', 'is missing; a password needs one');
  if (ownName !== undefined && token !== undefined) {
    keys.mistake('token', 'does not go with username and password; one of them must go');
  }
  if (ofUrl.password !== undefined) keys.hide(ofUrl.password);
  if (token !== undefined) checkHeaderValue(keys, 'token', token);
  if (token !== undefined && isDigest) keys.mistake('digest', 'goes with username and password, not with token');
  if (token !== undefined) return { authorization: `Bearer ${token}` };
  const { username, password } = ownName === undefined ? ofUrl : { username: ownName, password: ownPassword };
  if (username === undefined) {
    if (isDigest) keys.mistake('digest', 'needs username and password');
    return {};
  }
  if (isDigest) {
    checkHeaderValue(keys, 'username', username);
    return { digest: { username, password: password ?? '' } };
  }
  const credentials = Buffer.from(`${username}:${password ?? ''}`).toString('base64');
  keys.hide(credentials);
  return { authorization: `Basic ${credentials}` };
}

/**
 * The body of a GET: at most `maxBytes`, redirects to the same host only.
 *
 * @throws Error with a reason when there is no answer, or one that is not 2xx.
 */
export async function httpGet(target: HttpTarget, signal: AbortSignal): Promise<HttpBody> {
  const { digest, url } = target;
  let answer = await ask(target, {}, signal);
  const challenge = answer.status === 401 ? (answer.headers['www-authenticate'] ?? '') : '';
  if (/(^|,)\s*digest\s/i.test(challenge)) {
    if (!digest) throw new Error('answered 401: it wants digest authentication, which `digest: true` is for');
    const { pathname, search } = new URL(url);
    const authorization = digestAuthorization(challenge, `${pathname}${search}`, digest);
    if (!authorization) throw new Error(`answered 401: it wants a digest that is not known here, ${quote(challenge)}`);
    answer = await ask(target, { authorization }, signal);
  }
  const { status, headers, body } = answer;
  if (status < 200 || status > 299) throw new Error(`answered ${status} ${body === '' ? '' : quote(body)}`.trim());
  return { body, contentType: headers['content-type'] ?? '' };
}

async function ask(
  target: HttpTarget,
  more: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<HttpAnswer> {
  // A connection that is kept may be one that the device closes at just this moment.
  const headers = { ...target.headers, ...more, connection: 'close' };
  try {
    return await request({ method: 'GET', ...target, headers, followRedirects: true, signal });
  } catch (error) {
    throw new Error(networkProblem(error as Error), { cause: error });
  }
}
