/** Crockford's base 32: no letter that is taken for another or for a digit. */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
/** 16 characters hold 80 bits. */
const LENGTH = 16;

/** The two parts of the code of an invitation. */
export interface JoinCode {
  /** 80 random bits. */
  readonly secret: string;
  /** The first 80 bits of the SHA-256 fingerprint of the server's certificate; undefined where it has none. */
  readonly certificate: string | undefined;
}

/** As people read it, such as `ABCD-EFGH-…`: four groups, or eight with a certificate. */
export const formatJoinCode = ({ secret, certificate = '' }: JoinCode): string =>
  (secret + certificate).replace(/(.{4})(?=.)/g, '$1-');

/** Reads a code however it was typed; undefined where the text is none. */
export function parseJoinCode(text: string): JoinCode | undefined {
  const code = text.toUpperCase().replace(/[\s-]/g, '').replaceAll('O', '0').replace(/[IL]/g, '1');
  if (code.length !== LENGTH && code.length !== 2 * LENGTH) return undefined;
  if ([...code].some((character) => !ALPHABET.includes(character))) return undefined;
  return { secret: code.slice(0, LENGTH), certificate: code.slice(LENGTH) || undefined };
}

/** The first 80 bits of bytes, which are at least 10. */
export function codeOfBytes(bytes: Uint8Array): string {
  const bits = Array.from(bytes.subarray(0, 10), (byte) => byte.toString(2).padStart(8, '0')).join('');
  return (bits.match(/.{5}/g) ?? []).map((five) => ALPHABET[parseInt(five, 2)]).join('');
}

/** @param fingerprint SHA-256 of a certificate, hexadecimal with colons as OpenSSL prints it. */
export const codeOfFingerprint = (fingerprint: string): string =>
  codeOfBytes(Uint8Array.from(fingerprint.split(':'), (byte) => parseInt(byte, 16)));
