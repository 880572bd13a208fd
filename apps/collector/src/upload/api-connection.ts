import type { Agent } from 'node:https';
import type { Api } from '../config/api.js';
import { HttpError, request, type HttpAnswer, type HttpRequest } from '../http.js';
import { agentFor, fingerprintOf, shownCertificate } from './certificate.js';

const LARGEST_ANSWER = 4 * 2 ** 20;

/** What is asked of the api. */
export type ApiRequest = Pick<HttpRequest, 'method' | 'data' | 'headers' | 'signal' | 'into'> & {
  readonly path: string;
  /** Of the whole exchange, ms, where it is not the usual one. */
  readonly timeout?: number;
  readonly maxBytes?: number;
};

/** Requests to one api with the token and the certificate that the collector has there. */
export class ApiConnection {
  private readonly base: string;
  private agent: Agent | undefined;
  /** What was last said of a certificate that has changed. */
  private said = '';

  constructor(
    private api: Api,
    private readonly timeout: number,
    private readonly warn: (message: string) => void = () => undefined,
  ) {
    this.base = api.url.replace(/\/+$/, '');
    this.setAgent();
  }

  get token(): string | undefined {
    return this.api.token;
  }

  /** What the api signs packages with; undefined where the collector has not joined, or an api that has none. */
  get updateKey(): string | undefined {
    return this.hasJoined ? this.api.credential?.update_key : undefined;
  }

  /** Whether the collector has joined this api. */
  get hasJoined(): boolean {
    return this.api.credential !== undefined && this.api.token === this.api.credential.token;
  }

  /** Goes on with what is there now, where that is for the same api. @returns whether the token is another one. */
  renew(api: Api | undefined): boolean {
    if (!api || api.url !== this.api.url) return false;
    const isOther = api.token !== this.api.token;
    if (api.credential?.certificate !== this.api.credential?.certificate || isOther) {
      this.api = api;
      this.setAgent();
    }
    return isOther;
  }

  /** @throws HttpError where no answer came. */
  async request({ path, headers, ...what }: ApiRequest): Promise<HttpAnswer> {
    try {
      return await request({
        ...what,
        url: this.base + path,
        headers: {
          ...(what.data && { 'content-type': 'application/json' }),
          accept: 'application/json',
          ...(this.token !== undefined && { authorization: `Bearer ${this.token}` }),
          ...headers,
        },
        timeout: what.timeout ?? this.timeout,
        maxBytes: what.maxBytes ?? LARGEST_ANSWER,
        followRedirects: false,
        ...(this.agent && { httpsAgent: this.agent }),
      });
    } catch (error) {
      const changed = await this.changedCertificate();
      if (changed === undefined) throw error;
      if (changed !== this.said) this.warn(`${changed[0]?.toUpperCase()}${changed.slice(1)}`);
      this.said = changed;
      throw new HttpError(changed);
    }
  }

  /** What to say where the api shows another certificate than the one that the collector has joined with. */
  private async changedCertificate(): Promise<string | undefined> {
    const known = this.api.credential?.certificate;
    if (known === undefined) return undefined;
    try {
      const { fingerprint } = await shownCertificate(this.base);
      if (fingerprint === fingerprintOf(known)) return undefined;
      return (
        `the certificate of ${this.base} has changed: its fingerprint was ${fingerprintOf(known)} and is ${fingerprint}; if that ` +
        `is right, run collector trust ${fingerprint}, and otherwise somebody stands between`
      );
    } catch {
      // Nobody answers at all: the reason that the request has is the better one.
      return undefined;
    }
  }

  private setAgent(): void {
    const certificate = this.api.credential?.certificate;
    this.agent = certificate === undefined ? undefined : agentFor(certificate);
  }
}
