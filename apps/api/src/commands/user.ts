import { randomBytes } from 'node:crypto';
import { toRfc3339 } from '@device-metrics/domain';
import type { StoredUser } from '@device-metrics/storage';
import { nameRule, tagsRule } from '../access/rules.js';
import { hashPassword } from '../access/sessions/password.js';
import { newUser } from '../access/users/new-user.js';
import { roleRule } from '../access/users/user.dto.js';
import type { Command, Work } from './command.js';
import { checked, note, OPERATOR, tagsOf, UsageError } from './usage.js';

/** 20 characters: nobody guesses it, and it can be typed. */
const newPassword = (): string => randomBytes(15).toString('base64url');

const add: Command = {
  usage:
    'user add <name> --role viewer|editor|admin [--tag name=value…]\n' +
    '                               make a user and show the password, this once; the first user is an admin',
  args: [1, 1],
  options: { role: { type: 'string' }, tag: { type: 'string', multiple: true } },
  run: async (work) => {
    const { store, args, options, print } = work;
    const name = checked('<name>', args[0] ?? '', nameRule);
    const tags = checked('--tag', tagsOf(options['tag'] as string[] | undefined), tagsRule);
    const isFirst = !(await store.users.any());
    const role = checked('--role', options['role'] ?? (isFirst ? 'admin' : ''), roleRule) as StoredUser['role'];
    if (isFirst && (role !== 'admin' || tags)) throw new UsageError('The first user is an admin of all devices');
    const password = newPassword();
    const user = newUser({ name, role, passwordHash: await hashPassword(password) }, OPERATOR);
    const isMade = isFirst ? await store.users.addFirst(user) : await store.users.add({ ...user, tags: tags ?? null });
    if (!isMade) throw new UsageError(`There is a user ${name} already`);
    await note(work, 'user.create', name, { role });
    print(password);
  },
};

const list: Command = {
  usage: 'user list                      show who signs in',
  args: [0, 0],
  run: async ({ store, print }) => {
    const users = await store.users.all();
    if (users.length === 0) print('There are no users');
    for (const { name, role, tags, totp, passwordHash, lastSignInAt } of users) {
      const scope = Object.entries(tags ?? {}).map((tag) => tag.join('='));
      const way = passwordHash === null ? 'OpenID' : totp === null ? 'password' : 'password and one-time code';
      const last = lastSignInAt === null ? 'never signed in' : `signed in last ${toRfc3339(lastSignInAt)}`;
      print(`${role.padEnd(6)}  ${name}: ${scope.join(', ') || 'all devices'}; ${way}; ${last}`);
    }
  },
};

const setRole: Command = {
  usage: 'user role <name> viewer|editor|admin\n                               give a user another role',
  args: [2, 2],
  run: async (work) => {
    const user = await find(work);
    const role = checked('<role>', work.args[1] ?? '', roleRule) as StoredUser['role'];
    const { users } = work.store;
    const isDone =
      role === 'admin' ? await users.change(user.id, { role }) : await users.changeUnlessLastAdmin(user.id, { role });
    if (!isDone) throw lastAdmin(user);
    await note(work, 'user.change', user.name, { changed: 'role', role });
    work.print(`${user.name} is ${role}`);
  },
};

const password: Command = {
  usage:
    'user password <name>           give a user another password and show it, this once; asks for no one-time code any\n' +
    '                               more, and signs the user out everywhere',
  args: [1, 1],
  run: async (work) => {
    const { store, print } = work;
    const user = await find(work);
    const made = newPassword();
    await store.users.change(user.id, { passwordHash: await hashPassword(made), totp: null });
    await store.sessions.deleteOfUser(user.id);
    await note(work, 'user.password', user.name);
    print(made);
  },
};

const remove: Command = {
  usage: 'user remove <name>             delete a user, whose sessions and shared links end',
  args: [1, 1],
  run: async (work) => {
    const { store, print } = work;
    const user = await find(work);
    if (!(await store.users.changeUnlessLastAdmin(user.id))) throw lastAdmin(user);
    await store.sessions.deleteOfUser(user.id);
    await store.tokens.revokeSharesBy(`user ${user.name}`, Date.now());
    await note(work, 'user.delete', user.name);
    print(`${user.name} is deleted`);
  },
};

async function find({ store, args: [name = ''] }: Work): Promise<StoredUser> {
  const user = await store.users.findByName(name);
  if (!user) throw new UsageError(`There is no user ${name}; user list shows them`);
  return user;
}

const lastAdmin = ({ name }: StoredUser): UsageError =>
  new UsageError(`${name} is the last admin, and somebody has to be one`);

export const userCommands: Readonly<Record<string, Command>> = {
  'user add': add,
  'user list': list,
  'user role': setRole,
  'user password': password,
  'user remove': remove,
};
