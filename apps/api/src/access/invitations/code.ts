import { createHash, randomBytes } from 'node:crypto';

/** Crockford's base 32: no letter that is taken for another or for a digit. */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
/** 16 characters hold 80 bits. */
const LENGTH = 16;

/**
 * The code of an invitation: 80 random bits, and where the server has a certificate, the first 80 bits of its SHA-256
 * fingerprint, so that whoever types the code knows that nobody stands between. As in `ABCD-EFGH-…`, four or eight groups.
 *
 * @param fingerprint of the certificate, hexadecimal with or without colons.
 */
export function newCode(fingerprint?: string): string {
  const secret = base32(randomBytes(10));
  const certificate = fingerprint === undefined ? '' : base32(Buffer.from(fingerprint.replaceAll(':', ''), 'hex'));
  return (secret + certificate.slice(0, LENGTH)).replace(/(.{4})(?=.)/g, '$1-');
}

/** What is stored of a code, or of its secret part alone; undefined where the text is no code. */
export function hashOfCode(text: string): string | undefined {
  const code = text.toUpperCase().replace(/[\s-]/g, '').replaceAll('O', '0').replace(/[IL]/g, '1');
  if (code.length < LENGTH || [...code].some((character) => !ALPHABET.includes(character))) return undefined;
  return createHash('sha256').update(code.slice(0, LENGTH)).digest('hex');
}

/** Five bits a character, the highest first; what is left of fewer than five is left out. */
function base32(bytes: Uint8Array): string {
  const bits = Array.from(bytes, (byte) => byte.toString(2).padStart(8, '0')).join('');
  return (bits.match(/.{5}/g) ?? []).map((five) => ALPHABET[parseInt(five, 2)]).join('');
}
