import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { codeOfBytes, codeOfFingerprint, formatJoinCode, parseJoinCode } from './join-code.js';

const part = fc.uint8Array({ minLength: 10, maxLength: 10 }).map(codeOfBytes);

it('a code is read as it was made, however it is typed', () => {
  fc.assert(
    fc.property(part, fc.option(part, { nil: undefined }), (secret, certificate) => {
      const text = formatJoinCode({ secret, certificate });
      const typed = text.toLowerCase().replaceAll('-', ' ').replaceAll('0', 'o').replaceAll('1', 'l');
      expect(parseJoinCode(text)).toEqual({ secret, certificate });
      expect(parseJoinCode(typed)).toEqual({ secret, certificate });
    }),
  );
});

it('codes of different bytes differ, and have no letters that are taken for others', () => {
  const bytes = fc.uint8Array({ minLength: 10, maxLength: 10 });
  fc.assert(
    fc.property(bytes, bytes, (one, other) => {
      expect(codeOfBytes(one) === codeOfBytes(other)).toBe(Buffer.compare(one, other) === 0);
      expect(codeOfBytes(one)).toMatch(/^[0-9A-HJKMNP-TV-Z]{16}$/);
    }),
  );
});

it.each(['', 'ABCD', 'ABCD-EFGH-JKMN-PQRU', 'ABCD-EFGH-JKMN-PQRS-T', 'ABCD-EFGH-JKMN-PQR!'])(
  '%j is no code',
  (text) => {
    expect(parseJoinCode(text)).toBeUndefined();
  },
);

it('a fingerprint gives the code of its first ten bytes', () => {
  expect(codeOfFingerprint(Array.from({ length: 32 }, () => 'FF').join(':'))).toBe('Z'.repeat(16));
});
