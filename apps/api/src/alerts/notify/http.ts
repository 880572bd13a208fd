import { reasonOf } from '@device-metrics/domain';
import { ChannelError } from './channel.js';

/** How long a receiver may take, ms. */
const TIMEOUT = 15_000;
const TEMPORARY = [408, 425, 429];
/** So much of an answer is read at the most, in characters. */
const MOST_READ = 2_000;

/** Posts to a receiver. Resolves when its answer is a 2xx. @throws ChannelError otherwise. */
export async function post(
  url: string,
  body: string | URLSearchParams,
  headers: Readonly<Record<string, string>> = {},
): Promise<void> {
  let response: Response;
  const { address, authorization } = partsOf(url);
  try {
    response = await fetch(address, {
      method: 'POST',
      body,
      headers: { 'user-agent': 'device-metrics', ...authorization, ...headers },
      redirect: 'manual',
      signal: AbortSignal.timeout(TIMEOUT),
    });
  } catch (error) {
    const cause = error instanceof Error && error.cause ? `: ${reasonOf(error.cause)}` : '';
    throw new ChannelError(`${hostOf(url)} could not be reached: ${reasonOf(error)}${cause}`, false);
  }
  // What it says of a message that it has taken does not matter, and may never end.
  if (response.ok) return void response.body?.cancel().catch(() => undefined);
  const text = (await beginningOf(response)).trim();
  throw new ChannelError(`${hostOf(url)} answered ${response.status}${saidIn(response, text)}`, {
    permanent: response.status < 500 && !TEMPORARY.includes(response.status),
    retryAfter: retryAfterOf(response, text),
    status: response.status,
  });
}

/** Calls an address that is secret. Resolves when its answer is a 2xx. @throws Error otherwise, without the address. */
export async function get(url: string): Promise<void> {
  const { address, authorization } = partsOf(url);
  const signal = AbortSignal.timeout(10_000);
  const response = await fetch(address, { headers: authorization, signal }).catch((error: unknown) => {
    const cause = error instanceof Error && error.cause ? `: ${reasonOf(error.cause)}` : '';
    throw new Error(`could not be reached: ${reasonOf(error)}${cause}`);
  });
  await response.body?.cancel();
  if (!response.ok) throw new Error(`answered ${response.status}`);
}

export const postJson = (url: string, body: unknown, headers: Readonly<Record<string, string>> = {}): Promise<void> =>
  post(url, JSON.stringify(body), { 'content-type': 'application/json', ...headers });

/**
 * The same; where it is refused with 400, once more in plain. Some receivers refuse a whole message for the address of a
 * button or a title, such as one whose host has no dot.
 */
export async function postJsonOrPlain(url: string, body: unknown, plain: unknown): Promise<void> {
  try {
    await postJson(url, body);
  } catch (error) {
    if (!(error instanceof ChannelError) || error.status !== 400) throw error;
    await postJson(url, plain);
  }
}

/** What goes behind the status: where it leads, or what the receiver said. */
function saidIn({ status, headers }: Response, text: string): string {
  const location = headers.get('location');
  if (status >= 300 && status < 400) {
    const there = location !== null && URL.canParse(location) ? ` to ${new URL(location).origin}` : '';
    return `, a redirect${there}: the channel must have the address that it leads to`;
  }
  return text === '' ? '' : `: ${text.slice(0, 300)}`;
}

/** What could be read of the body. */
async function beginningOf({ body }: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  try {
    for await (const chunk of body ?? []) {
      text += decoder.decode(chunk as Uint8Array, { stream: true });
      if (text.length >= MOST_READ) break;
    }
  } catch {
    // The status says enough.
  }
  return text.slice(0, MOST_READ);
}

/** Seconds: a number or a date in the header (RFC 9110), or as Discord (`retry_after`) and Telegram say it in the body. */
function retryAfterOf({ headers }: Response, text: string): number | undefined {
  const header = headers.get('retry-after');
  if (header !== null) {
    const seconds = /^\d/.test(header) ? Number(header) : (Date.parse(header) - Date.now()) / 1000;
    if (Number.isFinite(seconds)) return Math.max(0, seconds);
  }
  try {
    const said = JSON.parse(text) as { retry_after?: unknown; parameters?: { retry_after?: unknown } } | null;
    const seconds = said?.retry_after ?? said?.parameters?.retry_after;
    return typeof seconds === 'number' && seconds >= 0 ? seconds : undefined;
  } catch {
    return undefined;
  }
}

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
