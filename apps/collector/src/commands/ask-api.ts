import { networkProblem } from '../third-party/network-problem.js';
import type { ApiConnection } from '../upload/api-connection.js';
import { detailOf } from '../upload/detail.js';

/** What an api says of itself, or why it cannot take samples now, for a person. */
export type ReadyAnswer = { readonly problem: string } | { readonly problem?: never; readonly date: string };

/** Asks the api whether it is ready. Never rejects. */
export async function askWhetherReady(connection: ApiConnection): Promise<ReadyAnswer> {
  const signal = new AbortController().signal;
  try {
    const { status, headers, body } = await connection.request({ method: 'GET', path: '/readyz', signal });
    if (status === 200 && isReady(body)) return { date: headers['date'] ?? '' };
    if (status === 401 && isProblem(body)) return { problem: `refuses this collector: ${status} ${detailOf(body)}` };
    if (status >= 500) return { problem: `answers ${status} ${detailOf(body)}; what it gets waits here` };
    return {
      problem: `answers ${status}, but not as an api of Device Metrics: is its address right, and is there a sign-in page between?`,
    };
  } catch (error) {
    const reason = networkProblem(error as Error);
    const hint = /self[- ]signed|unable to verify|unable to get/.test(reason)
      ? '. No authority that this machine knows vouches for its certificate: join it by a code, which does'
      : '';
    return { problem: `does not answer: ${reason}${hint}` };
  }
}

const isReady = (body: string): boolean => fieldOf(body, 'status') === 'ok';

/** Whether it is an answer of an api, and not of what stands between. */
const isProblem = (body: string): boolean => String(fieldOf(body, 'type')).startsWith('urn:device-metrics:problem:');

function fieldOf(body: string, name: string): unknown {
  try {
    return (JSON.parse(body) as Record<string, unknown> | null)?.[name];
  } catch {
    return undefined;
  }
}
