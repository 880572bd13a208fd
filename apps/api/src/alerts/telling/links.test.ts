import { randomBytes } from 'node:crypto';
import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { LinkSigner, type LinkGrant } from './links.js';

const signer = new LinkSigner(randomBytes(32));
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.';

it('a link does what it was signed for until it expires, and with any character changed, added or taken away nothing', () => {
  const grants = fc.record({ action: fc.constantFrom('acknowledge', 'silence'), message: fc.base64String() });
  const change = fc.record({ at: fc.nat(), by: fc.constantFrom('', ...ALPHABET), of: fc.constantFrom(0, 1) });
  fc.assert(
    fc.property(grants, change, (of, change) => {
      const grant = { ...of, expires: 1_000 } as LinkGrant;
      const token = signer.token(grant);
      expect(signer.read(token, 999)).toEqual(grant);
      expect(signer.read(token, 1_000)).toBeUndefined();
      const at = change.at % (token.length + 1);
      const changed = token.slice(0, at) + change.by + token.slice(at + change.of);
      if (changed !== token) expect(signer.read(changed, 999)).toBeUndefined();
      // All of its last characters, of which base64url uses some bits only.
      const others = [...ALPHABET].map((last) => token.slice(0, -1) + last);
      const taken = others.filter((other) => other !== token && signer.read(other, 999) !== undefined);
      expect(taken).toEqual([]);
    }),
  );
});
