import { Inject, Injectable } from '@nestjs/common';
import type { AccessStore, StoredUser } from '@device-metrics/storage';
import type { TOTP } from 'otpauth';
import { apiConfig, type ApiConfig } from '../../settings.js';
import { ACCESS_STORE } from '../access-store.js';
import { SecretBox } from './secret-box.js';

/** Seconds that a one-time password is good for (RFC 6238). */
const PERIOD = 30;
/** How long somebody has to show that their app has the new secret, ms. */
const PENDING = 600_000;

/** One-time passwords of an app, besides the password. */
@Injectable()
export class OneTimePasswords {
  private readonly pending = new Map<string, { readonly secret: string; readonly until: number }>();

  constructor(
    @Inject(ACCESS_STORE) private readonly store: AccessStore,
    @Inject(apiConfig.KEY) private readonly config: ApiConfig,
  ) {}

  /** Offers a new secret, which counts once a one-time password of it has come. */
  async offer(user: StoredUser, now: number): Promise<{ secret: string; uri: string }> {
    const { Secret } = await import('otpauth');
    const secret = new Secret({ size: 20 });
    this.pending.set(user.id, { secret: secret.base32, until: now + PENDING });
    return { secret: secret.base32, uri: (await totpOf(secret.base32, user.name)).toString() };
  }

  /** Whether the code is of the secret that was offered; from now on it is asked for. */
  async confirm(user: StoredUser, code: string, now: number): Promise<boolean> {
    const offered = this.pending.get(user.id);
    if (!offered || offered.until < now) return false;
    const step = await stepOf(offered.secret, code, now);
    if (step === undefined || !(await this.store.users.takeTotpStep(user.id, step))) return false;
    this.pending.delete(user.id);
    const totp = SecretBox.beside(this.config.databasePath).seal(offered.secret);
    return this.store.users.change(user.id, { totp });
  }

  /** Whether a code is right, and was not used before. */
  async isRight(user: StoredUser, code: string, now: number): Promise<boolean> {
    const secret = SecretBox.beside(this.config.databasePath).open(user.totp ?? '');
    const step = secret === undefined ? undefined : await stepOf(secret, code, now);
    return step !== undefined && this.store.users.takeTotpStep(user.id, step);
  }
}

async function totpOf(secret: string, label = ''): Promise<TOTP> {
  const { TOTP } = await import('otpauth');
  return new TOTP({ issuer: 'Device Metrics', label, secret, period: PERIOD });
}

/** The time step that a code is of, one before or after now at most. */
async function stepOf(secret: string, code: string, now: number): Promise<number | undefined> {
  const delta = (await totpOf(secret)).validate({ token: code, timestamp: now, window: 1 });
  return delta === null ? undefined : Math.floor(now / 1_000 / PERIOD) + delta;
}
