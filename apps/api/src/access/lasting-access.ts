import { Inject, Injectable } from '@nestjs/common';
import type { Store } from '@device-metrics/storage';
import type { FastifyRequest } from 'fastify';
import { SAMPLE_STORE } from '../sample-store.token.js';
import { Authenticate } from './authenticate.js';
import { runAs, type Caller } from './caller.js';
import { credentialsOf } from './guard.js';
import type { Right } from './rights.js';

/** How often it is looked at whether somebody still may what they began, ms. */
const LOOK_EVERY = 1_000;

/** What a request that lasts may see while it lasts. */
export interface LastingAccess {
  /** Equal for those who see the same; those who see some devices only are each of their own. */
  readonly scope: string;
  readonly sees: (deviceName: string) => boolean;
  /** Ends the looking. */
  readonly stop: () => void;
}

/** Looks after requests that last, such as live streams: a credential may be revoked, and tags change. */
@Injectable()
export class LastingAccesses {
  private made = 0;

  constructor(
    private readonly authenticate: Authenticate,
    @Inject(SAMPLE_STORE) private readonly store: Store,
  ) {}

  /** @param onEnd called once the caller has not the right any more, or is somebody else. */
  async watch(request: FastifyRequest, right: Right, onEnd: () => void): Promise<LastingAccess> {
    const { caller } = request;
    const credentials = credentialsOf(request);
    let seen = await this.seenBy(caller);
    const timer = setInterval(() => {
      void this.stillIs(caller, right, credentials)
        .then(async (isStill) => {
          if (!isStill) throw new Error('not any more');
          seen = await this.seenBy(caller);
        })
        .catch(() => {
          clearInterval(timer);
          onEnd();
        });
    }, LOOK_EVERY);
    this.made += 1;
    return {
      scope: caller.isLimited ? `${caller.scope} ${this.made}` : '',
      sees: (deviceName) => seen?.has(deviceName) ?? true,
      stop: () => clearInterval(timer),
    };
  }

  private async stillIs(caller: Caller, right: Right, credentials: ReturnType<typeof credentialsOf>): Promise<boolean> {
    const now = await this.authenticate.caller(credentials);
    return now.rights.has(right) && now.scope === caller.scope && now.name === caller.name;
  }

  /** The devices that a limited caller sees; undefined: all. */
  private seenBy(caller: Caller): Promise<ReadonlySet<string> | undefined> {
    if (!caller.isLimited) return Promise.resolve(undefined);
    return new Promise((resolve, reject) => {
      runAs(caller, () => {
        this.store.devices().then((devices) => resolve(new Set(devices.map(({ name }) => name))), reject);
      });
    });
  }
}
