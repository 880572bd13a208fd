import type * as Argon2 from '@node-rs/argon2';

/** 2 MB of machine code that only who signs in needs. */
const argon2 = (): Promise<typeof Argon2> => import('@node-rs/argon2');

/** What is stored of a password: argon2id with the library's parameters, which are those that OWASP recommends. */
export const hashPassword = async (password: string): Promise<string> => (await argon2()).hash(password);

/** A hash of nothing that anybody knows: a name that there is not takes as long as one that there is. */
let nobodysHash: Promise<string> | undefined;

/** Whether this is the password of the hash; without one it never is. */
export async function isPassword(password: string, stored: string | null | undefined): Promise<boolean> {
  const { verify } = await argon2();
  nobodysHash ??= hashPassword(`${Math.random()}`);
  const isRight = await verify(stored ?? (await nobodysHash), password).catch(() => false);
  return isRight && stored !== null && stored !== undefined;
}
