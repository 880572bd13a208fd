import { Inject, Injectable } from '@nestjs/common';
import type { AccessStore } from '@device-metrics/storage';
import type { FastifyRequest } from 'fastify';
import { ACCESS_STORE } from '../access-store.js';

/** What was done; without secrets. */
export interface Deed {
  /** As `token.create`. */
  readonly action: string;
  /** To what, as the name of a device. */
  readonly target?: string;
  readonly success?: boolean;
  readonly details?: Readonly<Record<string, string>>;
  /** Who, where the request does not say it. */
  readonly actor?: string;
}

/** Writes down what was done, by whom and from where. */
@Injectable()
export class Audit {
  constructor(@Inject(ACCESS_STORE) private readonly store: AccessStore) {}

  async note(
    request: FastifyRequest,
    { action, target = '', success = true, details = {}, actor }: Deed,
  ): Promise<void> {
    await this.store.audit.add({
      at: Date.now(),
      actor: actor ?? request.caller.name,
      address: request.ip,
      action,
      target,
      success,
      details,
    });
  }
}
