import { jest, expect, it } from '@jest/globals';
import type { AccessStore, StoredToken } from '@device-metrics/storage';
import { Authenticate, type Credentials } from './authenticate.js';
import { formatToken, hashOf, newSecret, newTokenId } from './token.js';

/** A store of one token whose answers come when a test lets them, as those of a database that is busy. */
function slowStore(): { store: AccessStore; shown: Credentials; revoke: () => void; answers: (() => void)[] } {
  const [id, secret] = [newTokenId(), newSecret()];
  const of = {
    id,
    kind: 'read',
    hash: hashOf(secret),
    previousHash: null,
    devices: null,
    tags: null,
    collectorId: null,
  };
  let token = { ...of, expiresAt: null, revokedAt: null as number | null };
  const answers: (() => void)[] = [];
  const tokens = {
    find: () => {
      const found = token as unknown as StoredToken;
      return new Promise((resolve) => answers.push(() => resolve(found)));
    },
    used: async () => undefined,
  };
  return {
    store: { tokens, users: { any: async () => true } } as unknown as AccessStore,
    shown: {
      authorization: `Bearer ${formatToken({ kind: 'read', id, secret })}`,
      cookie: undefined,
      isLocal: false,
      isSecure: false,
    },
    revoke: () => void (token = { ...token, revokedAt: Date.now() }),
    answers,
  };
}

it('a token that is revoked while the database is asked for it is refused at once', async () => {
  const { store, shown, revoke, answers } = slowStore();
  const authenticate = new Authenticate(store);
  const begun = authenticate.caller(shown);
  revoke();
  authenticate.forget();
  answers[0]!();
  // This one came before.
  await begun;
  expect(authenticate.known(shown)).toBeUndefined();
});

it('what the database says is believed for a second from when it was asked, however late it answers', async () => {
  let now = 0;
  const clock = jest.spyOn(performance, 'now').mockImplementation(() => now);
  try {
    const { store, shown, answers } = slowStore();
    const authenticate = new Authenticate(store);
    const begun = authenticate.caller(shown);
    now = 500;
    answers[0]!();
    await begun;
    expect(authenticate.known(shown)).toBeDefined();
    now = 1_000;
    expect(authenticate.known(shown)).toBeUndefined();
  } finally {
    clock.mockRestore();
  }
});
