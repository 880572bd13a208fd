import type { Labels } from '@device-metrics/domain';
import type { AccessStore, StoredToken, TokenKind } from '@device-metrics/storage';
import { formatToken, hashOf, newSecret, newTokenId } from '../token.js';

/** What a new token is to be. */
export interface TokenWish {
  readonly kind: TokenKind;
  readonly name: string;
  readonly devices?: readonly string[] | undefined;
  readonly tags?: Labels | undefined;
  readonly page?: string;
  readonly collectorId?: string;
  /** After which time it ends, ms. */
  readonly lifetime?: number | undefined;
}

export interface MadeToken {
  readonly stored: StoredToken;
  /** With its secret: to be shown once. */
  readonly token: string;
}

/** Makes a token and stores what is to be known of it. */
export async function makeToken(store: AccessStore, wish: TokenWish, by: string, now: number): Promise<MadeToken> {
  const { kind, name } = wish;
  const [id, secret] = [newTokenId(), newSecret()];
  const stored: StoredToken = {
    id,
    kind,
    name,
    hash: hashOf(secret),
    previousHash: null,
    previousUntil: null,
    devices: wish.devices ?? null,
    tags: wish.tags && Object.keys(wish.tags).length > 0 ? wish.tags : null,
    page: wish.page ?? null,
    collectorId: wish.collectorId ?? null,
    createdAt: now,
    createdBy: by,
    rotatedAt: null,
    expiresAt: wish.lifetime === undefined ? null : now + wish.lifetime,
    revokedAt: null,
    lastUsedAt: null,
  };
  await store.tokens.add(stored);
  return { stored, token: formatToken({ kind, id, secret }) };
}

/**
 * Gives a token another secret; the one before works for `overlap` ms more.
 *
 * @returns undefined where there is none that works.
 */
export async function rotateToken(
  store: AccessStore,
  id: string,
  overlap: number,
  now: number,
  rotatedBefore?: number | null,
): Promise<MadeToken | undefined> {
  const secret = newSecret();
  if (!(await store.tokens.rotate(id, hashOf(secret), now, now + overlap, rotatedBefore))) return undefined;
  // Who signed in by the secret of before is in no longer than it works.
  await store.sessions.endOfToken(id, now + overlap);
  const stored = await store.tokens.find(id);
  return stored && { stored, token: formatToken({ kind: stored.kind, id, secret }) };
}
