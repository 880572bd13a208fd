import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { StoredToken, TokenKind } from '@device-metrics/storage';

/** `dm_<kind>_<id>_<secret>`: the id is 12 hexadecimal digits, the secret 32 random bytes in base64url. */
const FORM = /^dm_(ingest|read|admin|collector|share)_([0-9a-f]{12})_([A-Za-z0-9_-]{43})$/;

export interface TokenParts {
  readonly kind: TokenKind;
  readonly id: string;
  readonly secret: string;
}

/** Undefined where the text has not the form of a token. */
export function parseToken(text: string): TokenParts | undefined {
  const [, kind, id, secret] = FORM.exec(text) ?? [];
  if (kind === undefined || id === undefined || secret === undefined) return undefined;
  return { kind: kind as TokenKind, id, secret };
}

export const formatToken = ({ kind, id, secret }: TokenParts): string => `dm_${kind}_${id}_${secret}`;

export const newTokenId = (): string => randomBytes(6).toString('hex');

export const newSecret = (): string => randomBytes(32).toString('base64url');

/** What is stored of a secret that is long and random. */
export const hashOf = (secret: string): string => createHash('sha256').update(secret).digest('hex');

/** Whether a secret has this hash; takes as long whatever they share. */
export function hasHash(secret: string, hash: string | null): boolean {
  return hash !== null && timingSafeEqual(Buffer.from(hashOf(secret), 'hex'), Buffer.from(hash, 'hex'));
}

/** Why a token that is stored does not work now; undefined where it does. */
export function whyUseless(token: StoredToken, { kind, secret }: TokenParts, now: number): string | undefined {
  if (kind !== token.kind) return 'is unknown';
  const isPrevious = hasHash(secret, token.previousHash);
  if (!hasHash(secret, token.hash) && !isPrevious) return 'is unknown';
  if (token.revokedAt !== null) return 'has been revoked';
  if (token.expiresAt !== null && token.expiresAt <= now) return 'has expired';
  const isOld = isPrevious && !hasHash(secret, token.hash);
  return isOld && (token.previousUntil ?? 0) <= now ? 'has been rotated: there is a new one' : undefined;
}
