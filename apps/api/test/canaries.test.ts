import { randomBytes } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { Secret, TOTP } from 'otpauth';
import { Server, temporaryFolder, type Answer } from './server.js';

/** Every secret that was planted, by what it is. */
const planted = new Map<string, string>();
/** Everything that was answered, but for what shows a secret once. */
const answers: string[] = [];
let server: Server;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let settings: Record<string, string>;
/** Takes messages of channels, and refuses them. */
const receiver = createServer(
  (request, response) => void request.resume().once('end', () => response.writeHead(500).end()),
);

const plant = (what: string, secret = `canary-${randomBytes(12).toString('hex')}`): string => {
  planted.set(`${planted.size + 1} ${what}`, secret);
  return secret;
};

async function send(
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const answer = await server.send(method, path, body, headers);
  answers.push(
    `${JSON.stringify(answer.body)}\n${JSON.stringify([...answer.headers].filter(([name]) => name !== 'set-cookie'))}`,
  );
  return answer;
}

/** An answer that shows a secret, this once. */
async function shownOnce(what: string, field: string, path: string, body: unknown, headers = {}): Promise<any> {
  const answer = await server.send('POST', path, body, headers);
  expect([what, Math.floor(answer.status / 100)]).toEqual([what, 2]);
  plant(what, String(answer.body[field]).replace('/share#', ''));
  return answer.body;
}

beforeAll(async () => {
  folder = await temporaryFolder();
  receiver.listen(0, '127.0.0.1');
  await once(receiver, 'listening');
  settings = {
    DATABASE_PATH: join(folder.path, 'metrics.db'),
    OIDC_ISSUER: 'http://127.0.0.1:1',
    OIDC_CLIENT_ID: 'device-metrics',
    OIDC_CLIENT_SECRET: plant('secret of the client'),
    OIDC_ROLES: '*=viewer',
    ALERTS_SMTP_PASSWORD: plant('variable of the environment'),
    HEARTBEAT_URL: `http://127.0.0.1:2/${plant('url of the heartbeat')}`,
  };
  server = await Server.start(settings);
});
afterAll(async () => {
  await server.stop();
  receiver.close();
  await folder.remove();
});

const origin = (cookie: string): Record<string, string> => ({ cookie, origin: server.url });
const ways = (token: string): string[] => [
  `Bearer ${token}`,
  `Token ${token}`,
  `Basic ${Buffer.from(`telegraf:${token}`).toString('base64')}`,
];
/** Kept by each use of a token: its form in Basic is as good as itself. */
async function use(what: string, token: string): Promise<void> {
  const one = async (authorization: string): Promise<void> => {
    plant(`${what}, as sent`, authorization.slice(authorization.indexOf(' ') + 1));
    const sample = { device_name: 'lab-pc', metric_name: 'm', value: 1 };
    await send('POST', '/api/v1/aggregator/metrics', sample, { authorization });
    await send('GET', '/api/v1/nothing', undefined, { authorization });
  };
  await Promise.all(ways(token).map(one));
}

it('no secret is in what the server prints, answers, stores, exports and backs up', async () => {
  // Programs.
  for (const kind of ['ingest', 'read', 'admin']) {
    for (const fate of ['used', 'revoked', 'rotated']) {
      const what = `token ${kind}, ${fate}`;
      const made = await shownOnce(what, 'token', '/api/v1/tokens', { kind, name: `${kind} ${fate}` });
      await use(what, made.token);
      if (fate === 'revoked') await send('DELETE', `/api/v1/tokens/${made.id}`);
      if (fate === 'rotated') await shownOnce(`${what} again`, 'token', `/api/v1/tokens/${made.id}/rotate`, {});
      if (fate !== 'used') await use(what, made.token);
    }
    await use('unknown token', `dm_${kind}_000000000000_${randomBytes(32).toString('base64url')}`);
  }
  await use('no token at all', `canary-${randomBytes(8).toString('hex')}`);
  const queries = ['u=admin&p=', 'token=', 'db=x&u=telegraf&p=', 'access_token=', 'api_key='];
  for (const query of queries) {
    for (const path of ['/write', '/query', '/api/v1/devices', '/api/v1/aggregator/metrics', '/%', '/healthz']) {
      const secret = plant(`query ${path}?${query}`);
      await Promise.all([send('POST', `${path}?${query}${secret}`, {}), send('GET', `${path}?${query}${secret}`)]);
    }
  }
  // Collectors.
  const invitation = await shownOnce('code', 'code', '/api/v1/invitations', { uses: 2 });
  plant('secret half of a code', invitation.code.slice(0, 19));
  const wish = { code: invitation.code, device_name: 'vm' };
  await shownOnce('collector', 'token', '/api/v1/collectors/join', wish);
  await shownOnce('collector in conflict', 'token', '/api/v1/collectors/join', wish);
  await send('POST', '/api/v1/collectors/join', wish);
  await send('POST', '/api/v1/collectors/join', { ...wish, code: plant('wrong code', 'ZZZZ-YYYY-XXXX-WWWW') });
  await send('POST', '/api/v1/collectors/join', { ...wish, previous_token: plant('previous token') });
  // Ways to tell people.
  const { port } = receiver.address() as AddressInfo;
  const channels: Record<string, object> = {
    slack: { type: 'slack', url: `http://127.0.0.1:${port}/services/${plant('url of Slack')}` },
    hook: {
      type: 'webhook',
      url: `http://u:${plant('password in a url')}@127.0.0.1:${port}/?key=${plant('query of a webhook')}`,
      secret: plant('key of a signature'),
      headers: { authorization: `Bearer ${plant('header of a webhook')}` },
    },
    ntfy: { type: 'ntfy', server: `http://127.0.0.1:${port}`, topic: plant('topic'), token: plant('token of ntfy') },
    mail: {
      type: 'email',
      host: '127.0.0.1',
      port: 1,
      from: 'a@example.org',
      to: ['b@example.org'],
      user: 'a',
      password: plant('password of SMTP'),
    },
    gone: { type: 'discord', url: `http://127.0.0.1:2/api/${plant('url of Discord')}` },
    wrong: { type: 'slack', url: plant('no url at all') },
  };
  for (const [name, channel] of Object.entries(channels)) {
    await send('PUT', `/api/v1/alerts/channels/${name}`, channel);
    await send('POST', `/api/v1/alerts/channels/${name}/test`);
  }
  await send('GET', '/api/v1/alerts/channels');
  await send('GET', '/api/v1/alerts/export');
  const share = { name: 'wall', page: '/', devices: ['lab-pc'] };
  const { url } = await shownOnce('share', 'url', '/api/v1/shares', share);
  await send('POST', '/api/v1/session', { token: String(url).replace('/share#', '') });
  await send('POST', '/api/v1/session', { token: plant('wrong share') });
  // People.
  await send(
    'POST',
    '/api/v1/session/first-admin',
    {
      name: 'eve',
      password: plant('password of nobody'),
      code: plant('wrong code of the log'),
    },
    { via: 'proxy' },
  );
  const password = plant('password of the first admin');
  const made = await server.send(
    'POST',
    '/api/v1/session/first-admin',
    { name: 'anna', password },
    { origin: server.url },
  );
  const cookie = String(made.headers.get('set-cookie')).split(';')[0] ?? '';
  plant('session', cookie.split('=')[1]);
  const admin = origin(cookie);
  const { secret } = await shownOnce(
    'secret of one-time passwords',
    'secret',
    '/api/v1/session/totp',
    undefined,
    admin,
  );
  const code = new TOTP({ secret: Secret.fromBase32(secret) }).generate();
  expect((await send('PUT', '/api/v1/session/totp', { code }, admin)).status).toBe(204);
  const bob = { name: 'bob', role: 'viewer', password: plant('password of a user') };
  expect((await send('POST', '/api/v1/users', bob, admin)).status).toBe(201);
  expect((await send('PATCH', '/api/v1/users/bob', { password: plant('new password') }, admin)).status).toBe(200);
  await send('POST', '/api/v1/users', { ...bob, password: plant('password of a name that is taken') }, admin);
  await send('POST', '/api/v1/users', { ...bob, password: 7, secret: plant('field that there is not') }, admin);
  await send('POST', '/api/v1/session', { name: plant('password typed as a name'), password: plant('wrong password') });
  await send('POST', '/api/v1/session', { name: 'bob', password: plant('wrong password of a user') });
  await send(
    'PUT',
    '/api/v1/session/password',
    { password: plant('wrong own'), new_password: plant('new own') },
    admin,
  );
  await send('DELETE', '/api/v1/session/totp', { password: plant('wrong own again') }, admin);
  await send('GET', '/api/v1/session', undefined, { cookie: `device-metrics=${plant('wrong session')}` });
  await send('GET', `/api/v1/session/openid/callback?code=${plant('code of OpenID')}&state=${plant('state')}`);
  await server.send('GET', '/api/v1/session/openid', undefined, admin);
  // A mistake of the request itself.
  const broken = await server.post(
    '/api/v1/session',
    `{"password": "${plant('body with a mistake')}" ${plant('a word')}}`,
  );
  expect(broken.status).toBe(400);
  answers.push(JSON.stringify(broken.body));
  expect(planted.size).toBeGreaterThanOrEqual(100);

  // All that can be read, by who may read all.
  const document = JSON.parse(await readFile(join(import.meta.dirname, '../openapi.json'), 'utf8'));
  for (const path of Object.keys(document.paths)) {
    if (!document.paths[path].get || /live|callback|openid|backup/.test(path)) continue;
    const answer = await server.send('GET', path.replaceAll(/\{[^}]+\}/g, 'lab-pc'), undefined, admin);
    answers.push(`${path} ${typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body)}`);
    answers.push(JSON.stringify([...answer.headers].filter(([name]) => name !== 'set-cookie')));
  }
  const backup = await fetch(`${server.url}/api/v1/admin/backup`, { headers: admin });
  const audit = await server.send('GET', '/api/v1/audit?format=ndjson', undefined, admin);
  const commands = await Promise.all(
    [['token', 'list'], ['user', 'list'], ['collector', 'list'], ['audit']].map((args) =>
      Server.command(args, settings),
    ),
  );
  const places: Record<string, string> = {
    answers: answers.join('\n'),
    log: server.log.join('\n'),
    audit: String(audit.body),
    'file name of the backup': String(backup.headers.get('content-disposition')),
    backup: Buffer.from(await backup.arrayBuffer()).toString('latin1'),
    commands: commands.flat().join('\n'),
  };
  const files = (await readdir(folder.path)).filter((name) => name !== 'secret.key');
  for (const name of files) places[name] = await readFile(join(folder.path, name), 'latin1');
  expect(places['audit']).toContain('user anna');
  expect(places['backup']).toContain('lab-pc');

  // The settings of another start.
  await server.stop();
  server = await Server.start({
    ...settings,
    OIDC_CLIENT_SECRET: plant('next secret of the client'),
    PACKAGES_PATH: folder.path,
  });
  places['log of the second start'] = server.log.join('\n');
  places['database of the second start'] = await readFile(join(folder.path, 'metrics.db'), 'latin1');
  const { entries } = (await server.send('GET', '/api/v1/audit?limit=1', undefined, origin(cookie))).body;
  expect(entries).toMatchObject([
    { actor: 'environment', action: 'settings.change', target: 'OIDC_CLIENT_SECRET, PACKAGES_PATH' },
  ]);
  expect(entries[0].details).toMatchObject({ OIDC_CLIENT_SECRET: expect.stringMatching(/^set \([0-9a-f]{12}\)$/) });
  places['audit of the second start'] = JSON.stringify(entries);
  // What signs links and passes.
  for (const text of Object.values(places)) expect(text).not.toMatch(/"key":"[\w-]{43}"/);
  expect(Object.values(places).some((text) => text.includes('"key":"sealed:'))).toBe(true);

  const leaks: string[] = [];
  for (const [where, text] of Object.entries(places)) {
    for (const [what, secret] of planted) if (text.includes(secret)) leaks.push(`${what} in ${where}`);
  }
  expect(leaks).toEqual([]);
});
