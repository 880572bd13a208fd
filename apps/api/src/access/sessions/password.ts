import { hash, verify } from '@node-rs/argon2';

/** What is stored of a password: argon2id with the library's parameters, which are those that OWASP recommends. */
export const hashPassword = (password: string): Promise<string> => hash(password);

/** A hash of nothing that anybody knows: a name that there is not takes as long as one that there is. */
const nobodysHash = hash(`${Math.random()}`);

/** Whether this is the password of the hash; without one it never is. */
export async function isPassword(password: string, stored: string | null | undefined): Promise<boolean> {
  const isRight = await verify(stored ?? (await nobodysHash), password).catch(() => false);
  return isRight && stored !== null && stored !== undefined;
}
