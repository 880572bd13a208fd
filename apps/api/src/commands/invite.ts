import { toRfc3339, wrong } from '@device-metrics/domain';
import { isLoopbackName } from '../access/check-host.js';
import { settingsFile } from '@device-metrics/settings';
import { makeInvitation } from '../access/invitations/make-invitation.js';
import { reachableUrl } from '../access/reachable-url.js';
import { spanRule, tagsRule } from '../access/rules.js';
import { pinOf, tlsMaterial } from '../access/tls/tls-material.js';
import type { Command } from './command.js';
import { checked, note, OPERATOR, spanOf, tagsOf, UsageError } from './usage.js';

export const invite: Command = {
  usage:
    'invite [--uses 1] [--expires-in 1h] [--tag name=value…] [--url <url of this api>]\n' +
    '                               make a code that lets collectors join, and show what to run on their PCs',
  args: [0, 0],
  options: {
    uses: { type: 'string', default: '1' },
    'expires-in': { type: 'string', default: '1h' },
    tag: { type: 'string', multiple: true },
    url: { type: 'string' },
  },
  run: async (work) => {
    const { store, settings, options, now, print } = work;
    const uses = Number(options['uses']);
    if (!Number.isInteger(uses) || uses < 1 || uses > 10_000) {
      throw new UsageError(`--uses ${wrong('an integer from 1 to 10000', options['uses'])}`);
    }
    const lifetime = spanOf(checked('--expires-in', options['expires-in'] as string, spanRule('365d', '1h')));
    const tags = checked('--tag', tagsOf(options['tag'] as string[] | undefined), tagsRule);
    const tls = await tlsMaterial(settings, now);
    const host = settings.host.includes(':') ? `[${settings.host}]` : settings.host;
    const url =
      (options['url'] as string | undefined) ?? reachableUrl(`${tls ? 'https' : 'http'}://${host}:${settings.port}`);
    if (!URL.canParse(url)) throw new UsageError(`--url ${wrong('a URL', url)}`);
    const wish = { uses, lifetime, tags, url, fingerprint: tls?.fingerprint, pin: tls && pinOf(tls, settings) };
    const { stored, code, command } = await makeInvitation(store, wish, OPERATOR, now);
    await note(work, 'invitation.create', stored.id, { uses: String(uses) });
    print(
      `Code ${code}, for ${uses === 1 ? 'one collector' : `${uses} collectors`} until ${toRfc3339(stored.expiresAt)}.`,
    );
    if (options['url'] === undefined && isLoopbackName(settings.host)) {
      const file = settingsFile();
      const how = tls
        ? `HOST=0.0.0.0 in ${file} lets other PCs reach it, from its next start on`
        : `HOST=0.0.0.0 and TLS=auto in ${file} let other PCs reach it; then start it again, and invite anew`;
      print(`# The api listens on this machine alone, at ${settings.host}. ${how}.`);
    }
    if (tls) print(`The fingerprint of the certificate is ${tls.fingerprint}`);
    print('On the PC that is to join:');
    print(command);
  },
};
