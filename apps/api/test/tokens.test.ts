import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Server, temporaryFolder, type Answer } from './server.js';

let server: Server;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
const database = (): Record<string, string> => ({ DATABASE_PATH: join(folder.path, 'metrics.db') });
beforeAll(async () => {
  folder = await temporaryFolder();
  server = await Server.start(database());
  for (const name of ['lab-pc-1', 'lab-pc-2', 'rack-ups']) await put(name);
  await server.send('PATCH', '/api/v1/devices/rack-ups', { tags: { room: 'rack' } });
});
afterAll(async () => {
  await server.stop();
  await folder.remove();
});

const put = (device: string, headers: Record<string, string> = {}): Promise<Answer> =>
  server.post('/api/v1/aggregator/metrics', { device_name: device, metric_name: 'm', value: 1 }, headers);
const make = async (wish: object): Promise<{ id: string; token: string }> => {
  const { status, body } = await server.post('/api/v1/tokens', { name: 'n', ...wish });
  expect(status).toBe(201);
  return body;
};
const bearer = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` });

it('a token is sent as agents send theirs: Bearer, Token, or Basic with it as password', async () => {
  const { token } = await make({ kind: 'read' });
  expect(token).toMatch(/^dm_read_[0-9a-f]{12}_[\w-]{43}$/);
  const basic = Buffer.from(`anybody:${token}`).toString('base64');
  for (const authorization of [`Bearer ${token}`, `bearer  ${token}`, `Token ${token}`, `Basic ${basic}`]) {
    expect((await server.get('/api/v1/devices', { authorization })).status).toBe(200);
  }
});

it('a token that does not work is refused, with the reason, also on this machine', async () => {
  const { token, id } = await make({ kind: 'read', expires_in: '1ms' });
  await sleep(5);
  const other = await make({ kind: 'read' });
  for (const [wrong, reason] of [
    [token, 'has expired'],
    [`${other.token.slice(0, -1)}${other.token.endsWith('A') ? 'B' : 'A'}`, 'is unknown'],
    [other.token.replace('dm_read', 'dm_admin'), 'is unknown'],
    [other.token.replace(other.id, id), 'is unknown'],
    ['dm_read', 'is unknown'],
  ] as const) {
    const { status, headers, body } = await server.get('/api/v1/devices', bearer(wrong));
    expect([status, body.detail]).toEqual([401, `The token ${reason}.`]);
    expect(headers.get('www-authenticate')).toBe('Bearer realm="device-metrics"');
  }
});

it('each kind may do what it is for, and nothing else', async () => {
  const [ingest, read, admin] = [
    await make({ kind: 'ingest' }),
    await make({ kind: 'read' }),
    await make({ kind: 'admin' }),
  ];
  const statuses = async (token: string): Promise<number[]> => [
    (await put('lab-pc-1', bearer(token))).status,
    (await server.get('/api/v1/reports/summary', bearer(token))).status,
    (await server.send('PATCH', '/api/v1/devices/lab-pc-1', { notes: 'x' }, bearer(token))).status,
    (await server.get('/api/v1/admin/backup', bearer(token))).status,
    (await server.get('/api/v1/tokens', bearer(token))).status,
    (await server.get('/api/v1/audit', bearer(token))).status,
  ];
  expect(await statuses(ingest.token)).toEqual([201, 403, 403, 403, 403, 403]);
  expect(await statuses(read.token)).toEqual([403, 200, 403, 403, 403, 403]);
  expect(await statuses(admin.token)).toEqual([201, 200, 200, 200, 200, 200]);
});

it('a token for some devices sends samples of these alone; items of others are refused beside them', async () => {
  const { token } = await make({ kind: 'ingest', devices: ['lab-*', 'printer'] });
  expect((await put('lab-pc-9', bearer(token))).status).toBe(201);
  const refused = await put('rack-ups', bearer(token));
  expect(refused).toMatchObject({ status: 403, body: { type: 'urn:device-metrics:problem:not-allowed' } });
  expect(refused.body.detail).toMatch(/^device_name must be a device that token n \(\w+\) may send .* got "rack-ups"$/);
  const item = { metric_name: 'm', value: 1 };
  const batch = [
    { ...item, device_name: 'rack-ups' },
    { ...item, device_name: 'printer' },
    { device_name: 'rack-ups', values: { a: 1, b: 2 } },
  ];
  const { status, body } = await server.post('/api/v1/aggregator/metrics/batch', batch, bearer(token));
  expect([status, body.accepted]).toEqual([200, 1]);
  expect(body.rejected).toMatchObject([
    { index: 0, field: 'device_name' },
    { index: 2, field: 'device_name' },
  ]);
  const others = batch.filter(({ device_name }) => device_name === 'rack-ups');
  expect((await server.post('/api/v1/aggregator/metrics/batch', others, bearer(token))).status).toBe(403);
});

describe('a token to read devices with some tags', () => {
  it('sees no others, in no report', async () => {
    const { token } = await make({ kind: 'read', tags: { room: 'rack' } });
    const get = async (path: string): Promise<string> => {
      const { body } = await server.get(path, bearer(token));
      return JSON.stringify(body);
    };
    for (const path of [
      '/api/v1/devices',
      '/api/v1/reports/summary',
      '/api/v1/reports/latest',
      '/api/v1/reports/compare?metric_name=m',
      '/api/v1/reports/metrics/rack-ups',
      '/api/v1/reports/print?device=rack-ups',
    ]) {
      const text = await get(path);
      expect([path, text]).toEqual([path, expect.stringContaining('rack-ups')]);
      expect([path, text]).toEqual([path, expect.not.stringContaining('lab-pc')]);
    }
    for (const path of ['devices/lab-pc-1', 'reports/metrics/lab-pc-1', 'reports/print?device=lab-pc-1']) {
      const { status } = await server.get(`/api/v1/${path}`, bearer(token));
      expect([path, status]).toEqual([path, 404]);
    }
    expect((await server.get('/metrics', { ...bearer(token), via: 'proxy' })).status).toBe(403);
  });
});

it('a rotated token works with both secrets for a while, and then with the new one', async () => {
  const { id, token } = await make({ kind: 'read' });
  const status = async (given: string): Promise<number> => (await server.get('/api/v1/devices', bearer(given))).status;
  const { body: one } = await server.post(`/api/v1/tokens/${id}/rotate`, { overlap: '1h' });
  expect([await status(token), await status(one.token)]).toEqual([200, 200]);
  const { body: two } = await server.post(`/api/v1/tokens/${id}/rotate`, { overlap: '0' });
  expect([await status(token), await status(one.token), await status(two.token)]).toEqual([401, 401, 200]);
});

it('of two who rotate one token the second is refused, where they say what they have read', async () => {
  const { id } = await make({ kind: 'read' });
  const { etag } = (await server.get('/api/v1/tokens')).body.tokens.find((one: any) => one.id === id);
  const rotate = () => server.post(`/api/v1/tokens/${id}/rotate`, {}, { 'if-match': etag });
  const answers = await Promise.all([rotate(), rotate()]);
  expect(answers.map(({ status }) => status).sort()).toEqual([200, 412]);
  const { body } = answers.find(({ status }) => status === 200) as Answer;
  expect((await server.get('/api/v1/devices', bearer(body.token))).status).toBe(200);
  expect((await server.send('DELETE', `/api/v1/tokens/${id}`, undefined, { 'if-match': etag })).status).toBe(412);
  expect((await server.send('DELETE', `/api/v1/tokens/${id}`, undefined, { 'if-match': body.etag })).status).toBe(204);
});

it('who signed in by a token is in no longer than the secret works, and signs in by the new one', async () => {
  const { id, token } = await make({ kind: 'read' });
  const signIn = async (secret: string): Promise<Record<string, string>> => {
    const { headers } = await server.post('/api/v1/session', { token: secret });
    return { cookie: String(headers.get('set-cookie')).split(';')[0] ?? '', via: 'proxy' };
  };
  const status = async (headers: Record<string, string>): Promise<number> =>
    (await server.get('/api/v1/devices', headers)).status;
  const before = await signIn(token);
  await server.post(`/api/v1/tokens/${id}/rotate`, { overlap: '1h' });
  const meanwhile = await signIn(token);
  expect([await status(before), await status(meanwhile)]).toEqual([200, 200]);
  const { body } = await server.post(`/api/v1/tokens/${id}/rotate`, { overlap: '0' });
  expect([await status(before), await status(meanwhile), await status(await signIn(body.token))]).toEqual([
    401, 401, 200,
  ]);
});

it('a revoked token is refused at once; one that the command line revokes within a second', async () => {
  const [one, two] = [await make({ kind: 'read' }), await make({ kind: 'read' })];
  const status = async (given: string): Promise<number> => (await server.get('/api/v1/devices', bearer(given))).status;
  expect([await status(one.token), await status(two.token)]).toEqual([200, 200]);
  expect((await server.send('DELETE', `/api/v1/tokens/${one.id}`)).status).toBe(204);
  expect(await status(one.token)).toBe(401);
  expect((await server.send('DELETE', `/api/v1/tokens/${one.id}`)).status).toBe(404);
  expect(await Server.command(['token', 'revoke', two.id], database())).toEqual([`${two.id} is revoked`]);
  await sleep(1_000);
  expect(await status(two.token)).toBe(401);
});

it('tokens are listed with their last use and without their secrets, and what was done with them is in the audit', async () => {
  const { token, id } = await make({ kind: 'read', name: 'grafana' });
  await server.get('/api/v1/devices', bearer(token));
  const list = (await server.get('/api/v1/tokens')).body;
  expect(list.tokens.find((one: { id: string }) => one.id === id)).toMatchObject({
    name: 'grafana',
    state: 'active',
    created_by: 'local',
    last_used_at: expect.stringMatching(/Z$/),
  });
  const { entries } = (await server.get('/api/v1/audit')).body;
  expect(entries[0]).toMatchObject({ action: 'token.create', target: 'grafana', actor: 'local', address: '127.0.0.1' });
  const lines = String((await server.get('/api/v1/audit?format=ndjson')).body)
    .trim()
    .split('\n');
  expect(JSON.parse(lines[0]!)).toEqual(entries[0]);
  // A secret may hold `_` itself.
  const secret = token.split('_').slice(3).join('_');
  expect(secret.length).toBeGreaterThan(30);
  expect(JSON.stringify([list, entries])).not.toContain(secret);
  expect((await server.get('/api/v1/audit?limit=1')).body.next_cursor).toBe(String(entries[0].id));
});

it.each([
  [{ kind: 'write', name: 'n' }, 'kind must be one of ingest, read, admin, got "write"'],
  [{ kind: 'read', name: '' }, /^name must be a string of 1 to 64 printable characters/],
  [
    { kind: 'read', name: 'n\u202Em' },
    /^name must have no character that is not seen .*, got U\+202E in "n\\u\{202E\}m"$/,
  ],
  [{ kind: 'read', name: 'n', expires_in: 'soon' }, /^expires_in must be a duration of at most 100y/],
  [{ kind: 'read', name: 'n', devices: [] }, /^devices must be an array of 1 to 100 names/],
  [{ kind: 'read', name: 'n', tags: { a: 1 } }, /^tags tag "a" must be a string/],
])('%j is refused', async (wish, reason) => {
  const { status, body } = await server.post('/api/v1/tokens', wish);
  expect([status, body.detail]).toEqual([400, expect.stringMatching(reason)]);
});
