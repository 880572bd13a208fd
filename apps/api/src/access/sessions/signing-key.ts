import { randomBytes } from 'node:crypto';
import type { AlertStore } from '@device-metrics/storage';
import type { SecretBox } from './secret-box.js';

const SEALED = 'sealed:';
const freshKey = (): string => randomBytes(32).toString('base64url');

/**
 * The key that signs what is given away, as the links of messages: made once, and sealed in the database, so that a copy of that signs
 * nothing. One of the version before is sealed; one that was sealed with another key is replaced, and what it signed ends.
 */
export async function signingKey(documents: AlertStore, box: SecretBox, name: string, now: number): Promise<Buffer> {
  const write = async (key: string): Promise<void> =>
    documents.put([{ kind: 'key', name, body: { key: SEALED + box.seal(key) }, changedAt: now }]);
  await documents.add('key', { name, body: { key: SEALED + box.seal(freshKey()) }, changedAt: now });
  const { key: stored } = (await documents.document('key', name))?.body as { key: string };
  const opened = stored.startsWith(SEALED) ? box.open(stored.slice(SEALED.length)) : undefined;
  const key = stored.startsWith(SEALED) ? (opened ?? freshKey()) : stored;
  if (opened === undefined) await write(key);
  return Buffer.from(key, 'base64url');
}
