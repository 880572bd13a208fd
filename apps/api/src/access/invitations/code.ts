import { createHash, randomBytes } from 'node:crypto';
import { codeOfBytes, codeOfFingerprint, formatJoinCode, parseJoinCode } from '@device-metrics/domain';

/**
 * The code of an invitation. The part of it that tells the certificate lets whoever types it know that nobody stands between.
 *
 * @param fingerprint SHA-256 of the certificate of the server, if it has one.
 */
export const newCode = (fingerprint?: string): string =>
  formatJoinCode({
    secret: codeOfBytes(randomBytes(10)),
    certificate: fingerprint === undefined ? undefined : codeOfFingerprint(fingerprint),
  });

/** What is stored of a code; undefined where the text is none. */
export function hashOfCode(text: string): string | undefined {
  const code = parseJoinCode(text);
  return code && createHash('sha256').update(code.secret).digest('hex');
}
