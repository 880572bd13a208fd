import { PRECISIONS, type Precision } from '@device-metrics/formats';
import type { Problem } from '../../http/problem.js';
import type { Protocol, Written } from '../../http/speaks.js';

/** The two ways in which senders write, each with the errors that they expect. */
export interface Dialect {
  readonly precisions: Readonly<Record<string, Precision>>;
  /** The body of an error. */
  readonly error: (status: number, message: string) => unknown;
}

const own = Object.fromEntries(PRECISIONS.map((precision) => [precision, precision]));
const { ns, us, ms, s } = own as Readonly<Record<Precision, Precision>>;

export const version1: Dialect = {
  precisions: { ...own, n: ns, u: us, µ: us },
  error: (_status, error) => ({ error }),
};

const CODES: Readonly<Record<number, string>> = {
  400: 'invalid',
  401: 'unauthorized',
  403: 'forbidden',
  404: 'not found',
  408: 'unavailable',
  413: 'request too large',
  415: 'invalid',
  429: 'too many requests',
  500: 'internal error',
  503: 'unavailable',
};

export const version2: Dialect = {
  precisions: { ns, us, ms, s },
  error: (status, message) => ({ code: CODES[status] ?? 'invalid', message }),
};

/**
 * How a route speaks a dialect: what fails before the route and in it has the same form. A token may come as the password
 * `p` of the address, as version 1 has it.
 */
export const speaks = ({ error }: Dialect): Protocol => ({
  authorization: ({ query }) => {
    const { p: password } = query as { readonly p?: unknown };
    return typeof password === 'string' && password !== '' ? `Token ${password}` : undefined;
  },
  problem: (problem: Problem): Written => ({
    contentType: 'application/json; charset=utf-8',
    body: `${JSON.stringify(error(problem.getStatus(), problem.message))}\n`,
  }),
});
