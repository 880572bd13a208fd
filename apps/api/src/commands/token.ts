import { toRfc3339, wrong } from '@device-metrics/domain';
import { MADE_BY_START } from '@device-metrics/storage';
import { makeToken, rotateToken } from '../access/tokens/make-token.js';
import { KINDS, tokenDto } from '../access/tokens/token.dto.js';
import { devicesRule, nameRule, spanRule, tagsRule } from '../access/rules.js';
import type { Command } from './command.js';
import { checked, note, OPERATOR, spanOf, tagsOf, UsageError } from './usage.js';

const create: Command = {
  usage:
    'token create ingest|read|admin --name <name> [--device <name>…] [--tag name=value…] [--expires-in 90d]\n' +
    '                               make a token and show it, this once; * in a device stands for any characters',
  args: [1, 1],
  options: {
    name: { type: 'string' },
    device: { type: 'string', multiple: true },
    tag: { type: 'string', multiple: true },
    'expires-in': { type: 'string' },
    // Of npm start: it lets nobody else in, and so opens no other address.
    'by-start': { type: 'boolean' },
  },
  run: async (work) => {
    const { store, args, options, now, print } = work;
    const kind = KINDS.find((known) => known === args[0]);
    if (!kind) throw new UsageError(`token create ${wrong(`one of ${KINDS.join(', ')}`, args[0])}`);
    if (options['name'] === undefined) throw new UsageError('token create needs --name, what people call it');
    const name = checked('--name', options['name'] as string, nameRule);
    const devices = checked('--device', options['device'] as string[] | undefined, devicesRule);
    const tags = checked('--tag', tagsOf(options['tag'] as string[] | undefined), tagsRule);
    const by = options['by-start'] === true ? MADE_BY_START : OPERATOR;
    const span = checked('--expires-in', options['expires-in'] as string | undefined, spanRule('100y', '90d'));
    const made = await makeToken(store, { kind, name, devices, tags, lifetime: spanOf(span) }, by, now);
    await note(work, 'token.create', name, { id: made.stored.id, kind });
    print(made.token);
  },
};

const list: Command = {
  usage: 'token list                     show what each token is for, and when it was last used',
  args: [0, 0],
  run: async ({ store, now, print }) => {
    const tokens = (await store.tokens.all()).map((token) => tokenDto(token, now));
    if (tokens.length === 0) print('There are no tokens');
    for (const { id, kind, name, state, devices, tags, last_used_at, expires_at } of tokens) {
      const scope = [
        devices && `devices ${devices.join(', ')}`,
        tags &&
          `tags ${Object.entries(tags)
            .map((tag) => tag.join('='))
            .join(', ')}`,
      ].filter(Boolean);
      const use = last_used_at === null ? 'never used' : `last used ${last_used_at}`;
      const end = state === 'active' && expires_at !== null ? `, until ${expires_at}` : '';
      print(`${id}  ${kind.padEnd(9)}  ${state.padEnd(7)}  ${name}: ${scope.join('; ') || 'all'}; ${use}${end}`);
    }
  },
};

const rotate: Command = {
  usage:
    'token rotate <id> [--overlap 1h]\n' +
    '                               give a token another secret and show it; the one before works meanwhile',
  args: [1, 1],
  options: { overlap: { type: 'string', default: '1h' } },
  run: async (work) => {
    const { store, args, options, now, print } = work;
    const [id = ''] = args;
    const overlap = spanOf(checked('--overlap', options['overlap'] as string, spanRule('365d', '1h'))) ?? 0;
    const made = await rotateToken(store, id, overlap, now);
    if (!made) throw new UsageError(`There is no token ${id} that works; token list shows them`);
    await note(work, 'token.rotate', made.stored.name, { id });
    print(made.token);
    print(`# The secret before works until ${toRfc3339(now + overlap)}`);
  },
};

const revoke: Command = {
  usage: 'token revoke <id>              let nobody in with a token any more',
  args: [1, 1],
  run: async (work) => {
    const { store, args, now, print } = work;
    const [id = ''] = args;
    if (!(await store.tokens.revoke(id, now))) {
      throw new UsageError(`There is no token ${id} that works; token list shows them`);
    }
    const token = await store.tokens.find(id);
    await note(work, 'token.revoke', token?.name ?? '', { id });
    print(`${id} is revoked`);
  },
};

export const tokenCommands: Readonly<Record<string, Command>> = {
  'token create': create,
  'token list': list,
  'token rotate': rotate,
  'token revoke': revoke,
};
