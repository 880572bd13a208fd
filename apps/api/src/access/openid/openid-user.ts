import type { AccessStore, Role, StoredUser } from '@device-metrics/storage';
import { newUser } from '../users/new-user.js';
import type { Identity } from './openid-provider.js';

const RANK: readonly Role[] = ['viewer', 'editor', 'admin'];
const MAX_NAME = 60;
/** How often a name is tried with another number behind it. */
const MOST_TRIES = 50;

/** The highest role that the groups give; undefined where they give none. */
export function roleOfGroups(
  groups: readonly string[],
  roles: readonly (readonly [group: string, role: Role])[],
): Role | undefined {
  const given = roles.filter(([group]) => group === '*' || groups.includes(group)).map(([, role]) => role);
  return RANK.findLast((role) => given.includes(role));
}

/**
 * The user that somebody is whom the provider knows, with the role that it gives them now. A user of this server is never taken
 * over by a name. While there is nobody, only an admin gets in: else there would be none.
 */
export async function userOf(store: AccessStore, identity: Identity, role: Role): Promise<StoredUser | undefined> {
  const { users } = store;
  const known = await users.findBySubject(identity.subject);
  if (known) {
    // The last admin stays one: else nobody could let anybody in.
    if (known.role !== role) {
      await (role === 'admin' ? users.change(known.id, { role }) : users.changeUnlessLastAdmin(known.id, { role }));
    }
    return users.find(known.id);
  }
  if (role !== 'admin' && !(await users.any())) return undefined;
  const name = printable(identity.name).slice(0, MAX_NAME).trim() || 'somebody';
  for (let number = 1; number <= MOST_TRIES; number += 1) {
    const wanted = number === 1 ? name : `${name} ${number}`;
    const user = { ...newUser({ name: wanted, role, passwordHash: null }, 'openid'), subject: identity.subject };
    if (await users.add(user)) return user;
    // Came twice at once.
    const meanwhile = await users.findBySubject(identity.subject);
    if (meanwhile) return meanwhile;
  }
  return undefined;
}

const printable = (text: string): string => text.replace(/\p{C}/gu, '');
