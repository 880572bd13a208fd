import { once } from 'node:events';
import { connect } from 'node:net';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Server, temporaryFolder } from './server.js';

let server: Server;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeAll(async () => {
  folder = await temporaryFolder();
  server = await Server.start({
    DATABASE_PATH: join(folder.path, 'metrics.db'),
    ALLOWED_HOSTS: 'metrics.example.org, *.lab.example.org',
  });
  await server.post('/api/v1/aggregator/metrics', { device_name: 'dear', metric_name: 'm', value: 1 });
});
afterAll(async () => {
  await server.stop();
  await folder.remove();
});

/** The first line, and the body, of what the server answers to exactly these lines. */
async function send(...lines: string[]): Promise<string> {
  const { port } = new URL(server.url);
  const socket = connect(Number(port), '127.0.0.1');
  await once(socket, 'connect');
  socket.write(`${lines.join('\r\n')}\r\nConnection: close\r\n\r\n`);
  return (await socket.setEncoding('utf8').toArray()).join('');
}
const status = async (...lines: string[]): Promise<number> => Number((await send(...lines)).split(' ')[1]);

const own = (): string => new URL(server.url).host;

describe('a name that a web page has made to lead here (DNS rebinding)', () => {
  it.each([
    ['GET', '/api/v1/devices'],
    ['GET', '/api/v1/admin/backup'],
    ['GET', '/api/v1/live'],
    ['DELETE', '/api/v1/devices/dear'],
    ['POST', '/api/v1/aggregator/metrics'],
    ['GET', '/metrics'],
    ['GET', '/healthz'],
    ['GET', '/docs'],
    ['GET', '/docs/swagger-ui.css'],
    ['GET', '/nowhere'],
    ['OPTIONS', '/api/v1/devices'],
  ])('%s %s gets nothing', async (method, path) => {
    const { port } = new URL(server.url);
    for (const host of ['evil.example', `evil.example:${port}`, '127.0.0.1.evil.example', 'localhost.evil.example']) {
      const answer = await send(`${method} ${path} HTTP/1.1`, `Host: ${host}`, `Origin: http://${host}`);
      expect(answer).toMatch(/^HTTP\/1\.1 403 /);
      expect(answer).toContain('urn:device-metrics:problem:foreign-host');
    }
    expect((await server.get('/api/v1/devices/dear')).status).toBe(200);
  });

  it.each([
    [['GET http://evil.example/healthz HTTP/1.1', 'Host: evil.example'], 403],
    [['GET http://evil.example/healthz HTTP/1.1', 'Host: localhost'], 400],
    [['GET http://localhost/healthz HTTP/1.1', 'Host: evil.example'], 400],
    [['GET http://localhost@evil.example/healthz HTTP/1.1', 'Host: localhost'], 400],
    [['GET http://localhost/healthz HTTP/1.1', 'Host: localhost'], 200],
    [['GET /healthz HTTP/1.1', 'Host: localhost', 'Host: localhost'], 400],
    [['GET /healthz HTTP/1.1', 'Host: localhost', 'host: evil.example'], 400],
    [['GET /healthz HTTP/1.1', 'Host: evil.example', 'HOST: localhost'], 400],
    [['GET /healthz HTTP/1.1', 'Host: localhost, evil.example'], 400],
    [['GET /healthz HTTP/1.1', 'Host: user@localhost'], 400],
    [['GET /healthz HTTP/1.1', 'Host: localhost:x'], 400],
    [['GET /healthz HTTP/1.1', 'Host:'], 400],
    [['GET /healthz HTTP/1.1'], 400],
    [['GET /healthz HTTP/1.0'], 400],
    [['GET /healthz HTTP/1.1', 'Host: [::1]'], 200],
    [['GET /healthz HTTP/1.1', 'Host: LOCALHOST:1234'], 200],
    [['GET /healthz HTTP/1.1', 'Host: 127.0.0.1'], 200],
    [['GET /healthz HTTP/1.1', 'Host: 192.0.2.1'], 403],
    [['GET /healthz HTTP/1.1', 'Host: Metrics.Example.org'], 200],
    [['GET /healthz HTTP/1.1', 'Host: a.lab.example.org'], 200],
    [['GET /healthz HTTP/1.1', 'Host: lab.example.org'], 403],
    [['GET /healthz HTTP/1.1', 'Host: evil-lab.example.org'], 403],
  ])('%j: %d', async (lines, expected) => {
    expect(await status(...lines)).toBe(expected);
  });
});

describe('a page of somebody else', () => {
  it.each(['http://evil.example', 'null', 'http://127.0.0.1:1', 'https://127.0.0.1.evil.example', 'file://', 'x'])(
    'of the origin %s can do nothing',
    async (origin) => {
      for (const method of ['GET', 'POST', 'PATCH', 'DELETE']) {
        const lines = [`${method} /api/v1/devices/dear HTTP/1.1`, `Host: ${own()}`, `Origin: ${origin}`];
        expect(await status(...lines)).toBe(403);
      }
      expect(await status('GET /api/v1/live HTTP/1.1', `Host: ${own()}`, `Origin: ${origin}`)).toBe(403);
      expect((await server.get('/api/v1/devices/dear')).status).toBe(200);
    },
  );

  it('may have a link here, and nothing else', async () => {
    const from = (site: string, mode: string, method = 'GET'): Promise<number> =>
      status(`${method} /docs HTTP/1.1`, `Host: ${own()}`, `Sec-Fetch-Site: ${site}`, `Sec-Fetch-Mode: ${mode}`);
    expect(await from('cross-site', 'navigate')).toBe(200);
    expect(await from('cross-site', 'no-cors')).toBe(403);
    expect(await from('same-site', 'cors')).toBe(403);
    expect(await from('cross-site', 'navigate', 'POST')).toBe(403);
    expect(await from('same-origin', 'cors')).toBe(200);
    expect(await from('none', 'navigate')).toBe(200);
    const backup = ['GET /api/v1/admin/backup HTTP/1.1', `Host: ${own()}`, 'Sec-Fetch-Mode: navigate'];
    expect(await status(...backup, 'Sec-Fetch-Site: cross-site')).toBe(403);
    expect(await status(...backup, 'Sec-Fetch-Site: same-origin')).toBe(200);
  });
});

it('every answer tells browsers to load nothing from elsewhere, and to run no script but the files of this server', async () => {
  for (const path of ['/api/v1/devices', '/docs', '/nowhere', '/metrics', '/%zz', `/${'x'.repeat(2_000)}`]) {
    const { headers } = await server.get(path);
    expect([path, headers.get('content-security-policy')]).toEqual([
      path,
      expect.stringMatching(/^default-src 'self';/),
    ]);
    expect(headers.get('content-security-policy')).not.toContain('script-src');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
  }
  expect(await send('NONSENSE')).toMatch(/^HTTP\/1\.1 400 .*\r\nContent-Security-Policy: default-src 'self';/s);
  const page = String((await server.get('/docs')).body);
  expect(page).not.toMatch(/<script(?![^>]*\ssrc=)[^>]*>\s*\S/);
});

it('no answer is kept on the way, but for files without data: those whose names change with their content for good', async () => {
  const kept = async (path: string, headers = {}): Promise<string | null> =>
    (await server.get(path, headers)).headers.get('cache-control');
  for (const path of [
    '/api/v1/devices',
    '/api/v1/devices/nobody',
    '/metrics',
    '/nowhere',
    '/assets/none-0.js',
    '/%zz',
  ]) {
    expect([path, await kept(path)]).toEqual([path, 'no-store']);
  }
  const token = await server.post('/api/v1/tokens', { kind: 'read', name: 'once' });
  expect([token.status, token.headers.get('cache-control')]).toEqual([201, 'no-store']);
  await server.send('DELETE', `/api/v1/tokens/${token.body.id}`);
  const page = await server.get('/', { accept: 'text/html' });
  expect(page.headers.get('cache-control')).toBe('no-cache');
  const [script] = /\/assets\/[\w.-]+\.js/.exec(page.body) as RegExpExecArray;
  expect(await kept(script)).toBe('public, max-age=31536000, immutable');
});

it('pages of this server may do everything', async () => {
  expect(await status('GET /api/v1/devices HTTP/1.1', `Host: ${own()}`, `Origin: http://${own()}`)).toBe(200);
  const named = ['GET /healthz HTTP/1.1', 'Host: metrics.example.org', 'Origin: https://metrics.example.org'];
  expect(await status(...named)).toBe(200);
});

it('what came through a proxy is not of this machine, and so needs a token', async () => {
  for (const header of ['X-Forwarded-For: 192.0.2.1', 'Forwarded: for=192.0.2.1', 'Via: 1.1 proxy']) {
    expect(await status('GET /api/v1/devices HTTP/1.1', `Host: ${own()}`, header)).toBe(401);
  }
  expect(await status('GET /api/v1/devices HTTP/1.1', 'Host: metrics.example.org')).toBe(401);
  expect(await status('GET /metrics HTTP/1.1', 'Host: metrics.example.org')).toBe(401);
  expect(await status('GET /healthz HTTP/1.1', 'Host: metrics.example.org')).toBe(200);
});

it('no way of writing an address leads a stranger around the guard', async () => {
  const closed = ['/api/v1/devices', '/api/v1/devices/dear', '/api/v1/audit', '/api/v1/admin/backup', '/metrics'];
  const ways: ((path: string) => string)[] = [
    (path) => `/${path}`,
    (path) => `${path}/`,
    (path) => `${path}?`,
    (path) => `${path}#x`,
    (path) => `${path};x=1`,
    (path) => `${path}%00`,
    (path) => `${path}%2f`,
    (path) => `${path}/.`,
    (path) => path.toUpperCase(),
    (path) => path.replace('/v1', '/./v1'),
    (path) => path.replace('/v1', '/x/%2e%2e/v1'),
    (path) => path.replace('/v1', '%2fv1'),
    (path) => path.replace('/v1', '\\v1'),
    (path) => path.replace('a', '%61').replace('m', '%6d'),
    (path) => `/healthz/..${path}`,
    (path) => `/docs/%2e%2e${path}`,
    (path) => `/assets/..${path}`,
    (path) => `http://${own()}${path}`,
  ];
  const request = fc.record({
    method: fc.constantFrom('GET', 'HEAD', 'POST', 'PATCH', 'DELETE', 'OPTIONS', 'get', 'TRACE'),
    path: fc.constantFrom(...closed),
    written: fc.array(fc.constantFrom(...ways), { maxLength: 3 }),
  });
  await fc.assert(
    fc.asyncProperty(request, async ({ method, path, written }) => {
      const address = written.reduce((text, write) => write(text), path);
      const answer = await status(`${method} ${address} HTTP/1.1`, `Host: ${own()}`, 'Via: 1.1 proxy');
      expect([answer, answer >= 400 && answer < 500]).toEqual([answer, true]);
    }),
    { numRuns: process.env['DEVICE_METRICS_LONG'] ? 500 : 60 },
  );
  expect((await server.get('/api/v1/devices/dear')).status).toBe(200);
});

const outside = Object.values(networkInterfaces())
  .flat()
  .find((address) => address?.family === 'IPv4' && !address.internal)?.address;

describe('an address that other machines reach', () => {
  const start = (settings: Record<string, string>): Promise<Server> =>
    Server.start({ DATABASE_PATH: join(folder.path, 'open.db'), HOST: '0.0.0.0', ...settings });

  it('is listened on once somebody has a token, and said how to get one before', async () => {
    const refused = await start({}).catch(String);
    expect(refused).toMatch(/HOST 0\.0\.0\.0 .* `node \S*main\.js token create admin --name me`/);
    expect(refused).not.toMatch(/\n +at /);

    const database = { DATABASE_PATH: join(folder.path, 'open.db') };
    const [token = ''] = await Server.command(['token', 'create', 'read', '--name', 'me'], database);
    const open = await start({});
    const { port } = new URL(open.url);
    const url = `http://${outside ?? '127.0.0.1'}:${port}`;
    const answer = async (headers: Record<string, string> = {}): Promise<number> =>
      (await fetch(`${url}/api/v1/devices`, { headers })).status;
    if (outside !== undefined) expect(await answer()).toBe(401);
    expect(await answer({ authorization: `Bearer ${token}` })).toBe(200);
    // On this machine nobody has to sign in while there are no users.
    expect((await fetch(`http://127.0.0.1:${port}/api/v1/devices`)).status).toBe(200);
    await open.stop();
  });
});
