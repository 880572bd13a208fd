import { gunzipSync } from 'node:zlib';
import { quote } from '@device-metrics/domain';
import type { RejectedItem } from '@device-metrics/contract/batch-decoder';
import type { Api } from '../config/api.js';
import { HttpError } from '../http.js';
import { Redactor } from '../config/redact.js';
import type { ApiConnection } from './api-connection.js';
import { parseRetryAfter } from './verdict.js';

/** What came back for a batch. */
export interface Answer {
  /** Undefined where no answer came, or none that an api gives. */
  readonly status: number | undefined;
  /** What went wrong, for a person; empty where nothing did. */
  readonly reason: string;
  /** How many samples the api has on disk. */
  readonly accepted: number;
  readonly rejected: readonly RejectedItem[];
  /** Milliseconds that the api asks to wait. */
  readonly retryAfter: number | undefined;
  /** The time of the api, Unix milliseconds, by its `Date` header. */
  readonly time: number | undefined;
}

/** Sends batches to `POST /api/v1/aggregator/metrics/batch/` of one api. */
export class ApiClient {
  private readonly redactor = new Redactor();
  private gzip = true;

  /**
   * @param renew gives what the settings, and the files that they name, say of the api now.
   * @param announce tells the api what this collector reads, and has read of this batch, before its samples; rejects where that has not arrived.
   */
  constructor(
    private readonly connection: ApiConnection,
    private readonly renew: () => Api | undefined = () => undefined,
    private readonly announce: (payload: Buffer, signal: AbortSignal) => Promise<void> = () => Promise.resolve(),
  ) {
    this.keepSecret();
  }

  /**
   * Sends one body. Never rejects: what went wrong is in the answer.
   *
   * @param payload gzip; sent as plain JSON from the first time on that the api refuses gzip.
   */
  async send(payload: Buffer, signal: AbortSignal): Promise<Answer> {
    const answer = await this.post(payload, signal);
    if (answer.status === 415 && this.gzip) {
      this.gzip = false;
      return this.post(payload, signal);
    }
    // Also without an answer: the certificate may be another one by now, and trusted.
    if (answer.status !== undefined && answer.status !== 401) return answer;
    const isOther = this.connection.renew(this.renew());
    this.keepSecret();
    return isOther && answer.status === 401 ? this.post(payload, signal) : answer;
  }

  private keepSecret(): void {
    if (this.connection.token !== undefined) this.redactor.add(this.connection.token);
  }

  private async post(payload: Buffer, signal: AbortSignal): Promise<Answer> {
    try {
      await this.announce(payload, signal);
      const { status, headers, body } = await this.connection.request({
        method: 'POST',
        path: '/api/v1/aggregator/metrics/batch/',
        data: this.gzip ? payload : gunzipSync(payload),
        headers: this.gzip ? { 'content-encoding': 'gzip' } : {},
        signal,
      });
      const date = Date.parse(headers['date'] ?? '');
      return {
        ...this.withoutToken(answerOf(status, body)),
        retryAfter: parseRetryAfter(headers['retry-after'], Date.now()),
        time: Number.isNaN(date) ? undefined : date,
      };
    } catch (error) {
      const reason = error instanceof HttpError ? error.message : String(error);
      return { status: undefined, reason, accepted: 0, rejected: [], retryAfter: undefined, time: undefined };
    }
  }

  /** A reason stays in the spool, and whatever is between here and the api may have echoed the token in it. */
  private withoutToken<T extends Pick<Answer, 'reason' | 'rejected'>>(answer: T): T {
    const redact = (text: string): string => this.redactor.redact(text);
    const rejected = answer.rejected.map((item) => ({ ...item, reason: redact(item.reason) }));
    return { ...answer, reason: redact(answer.reason), rejected };
  }
}

/**
 * A 2xx is an acknowledgement, and a 400 or 422 a refusal, only with the body that the api gives one: a captive portal that answers 200
 * to everything, or a proxy that answers 400, must not swallow the queue.
 */
function answerOf(status: number, body: string): Pick<Answer, 'status' | 'reason' | 'accepted' | 'rejected'> {
  const none = { accepted: 0, rejected: [] };
  const notOfApi = {
    status: undefined,
    reason: `${status}, but not with an answer of the api: ${quote(body)}`,
    ...none,
  };
  if ((status === 400 || status === 422) && typeof problemOf(body)?.detail !== 'string') return notOfApi;
  if (status < 200 || status > 299) return { status, reason: `${status} ${detailOf(body)}`.trim(), ...none };
  const result = parse(body) as { accepted?: unknown; rejected?: unknown } | null | undefined;
  const rejected = result?.rejected ?? [];
  if (typeof result?.accepted !== 'number' || !Array.isArray(rejected) || !rejected.every(isRejectedItem)) {
    return notOfApi;
  }
  return { status, reason: '', accepted: result.accepted, rejected };
}

const isRejectedItem = (item: unknown): item is RejectedItem => {
  const { index, field, reason } = (item ?? {}) as Partial<Record<string, unknown>>;
  return Number.isInteger(index) && typeof field === 'string' && typeof reason === 'string';
};

/** The detail of a problem+json, or the beginning of any other body. */
function detailOf(body: string): string {
  const detail = problemOf(body)?.detail;
  if (typeof detail !== 'string') return body === '' ? '' : quote(body);
  return detail;
}

const problemOf = (body: string): { readonly detail?: unknown } | null | undefined =>
  parse(body) as { readonly detail?: unknown } | null | undefined;

function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
