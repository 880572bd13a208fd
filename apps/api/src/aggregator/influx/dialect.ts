import { PRECISIONS, type Precision, type SaidPrecision } from '@device-metrics/formats';
import { Problem } from '../../http/problem.js';
import type { Protocol, Written } from '../../http/speaks.js';
import type { NotStored } from './take-lines.js';

/** The ways in which senders write, each with the errors that they expect. */
export interface Dialect {
  /** The parameter of the address that says the database. */
  readonly database: string;
  readonly precisions: Readonly<Record<string, SaidPrecision>>;
  /** That of a request that says none. */
  readonly precision: SaidPrecision;
  /** The body of an error. */
  readonly error: (problem: Problem) => unknown;
  /** What is said where some of a body was not stored. */
  readonly partial: (notStored: NotStored, body: Uint8Array) => Problem;
}

const own = Object.fromEntries(PRECISIONS.map((precision) => [precision, precision]));
const { ns, us, ms, s } = own as Readonly<Record<Precision, Precision>>;

export const version1: Dialect = {
  database: 'db',
  precisions: { ...own, n: ns, u: us, µ: us },
  precision: ns,
  error: ({ message }) => ({ error: message }),
  partial: partialWrite,
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
  database: 'bucket',
  precisions: { ns, us, ms, s },
  precision: ns,
  error: (problem) => ({ code: CODES[problem.getStatus()] ?? 'invalid', message: problem.message }),
  partial: partialWrite,
};

export const version3: Dialect = {
  database: 'db',
  precisions: {
    auto: 'auto',
    nanosecond: ns,
    microsecond: us,
    millisecond: ms,
    second: s,
    ns,
    n: ns,
    us,
    u: us,
    ms,
    s,
  },
  precision: 'auto',
  error: ({ message, extras }) => ({ error: message, ...extras.extensions }),
  partial: partialWriteOfLines,
};

function partialWrite({ count, first }: NotStored): Problem {
  const reasons = first.map(({ line, reason }) => `line ${line}: ${reason}`).join('; ');
  const rest = count - first.length;
  const more = rest > 0 ? `; and ${rest} more` : '';
  return new Problem('invalid-input', `partial write: ${reasons}${more} dropped=${count}`);
}

/** Letters of a line that are given back. */
const MOST_LETTERS = 100;

/** By these words clients know that the other lines are stored, and show `data`. */
function partialWriteOfLines({ first }: NotStored, body: Uint8Array): Problem {
  const lines = Buffer.from(body.buffer, body.byteOffset, body.length).toString('utf8').split('\n');
  const data = first.map(({ line, reason }) => ({
    original_line: lines[line - 1]?.slice(0, MOST_LETTERS) ?? '',
    line_number: line,
    error_message: reason,
  }));
  return new Problem('invalid-input', 'partial write of line protocol occurred', { extensions: { data } });
}

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
    body: `${JSON.stringify(error(problem))}\n`,
  }),
});
