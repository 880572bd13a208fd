import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { Server, temporaryFolder, type Answer } from './server.js';

/** What each kind of credential may do; everything else must be refused. */
const VIEWER = ['reports:read', 'server:read'];
const EDITOR = [...VIEWER, 'devices:write', 'alerts:write', 'shares:write'];
const ADMIN_ALL = [
  ...VIEWER,
  'samples:write',
  'devices:write',
  'devices:delete',
  'alerts:write',
  'shares:write',
  'server:backup',
  'access:manage',
  'audit:read',
];
const MAY: Record<string, readonly string[]> = {
  none: [],
  garbage: [],
  expired: [],
  revoked: [],
  'rotated away': [],
  ingest: ['samples:write'],
  read: VIEWER,
  'read by tag': ['reports:read'],
  'admin by tag': ADMIN_ALL.filter((right) => !/^(server|access|audit)/.test(right)),
  collector: ['samples:write', 'collector:self'],
  'session of a viewer': VIEWER,
  'session of an editor': EDITOR,
  'session of an editor by tag': EDITOR.filter((right) => right !== 'server:read'),
  'session of a shared link': ['reports:read'],
  'session of nobody': [],
  'session that was ended': [],
};

let server: Server;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let document: any;
const headersOf: Record<string, Record<string, string>> = { none: {} };

beforeAll(async () => {
  folder = await temporaryFolder();
  server = await Server.start({ DATABASE_PATH: join(folder.path, 'metrics.db') });
  document = JSON.parse(await readFile(join(import.meta.dirname, '../openapi.json'), 'utf8'));
  const bearer = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` });
  const make = async (wish: object): Promise<any> => (await server.post('/api/v1/tokens', { name: 'n', ...wish })).body;
  headersOf['garbage'] = bearer('dm_admin_000000000000_'.padEnd(65, 'A'));
  headersOf['expired'] = bearer((await make({ kind: 'admin', expires_in: '1ms' })).token);
  const revoked = await make({ kind: 'admin' });
  await server.send('DELETE', `/api/v1/tokens/${revoked.id}`);
  headersOf['revoked'] = bearer(revoked.token);
  const rotated = await make({ kind: 'admin' });
  await server.post(`/api/v1/tokens/${rotated.id}/rotate`, { overlap: '0' });
  headersOf['rotated away'] = bearer(rotated.token);
  headersOf['ingest'] = bearer((await make({ kind: 'ingest' })).token);
  headersOf['read'] = bearer((await make({ kind: 'read' })).token);
  headersOf['read by tag'] = bearer((await make({ kind: 'read', tags: { room: 'x' } })).token);
  headersOf['admin by tag'] = bearer((await make({ kind: 'admin', tags: { room: 'x' } })).token);
  const { code } = (await server.post('/api/v1/invitations', {})).body;
  headersOf['collector'] = bearer(
    (await server.post('/api/v1/collectors/join', { code, device_name: 'c' })).body.token,
  );
  // From now on this machine is like any other.
  const password = 'correct horse battery';
  const page = { origin: server.url };
  const cookieOf = ({ headers }: Answer): Record<string, string> => {
    return { ...page, cookie: String(headers.get('set-cookie')).split(';')[0] ?? '' };
  };
  const admin = cookieOf(await server.post('/api/v1/session/first-admin', { name: 'anna', password }, page));
  const signIn = async (wish: object): Promise<Record<string, string>> =>
    cookieOf(await server.post('/api/v1/session', wish, page));
  for (const [kind, user] of [
    ['session of a viewer', { name: 'vera', role: 'viewer' }],
    ['session of an editor', { name: 'ed', role: 'editor' }],
    ['session of an editor by tag', { name: 'ted', role: 'editor', tags: { room: 'x' } }],
    ['session that was ended', { name: 'gus', role: 'admin' }],
  ] as const) {
    await server.post('/api/v1/users', { ...user, password }, admin);
    headersOf[kind] = await signIn({ name: user.name, password });
  }
  await server.send('DELETE', '/api/v1/session', undefined, headersOf['session that was ended']);
  const share = await server.post('/api/v1/shares', { name: 'wall', page: '/', devices: ['lab-*'] }, admin);
  headersOf['session of a shared link'] = await signIn({ token: share.body.url.replace('/share#', '') });
  headersOf['session of nobody'] = { ...page, cookie: `device-metrics=${'A'.repeat(43)}` };
  await sleep(10);
});
afterAll(async () => {
  await server.stop();
  await folder.remove();
});

it('every call of openapi.json says what it needs', () => {
  for (const [path, methods] of Object.entries<any>(document.paths)) {
    for (const [method, call] of Object.entries<any>(methods)) {
      expect([method, path, call['x-needs']]).toEqual([method, path, expect.any(String)]);
    }
  }
});

it.each(Object.keys(MAY))('with %s no call answers that needs more', async (kind) => {
  const wrong: string[] = [];
  for (const [path, methods] of Object.entries<any>(document.paths)) {
    for (const [method, call] of Object.entries<any>(methods)) {
      const needs = call['x-needs'] as string;
      if (needs === 'open' || (needs === 'signed in' && MAY[kind]!.length > 0) || MAY[kind]!.includes(needs)) continue;
      // On this machine the metrics of the server are for everybody.
      const address = path.replaceAll(/\{[^}]+\}/g, 'x');
      const headers = { ...headersOf[kind], ...(path === '/metrics' && { via: '1.1 proxy' }) };
      const body = ['post', 'put', 'patch'].includes(method) ? {} : undefined;
      const { status } = await server.send(method.toUpperCase(), address, body, headers);
      if (status !== 401 && status !== 403) wrong.push(`${method} ${path}: ${status}`);
    }
  }
  expect(wrong).toEqual([]);
});
