import { Inject, Injectable } from '@nestjs/common';
import type { Store } from '@device-metrics/storage';
import { Problem } from '../../http/problem.js';
import { SAMPLE_STORE } from '../../sample-store.token.js';
import { apiConfig, type ApiConfig } from '../../settings.js';
import { askingCaller, type Caller } from '../caller.js';
import { networkOf } from '../network-of.js';
import { Allowance } from './allowance.js';

/** How much one credential, or one address without any, may ask and send. This machine itself, while nobody has to sign in, may any. */
@Injectable()
export class Rates {
  private readonly requests: Allowance;
  private readonly samples: Allowance;

  constructor(@Inject(apiConfig.KEY) { limits }: ApiConfig, @Inject(SAMPLE_STORE) store: Pick<Store, 'processes'>) {
    const allowance = (perSecond: number): Allowance => new Allowance(perSecond, undefined, () => store.processes);
    this.requests = allowance(limits.requestsPerSecond);
    this.samples = allowance(limits.samplesPerSecond);
  }

  /** Whether the gate has to know who sends. */
  get countsSamples(): boolean {
    return this.samples.perSecond > 0;
  }

  /** @throws Problem for a request of somebody who has asked too much. */
  takeRequest(caller: Caller, address: string): void {
    const name = nameOf(caller, address);
    const wait = name === undefined ? undefined : this.requests.take(name, 1);
    if (wait === undefined) return;
    throw new Problem('too-many-requests', `${name} may send ${this.requests.perSecond} requests a second.`, {
      retryAfter: wait,
    });
  }

  /**
   * For every way to the store: before samples of a request are looked at.
   *
   * @throws Problem where whoever asks has sent too many.
   */
  takeSamples(count: number): void {
    const caller = this.countsSamples ? askingCaller() : undefined;
    const name = caller && nameOf(caller);
    const wait = name === undefined ? undefined : this.samples.take(name, count);
    if (wait === undefined) return;
    const detail = `${name} may send ${this.samples.perSecond} samples a second: nothing of this request was stored.`;
    throw new Problem('too-many-samples', detail, { retryAfter: wait });
  }
}

function nameOf({ kind, name }: Caller, address = 'nobody'): string | undefined {
  if (kind === 'local') return undefined;
  return kind === 'nobody' ? networkOf(address) : name;
}
