import { reasonOf } from '@device-metrics/domain';
import { StoreFullError, StoreUnavailableError } from '../store.js';

/** Classes and codes of SQLSTATE that pass: https://www.postgresql.org/docs/current/errcodes-appendix.html */
const PASSING = /^(08|57P0[1-5]|57014|53[13]|55P03|40|58|25006|25S02|XX000)/;
const FULL = /^(53100|54000)/;
const NETWORK =
  /^(ECONN|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|EHOSTDOWN|ENETDOWN|ENOTFOUND|EAI_AGAIN|ENOENT|EPROTO|ERR_TLS|ERR_SSL)/;
const LOST =
  /connection (terminated|timeout|is closed)|timeout exceeded when trying to connect|not queryable|client has encountered|Query read timeout|Client was closed/i;

const codeOf = (error: unknown): string => {
  const code = (error as { code?: unknown } | null)?.code;
  if (typeof code === 'string') return code;
  const driver = (error as { driverError?: { code?: unknown } } | null)?.driverError?.code;
  return typeof driver === 'string' ? driver : '';
};

/** Whether an error says that the database cannot be used now, and may be again by itself. */
export function isPassing(error: unknown): boolean {
  const code = codeOf(error);
  return PASSING.test(code) || FULL.test(code) || NETWORK.test(code) || LOST.test(reasonOf(error));
}

/** A StoreUnavailableError or StoreFullError where `error` means that, else `error` itself. */
export function asUnavailable(error: unknown): unknown {
  if (error instanceof StoreUnavailableError || error instanceof StoreFullError) return error;
  const code = codeOf(error);
  if (FULL.test(code)) return new StoreFullError(`PostgreSQL has no room left: ${reasonOf(error)}`, { cause: error });
  if (!isPassing(error)) return error;
  return new StoreUnavailableError(`${sentence(code)}: ${reasonOf(error) || code}`, { cause: error });
}

function sentence(code: string): string {
  if (code === '25006') return 'PostgreSQL is read-only there, as a standby is';
  if (code.startsWith('53')) return 'PostgreSQL has no connection or memory left';
  if (code === '57014' || code === '55P03') return 'PostgreSQL took too long';
  return 'PostgreSQL cannot be reached';
}
