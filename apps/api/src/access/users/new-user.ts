import { randomUUID } from 'node:crypto';
import type { StoredUser } from '@device-metrics/storage';

/** A user who has never signed in, and sees all devices. */
export const newUser = (who: Pick<StoredUser, 'name' | 'role' | 'passwordHash'>, createdBy: string): StoredUser => ({
  ...who,
  id: randomUUID(),
  tags: null,
  totp: null,
  totpStep: 0,
  subject: null,
  createdAt: Date.now(),
  createdBy,
  lastSignInAt: null,
});
