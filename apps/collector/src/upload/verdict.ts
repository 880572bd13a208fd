/**
 * What the spool does with a batch after an answer of the api.
 *
 * | answer | verdict | consequence |
 * |---|---|---|
 * | 2xx | `delete` | the batch is on the api's disk; samples that it rejected go to quarantine with the reason |
 * | 400, 413, 422 | `split` | the batch is halved until the culprit stands alone, and only that goes to quarantine |
 * | 408, 425, 429, 5xx, none | `retry` | tried again for ever, later and later |
 * | any other | `hold` | everything waits and the log says so: a wrong token or URL must not lose the backlog |
 *
 * @param status undefined where no answer came, or a 2xx, 400 or 422 of another program.
 */
export function verdict(status: number | undefined): 'delete' | 'split' | 'retry' | 'hold' {
  if (status === undefined || status === 408 || status === 425 || status === 429 || status >= 500) return 'retry';
  if (status >= 200 && status < 300) return 'delete';
  return status === 400 || status === 413 || status === 422 ? 'split' : 'hold';
}

const LONGEST_BACKOFF = 60_000;
/** A mistaken `Retry-After` may not silence a collector for longer than this, ms. */
const LONGEST_RETRY_AFTER = 3_600_000;

/**
 * How long to wait after the n-th failure in a row, ms: random(0, min(60 s, 1 s · 2ⁿ)), or `Retry-After` if that is longer.
 * The chance spreads a hundred collectors that an api lost at the same moment.
 *
 * @param failures before this one, from 0.
 * @param random from 0 to 1.
 */
export function backoff(failures: number, retryAfter: number | undefined, random: number): number {
  const own = random * Math.min(LONGEST_BACKOFF, 1_000 * 2 ** failures);
  return Math.max(own, Math.min(retryAfter ?? 0, LONGEST_RETRY_AFTER));
}

/** Milliseconds that a `Retry-After` header asks for: seconds or an HTTP date; undefined where it says neither. */
export function parseRetryAfter(header: string | undefined, now: number): number | undefined {
  if (header === undefined || header.trim() === '') return undefined;
  if (/^\d+$/.test(header.trim())) return Number(header) * 1_000;
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
