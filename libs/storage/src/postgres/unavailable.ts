import { reasonOf } from '@device-metrics/domain';
import { StoreFullError, StoreUnavailableError } from '../store.js';

const UNREACHED = 'PostgreSQL cannot be reached';

/** Of codes of SQLSTATE, of Node and of TLS those that pass, or that an operator makes pass, and what they say; the first one counts. */
const SENTENCES: readonly (readonly [code: RegExp, sentence: string])[] = [
  [/^25006$/, 'PostgreSQL is read-only there, as a standby is'],
  [/^53300$/, 'PostgreSQL has no connection left'],
  [/^53/, 'PostgreSQL has no memory left'],
  [/^(57014|55P03|25P0[234])$/, 'PostgreSQL took too long'],
  [/^28/, 'PostgreSQL lets nobody in with this user and password'],
  [/^3D000$/, 'PostgreSQL has no database of this name'],
  [/^55000$/, 'PostgreSQL lets nobody use this database now'],
  [/^42501$/, 'PostgreSQL gives this user no right to its tables'],
  [/^(42P01|3F000)$/, 'PostgreSQL has not the tables that it had'],
  [/CERT|^(ERR_TLS|ERR_SSL|EPROTO)|SIGNATURE/, 'PostgreSQL cannot prove by its certificate that it is the right one'],
  // https://www.postgresql.org/docs/current/errcodes-appendix.html
  [/^(08|57P0[1-5]|55P03|40|58|25S02|XX000)/, UNREACHED],
  [/^(ECONN|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|EHOSTDOWN|ENETDOWN|ENOTFOUND|EAI_AGAIN|ENOENT)/, UNREACHED],
];
const FULL = /^(53100|54000)/;
/** What the driver says without a code. */
const SAID: readonly (readonly [message: RegExp, sentence: string])[] = [
  [/password must be a string|no password supplied/i, 'PostgreSQL asks for a password, and none is set'],
  [/does not support SSL/i, 'PostgreSQL takes no TLS there'],
  [
    /connection (terminated|timeout|is closed)|timeout exceeded when trying to connect|not queryable|client has encountered|Query read timeout|Client was closed/i,
    UNREACHED,
  ],
];

/** Of SQLSTATE, Node or TLS, whichever way the error came; empty where it has none. */
export function codeOf(error: unknown): string {
  const { code, driverError, cause } = (error ?? {}) as { code?: unknown; driverError?: unknown; cause?: unknown };
  if (typeof code === 'string') return code;
  const inner = driverError ?? cause;
  return inner === undefined ? '' : codeOf(inner);
}

/** A StoreUnavailableError or StoreFullError where `error` means that, else `error` itself. */
export function asUnavailable(error: unknown): unknown {
  if (error instanceof StoreUnavailableError || error instanceof StoreFullError) return error;
  const code = codeOf(error);
  if (FULL.test(code)) return new StoreFullError(`PostgreSQL has no room left: ${reasonOf(error)}`, { cause: error });
  const sentence = sentenceOf(error);
  if (sentence === undefined) return error;
  return new StoreUnavailableError(`${sentence}: ${reasonOf(error) || code}`, { cause: error });
}

/** What an error means in a few words; undefined where it is not of the kind that passes. */
export function sentenceOf(error: unknown): string | undefined {
  const [code, reason] = [codeOf(error), reasonOf(error)];
  const known = SENTENCES.find(([pattern]) => pattern.test(code)) ?? SAID.find(([pattern]) => pattern.test(reason));
  return known?.[1];
}
