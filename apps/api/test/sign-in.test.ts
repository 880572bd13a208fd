import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Secret, TOTP } from 'otpauth';
import { Server, temporaryFolder, type Answer } from './server.js';

const PASSWORD = 'correct horse battery';
let server: Server;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeAll(async () => {
  folder = await temporaryFolder();
  server = await Server.start({ DATABASE_PATH: join(folder.path, 'metrics.db'), TRUSTED_PROXIES: '127.0.0.1' });
  for (const [device, room] of [
    ['lab-pc', 'lab'],
    ['rack-pc', 'rack'],
  ] as const) {
    await server.post('/api/v1/aggregator/metrics', { device_name: device, metric_name: 'm', value: 1 });
    await server.send('PATCH', `/api/v1/devices/${device}`, { tags: { room } });
  }
});
afterAll(async () => {
  await server.stop();
  await folder.remove();
});

/** A browser that has one cookie. */
class Browser {
  cookie = '';

  async send(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer> {
    const own = { origin: server.url, ...(this.cookie && { cookie: this.cookie }), ...headers };
    const answer = await server.send(method, path, body, own);
    const set = answer.headers.get('set-cookie');
    if (set) this.cookie = set.split(';')[0] ?? '';
    return answer;
  }

  signIn(name: string, password = PASSWORD, more: object = {}): Promise<Answer> {
    return this.send('POST', '/api/v1/session', { name, password, ...more });
  }
}

const admin = new Browser();

it('on this machine nobody has to sign in, until the first user is made; who makes it is signed in', async () => {
  expect((await server.get('/api/v1/session')).body).toMatchObject({
    sign_in: 'none',
    first_user: true,
    caller: { kind: 'local' },
  });
  const outside = { via: 'proxy' };
  const first = { name: 'anna', password: PASSWORD };
  expect((await server.post('/api/v1/session/first-admin', first, outside)).status).toBe(403);
  expect((await server.post('/api/v1/session/first-admin', { ...first, password: 'short' })).status).toBe(400);
  const made = await admin.send('POST', '/api/v1/session/first-admin', first);
  expect([made.status, made.body.caller]).toMatchObject([201, { kind: 'user', name: 'anna', role: 'admin' }]);
  expect(made.headers.get('set-cookie')).toMatch(
    /^device-metrics=[\w-]{43}; Max-Age=\d+; Path=\/; HttpOnly; SameSite=Strict$/,
  );
  expect((await admin.send('POST', '/api/v1/session/first-admin', { ...first, name: 'bob' })).status).toBe(403);

  expect((await server.get('/api/v1/session')).body).toMatchObject({ sign_in: 'required', caller: null });
  expect((await server.get('/api/v1/devices')).status).toBe(401);
  expect((await admin.send('GET', '/api/v1/devices')).status).toBe(200);
  expect((await admin.send('GET', '/api/v1/session')).body.caller.rights).toContain('access:manage');
});

it("with TLS a cookie without the prefix is nobody's, also while it is known without", async () => {
  const callerWith = async (headers = {}): Promise<unknown> =>
    (await admin.send('GET', '/api/v1/session', undefined, headers)).body.caller?.name;
  expect(await callerWith()).toBe('anna');
  expect(await callerWith({ 'x-forwarded-proto': 'https', 'x-forwarded-for': '192.0.2.1' })).toBeUndefined();
  expect(await callerWith({ cookie: '', authorization: admin.cookie })).toBeUndefined();
});

it('with a cookie only pages of this server change anything', async () => {
  const change = (headers: Record<string, string>): Promise<Answer> =>
    server.send('PATCH', '/api/v1/devices/lab-pc', { notes: 'x' }, { cookie: admin.cookie, ...headers });
  expect((await change({})).status).toBe(403);
  expect((await change({ origin: 'http://evil.example' })).status).toBe(403);
  expect((await change({ 'sec-fetch-site': 'same-site' })).status).toBe(403);
  expect((await change({ origin: server.url })).status).toBe(200);
});

describe('users', () => {
  it('may do what their role says, and see what their tags say', async () => {
    const make = (user: object): Promise<Answer> =>
      admin.send('POST', '/api/v1/users', { password: PASSWORD, ...user });
    expect((await make({ name: 'vera', role: 'viewer' })).status).toBe(201);
    expect((await make({ name: 'Vera', role: 'viewer' })).status).toBe(409);
    expect((await make({ name: 'ed', role: 'editor', tags: { room: 'lab' } })).status).toBe(201);
    const statuses = async (browser: Browser): Promise<number[]> => [
      (await browser.send('GET', '/api/v1/devices/rack-pc')).status,
      (await browser.send('PATCH', '/api/v1/devices/lab-pc', { notes: 'y' })).status,
      (await browser.send('PATCH', '/api/v1/devices/rack-pc', { notes: 'y' })).status,
      (await browser.send('DELETE', '/api/v1/devices/lab-pc')).status,
      (await browser.send('GET', '/api/v1/users')).status,
      (await browser.send('GET', '/metrics', undefined, { via: 'proxy' })).status,
    ];
    const [vera, ed] = [new Browser(), new Browser()];
    await vera.signIn('vera');
    await ed.signIn('ed');
    expect(await statuses(vera)).toEqual([200, 403, 403, 403, 403, 200]);
    expect(await statuses(ed)).toEqual([404, 200, 404, 403, 403, 403]);

    await admin.send('PATCH', '/api/v1/users/vera', { role: 'editor' });
    expect((await vera.send('PATCH', '/api/v1/devices/rack-pc', { notes: 'z' })).status).toBe(200);
    await admin.send('PATCH', '/api/v1/users/vera', { password: 'another horse battery' });
    expect((await vera.send('GET', '/api/v1/devices')).status).toBe(401);
    const { users } = (await admin.send('GET', '/api/v1/users')).body;
    const read = { 'if-match': users.find(({ name }: any) => name === 'ed').etag };
    const changes = [{ role: 'viewer' }, { tags: null }].map((change) =>
      admin.send('PATCH', '/api/v1/users/ed', change, read),
    );
    expect((await Promise.all(changes)).map(({ status }) => status).sort()).toEqual([200, 412]);
    expect((await admin.send('DELETE', '/api/v1/users/ed', undefined, read)).status).toBe(412);
    expect((await admin.send('DELETE', '/api/v1/users/ed')).status).toBe(204);
    expect((await ed.send('GET', '/api/v1/devices')).status).toBe(401);
  });

  it('always have an admin', async () => {
    for (const [method, change] of [
      ['PATCH', { role: 'viewer' }],
      ['PATCH', { tags: { a: 'b' } }],
      ['DELETE', undefined],
    ] as const) {
      expect((await admin.send(method, '/api/v1/users/anna', change)).status).toBe(409);
    }
  });

  it('change their password, which ends their other sessions', async () => {
    await admin.send('POST', '/api/v1/users', { name: 'pat', role: 'viewer', password: PASSWORD });
    const [one, two] = [new Browser(), new Browser()];
    await one.signIn('pat');
    await two.signIn('pat');
    const change = (password: string): Promise<Answer> =>
      one.send('PUT', '/api/v1/session/password', { password, new_password: 'yet another battery' });
    expect((await change('wrong')).status).toBe(403);
    expect((await change(PASSWORD)).status).toBe(204);
    expect((await one.send('GET', '/api/v1/devices')).status).toBe(200);
    expect((await two.send('GET', '/api/v1/devices')).status).toBe(401);
    expect((await one.send('DELETE', '/api/v1/session')).status).toBe(204);
    expect((await new Browser().signIn('pat', 'yet another battery')).status).toBe(200);
  });

  it('can have one-time passwords asked for, each of which works once', async () => {
    await admin.send('POST', '/api/v1/users', { name: 'tom', role: 'viewer', password: PASSWORD });
    const tom = new Browser();
    await tom.signIn('tom');
    const { secret, uri } = (await tom.send('POST', '/api/v1/session/totp')).body;
    expect(uri).toContain(`secret=${secret}`);
    const totp = new TOTP({ secret: Secret.fromBase32(secret) });
    expect((await tom.send('PUT', '/api/v1/session/totp', { code: '000000' })).status).toBe(400);
    const code = totp.generate();
    expect((await tom.send('PUT', '/api/v1/session/totp', { code })).status).toBe(204);
    expect((await new Browser().signIn('tom')).body).toMatchObject({ status: 401, totp_required: true });
    expect((await new Browser().signIn('tom', PASSWORD, { totp: code })).status).toBe(401);
    const next = totp.generate({ timestamp: Date.now() + 30_000 });
    expect((await new Browser().signIn('tom', PASSWORD, { totp: next })).body).toMatchObject({ totp: true });
    expect((await tom.send('POST', '/api/v1/session/totp')).status).toBe(403);
    const withdraw = (password: string): Promise<Answer> => tom.send('DELETE', '/api/v1/session/totp', { password });
    expect((await withdraw('wrong')).status).toBe(403);
    expect((await withdraw(PASSWORD)).status).toBe(204);
    expect((await new Browser().signIn('tom')).body).toMatchObject({ totp: false });
  });

  it('cannot be guessed: after five wrong passwords of a name from one address nobody gets on', async () => {
    // At once, so that none knows yet how the others end.
    const guesses = Array.from({ length: 12 }, () => new Browser().signIn('anna', 'guess'));
    const statuses = (await Promise.all(guesses)).map(({ status }) => status).sort();
    expect(statuses).toEqual([...Array(5).fill(401), ...Array(7).fill(429)]);
    // Who has one address of IPv6 has as many as they like.
    const guessFrom = (n: number): Promise<Answer> =>
      new Browser().send(
        'POST',
        '/api/v1/session',
        { name: 'olga', password: 'guess' },
        { 'x-forwarded-for': `2001:db8::${n}` },
      );
    const others = await Promise.all(Array.from({ length: 8 }, (_, n) => guessFrom(n)));
    expect(others.map(({ status }) => status).sort()).toEqual([...Array(5).fill(401), ...Array(3).fill(429)]);
    const right = await new Browser().signIn('anna');
    expect([right.status, Number(right.headers.get('retry-after')) > 60]).toEqual([429, true]);
    const { entries } = (await admin.send('GET', '/api/v1/audit')).body;
    expect(entries.find(({ success, target }: any) => !success && target === 'anna')).toMatchObject({
      action: 'session.sign-in',
      target: 'anna',
      address: '127.0.0.1',
    });
    expect(JSON.stringify(entries)).not.toContain(PASSWORD);
  });
});

it('a shared link shows its devices and nothing else, until it is withdrawn; a live stream by it ends then', async () => {
  const wish = { name: 'janitor', page: '/devices/lab-pc', devices: ['lab-pc'] };
  const { id, url } = (await admin.send('POST', '/api/v1/shares', wish)).body;
  expect((await admin.send('POST', '/api/v1/shares', { name: 'all', page: '/' })).status).toBe(400);
  const token = String(url).replace('/share#', '');
  const guest = new Browser();
  const session = await guest.send('POST', '/api/v1/session', { token });
  expect(session.body.caller).toMatchObject({ kind: 'share', name: 'janitor', rights: ['reports:read'] });
  const { devices } = (await guest.send('GET', '/api/v1/devices')).body;
  expect(devices.map((device: any) => device.device_name)).toEqual(['lab-pc']);
  expect((await guest.send('GET', '/api/v1/devices/rack-pc')).status).toBe(404);
  expect((await guest.send('PATCH', '/api/v1/devices/lab-pc', { notes: 'x' })).status).toBe(403);

  const { port } = new URL(server.url);
  const socket = connect(Number(port), '127.0.0.1').setEncoding('utf8');
  socket.write(`GET /api/v1/live HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nAuthorization: Bearer ${token}\r\n\r\n`);
  let stream = '';
  socket.on('data', (text: string) => (stream += text));
  const closed = new Promise((resolve) => socket.once('close', resolve));
  while (!stream.includes(': open')) await sleep(10);
  for (const device of ['rack-pc', 'lab-pc']) {
    const sample = { device_name: device, metric_name: 'm', value: 2 };
    await admin.send('POST', '/api/v1/aggregator/metrics', sample);
  }
  while (!stream.includes('event: samples')) await sleep(10);
  expect(stream).toContain('lab-pc');
  expect(stream).not.toContain('rack-pc');
  expect((await admin.send('DELETE', `/api/v1/shares/${id}`)).status).toBe(204);
  await closed;
  expect((await guest.send('GET', '/api/v1/devices')).status).toBe(401);
});

it('with a user the links end that they have shared, and the next one of that name has none of them', async () => {
  const ed2 = { name: 'ed two', role: 'editor', password: PASSWORD };
  await admin.send('POST', '/api/v1/users', ed2);
  const editor = new Browser();
  await editor.signIn('ed two');
  const { url } = (await editor.send('POST', '/api/v1/shares', { name: 'hall', page: '/', devices: ['lab-pc'] })).body;
  const guest = { authorization: `Bearer ${String(url).replace('/share#', '')}` };
  expect((await server.get('/api/v1/devices', guest)).status).toBe(200);
  expect((await admin.send('DELETE', '/api/v1/users/ed%20two')).status).toBe(204);
  expect((await server.get('/api/v1/devices', guest)).status).toBe(401);
  await admin.send('POST', '/api/v1/users', ed2);
  await editor.signIn('ed two');
  expect(
    (await editor.send('GET', '/api/v1/shares')).body.shares.filter(({ state }: any) => state === 'active'),
  ).toEqual([]);
});

it('on the server itself users are made, changed and given another password by commands; which the server takes up', async () => {
  const settings = { DATABASE_PATH: join(folder.path, 'metrics.db') };
  const run = (...args: string[]): Promise<string[]> => Server.command(['user', ...args], settings);
  const [password = ''] = await run('add', 'olga', '--role', 'editor', '--tag', 'room=lab');
  const olga = new Browser();
  expect((await olga.signIn('olga', password)).body.caller).toMatchObject({ role: 'editor', tags: { room: 'lab' } });
  await run('role', 'olga', 'viewer');
  expect((await run('list')).join('\n')).toMatch(/^viewer {2}olga: room=lab; password; signed in last 20/m);
  const [next = ''] = await run('password', 'Olga');
  expect((await new Browser().signIn('olga', password)).status).toBe(401);
  expect((await new Browser().signIn('olga', next)).status).toBe(200);
  await run('remove', 'olga');
  expect((await new Browser().signIn('olga', next)).status).toBe(401);
  await expect(run('remove', 'anna')).rejects.toThrow('anna is the last admin');
  await expect(run('add', 'boss', '--role', 'boss')).rejects.toThrow('--role must be one of viewer, editor, admin');
});

it('the first admin is made once; who tries again and again is told to wait', async () => {
  const wish = { code: 'x', name: 'eve', password: PASSWORD };
  const statuses: number[] = [];
  for (let n = 0; n < 21; n += 1) statuses.push((await server.post('/api/v1/session/first-admin', wish)).status);
  expect([statuses[0], statuses.at(-1), statuses.length]).toEqual([403, 429, 21]);
});
