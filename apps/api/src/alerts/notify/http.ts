import { reasonOf } from '@device-metrics/domain';
import { ChannelError } from './channel.js';

/** How long a receiver may take, ms. */
const TIMEOUT = 15_000;
const TEMPORARY = [408, 425, 429];

/** Posts to a receiver and gives its answer. @throws ChannelError unless that is a 2xx. */
export async function post(
  url: string,
  body: string | URLSearchParams,
  headers: Readonly<Record<string, string>> = {},
): Promise<string> {
  let response: Response;
  let text: string;
  const { address, authorization } = partsOf(url);
  try {
    response = await fetch(address, {
      method: 'POST',
      body,
      headers: { 'user-agent': 'device-metrics', ...authorization, ...headers },
      redirect: 'error',
      signal: AbortSignal.timeout(TIMEOUT),
    });
    text = (await response.text()).slice(0, 2_000);
  } catch (error) {
    const cause = error instanceof Error && error.cause ? `: ${reasonOf(error.cause)}` : '';
    throw new ChannelError(`${hostOf(url)} could not be reached: ${reasonOf(error)}${cause}`, false);
  }
  if (response.ok) return text;
  const { status } = response;
  const retryAfter = Number(response.headers.get('retry-after') ?? NaN);
  const said = text.trim() === '' ? '' : `: ${text.trim().slice(0, 300)}`;
  const permanent = status < 500 && !TEMPORARY.includes(status);
  throw new ChannelError(
    `${hostOf(url)} answered ${status}${said}`,
    permanent,
    Number.isFinite(retryAfter) ? retryAfter : undefined,
  );
}

export const postJson = (url: string, body: unknown, headers: Readonly<Record<string, string>> = {}): Promise<string> =>
  post(url, JSON.stringify(body), { 'content-type': 'application/json', ...headers });

/** `fetch` takes no address with user and password, and names them in its refusal: they go along as Basic (RFC 7617). */
function partsOf(url: string): { address: string; authorization: Record<string, string> } {
  if (!URL.canParse(url)) return { address: url, authorization: {} };
  const parsed = new URL(url);
  const { username, password } = parsed;
  if (username === '' && password === '') return { address: url, authorization: {} };
  const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  parsed.username = parsed.password = '';
  return { address: parsed.href, authorization: { authorization: `Basic ${Buffer.from(pair).toString('base64')}` } };
}

/** Where a message went, without what is secret in a URL. */
function hostOf(url: string): string {
  try {
    return new URL(url).host;
  } catch {
    return 'the receiver';
  }
}
