import { createHmac, timingSafeEqual } from 'node:crypto';

/** Of a text by a key: base64url, without padding. */
export const signatureOf = (key: Buffer, text: string): string =>
  createHmac('sha256', key).update(text).digest('base64url');

/** Whether two signatures are the same text: the last character of base64url has bits that decoding ignores. */
export function isSameSignature(given: string, right: string): boolean {
  const [ours, theirs] = [Buffer.from(right), Buffer.from(given)];
  return ours.length === theirs.length && timingSafeEqual(ours, theirs);
}
