import type { Labels } from '@device-metrics/domain';
import type { AccessStore, StoredInvitation } from '@device-metrics/storage';
import { HOUR } from '@device-metrics/domain';
import { newTokenId } from '../token.js';
import { hashOfCode, newCode } from './code.js';
import { joinCommand } from './join-command.js';

/** What an invitation is to be. */
export interface InvitationWish {
  readonly uses?: number | undefined;
  /** After which time it ends, ms. */
  readonly lifetime?: number | undefined;
  readonly tags?: Labels | undefined;
  /** Where collectors reach the server. */
  readonly url: string;
  /** Of the certificate of the server, if it has one of its own. */
  readonly fingerprint?: string | undefined;
  /** SHA-256 of its public key, Base64, where no authority vouches for it. */
  readonly pin?: string | undefined;
}

export interface MadeInvitation {
  readonly stored: StoredInvitation;
  /** To be shown once. */
  readonly code: string;
  /** What to run on the PC that is to join. */
  readonly command: string;
}

/** Makes an invitation and stores what is to be known of it. */
export async function makeInvitation(
  store: AccessStore,
  { uses = 1, lifetime = HOUR, tags = {}, url, fingerprint, pin }: InvitationWish,
  by: string,
  now: number,
): Promise<MadeInvitation> {
  const code = newCode(fingerprint);
  const stored: StoredInvitation = {
    id: newTokenId(),
    codeHash: hashOfCode(code) as string,
    uses: 0,
    maxUses: uses,
    tags,
    createdAt: now,
    createdBy: by,
    expiresAt: now + lifetime,
    revokedAt: null,
  };
  await store.invitations.add(stored);
  return { stored, code, command: joinCommand({ url, code, pin }) };
}
