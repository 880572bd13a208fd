import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { TestProvider } from './openid-provider.js';
import { Server, temporaryFolder, type Answer } from './server.js';

const CALLBACK = '/api/v1/session/openid/callback';
const SECRET = 'a secret of the client, 0123456789abcdef';
let provider: TestProvider;
let server: Server;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;

beforeAll(async () => {
  // What the provider thinks of being in a test.
  for (const level of ['warn', 'info'] as const) jest.spyOn(console, level).mockImplementation(() => undefined);
  folder = await temporaryFolder();
  provider = await TestProvider.start();
  server = await Server.start({
    DATABASE_PATH: join(folder.path, 'metrics.db'),
    OIDC_ISSUER: provider.issuer,
    OIDC_CLIENT_ID: 'device-metrics',
    OIDC_CLIENT_SECRET: SECRET,
    OIDC_ROLES: 'metrics-admins=admin, staff=editor, guests=viewer',
    OIDC_NAME: 'Keycloak',
  });
});
afterAll(async () => {
  jest.restoreAllMocks();
  await server.stop();
  await provider.stop();
  await folder.remove();
});

/** A browser that goes where it is led, with the cookies of each server. */
class Browser {
  readonly jars = new Map<string, Map<string, string>>();
  /** Where it was led. */
  readonly visited: URL[] = [];

  async get(url: URL): Promise<Response> {
    this.visited.push(url);
    const jar = this.jars.get(url.origin) ?? new Map<string, string>();
    this.jars.set(url.origin, jar);
    const cookie = [...jar].map((pair) => pair.join('=')).join('; ');
    const response = await fetch(url, { redirect: 'manual', headers: { cookie } });
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (value === '') jar.delete(name);
      else jar.set(name, value);
    }
    return response;
  }

  /** Goes on until it is led nowhere else, or to what `until` says. */
  async follow(start: URL, until: (url: URL) => boolean = () => false): Promise<URL> {
    let url = start;
    for (;;) {
      if (until(url)) return url;
      const location = (await this.get(url)).headers.get('location');
      if (location === null) return url;
      url = new URL(location, url);
    }
  }

  async session(): Promise<any> {
    return (await this.get(new URL('/api/v1/session', server.url))).json();
  }
}

const begin = (page = '/devices/lab-pc?range=1h'): URL => {
  const url = new URL('/api/v1/session/openid', server.url);
  url.searchParams.set('page', page);
  return url;
};
const isCallback = ({ pathname }: URL): boolean => pathname === CALLBACK;
const signIn = async (somebody: string, groups: string[]): Promise<{ browser: Browser; end: URL }> => {
  Object.assign(provider, { somebody });
  provider.groups[somebody] = groups;
  const browser = new Browser();
  return { browser, end: await browser.follow(begin()) };
};

it('says so while the provider is away, and takes it up when it is there', async () => {
  const end = await new Browser().follow(begin());
  expect(end.href).toBe(`${server.url}/devices/lab-pc?range=1h&openid-problem=unreachable`);
  expect((await new Browser().session()).openid).toEqual({ name: 'Keycloak' });
  provider.serve('device-metrics', SECRET, server.url + CALLBACK);
});

it('leads to no other server, however its address is written', async () => {
  for (const page of [
    '//evil.example',
    '/..//evil.example',
    '/.//evil.example',
    '/%2e%2e//evil.example',
    '/a/../..//e',
    '/\\evil',
    'x:y',
  ]) {
    const { status } = await fetch(begin(page), { redirect: 'manual' });
    expect([page, status]).toEqual([page, 400]);
  }
});

it('the first to come must be an admin; who is in gets the role of their groups, at every sign-in again', async () => {
  expect((await signIn('gus', ['guests'])).end.search).toContain('openid-problem=not-allowed');
  const { browser, end } = await signIn('anna', ['staff', 'metrics-admins']);
  expect(end.href).toBe(`${server.url}/devices/lab-pc?range=1h`);
  expect(await browser.session()).toMatchObject({
    caller: { kind: 'user', name: 'anna', role: 'admin' },
    has_password: false,
  });
  const sent = browser.visited.find(({ pathname }) => pathname === '/auth');
  expect(sent?.searchParams.get('code_challenge_method')).toBe('S256');
  expect(sent?.searchParams.get('redirect_uri')).toBe(server.url + CALLBACK);

  expect((await (await signIn('gus', ['guests'])).browser.session()).caller.role).toBe('viewer');
  const gus = (await signIn('gus', ['staff'])).browser;
  expect((await gus.session()).caller).toMatchObject({ name: 'gus', role: 'editor' });
  expect((await signIn('gus', ['other'])).end.search).toContain('openid-problem=not-allowed');
  expect((await gus.session()).caller).toBeNull();
});

it('the last admin stays one, whatever the provider says', async () => {
  expect((await (await signIn('anna', ['guests'])).browser.session()).caller.role).toBe('admin');
});

it('a user of this server is never taken over by a name', async () => {
  const { browser } = await signIn('anna', ['metrics-admins']);
  const cookie = [...(browser.jars.get(server.url) ?? [])].map((pair) => pair.join('=')).join('; ');
  const send = (method: string, path: string, body?: unknown): Promise<Answer> =>
    server.send(method, path, body, { cookie, origin: server.url });
  await send('POST', '/api/v1/users', { name: 'Bob', role: 'admin', password: 'correct horse battery' });
  expect((await (await signIn('bob', ['guests'])).browser.session()).caller).toMatchObject({
    name: 'bob 2',
    role: 'viewer',
  });
  const { users } = (await send('GET', '/api/v1/users')).body;
  expect(users.map(({ name, has_password, openid }: any) => [name, has_password, openid])).toEqual([
    ['anna', false, true],
    ['Bob', true, false],
    ['bob 2', false, true],
    ['gus', false, true],
  ]);
  expect((await send('POST', '/api/v1/session', { name: 'anna', password: '' })).status).toBe(401);
  expect((await send('POST', '/api/v1/session/totp')).status).toBe(403);
});

it('what comes back without the state, with another one, twice, or in another browser lets nobody in', async () => {
  Object.assign(provider, { somebody: 'anna' });
  const browser = new Browser();
  const back = await browser.follow(begin(), isCallback);
  const cookies = [...(browser.jars.get(server.url) ?? [])];
  const tried = async (change: (url: URL) => void, carried = cookies): Promise<string> => {
    const another = new Browser();
    another.jars.set(server.url, new Map(carried));
    const url = new URL(back);
    change(url);
    const end = await another.follow(url);
    expect((await another.session()).caller).toBeNull();
    return end.searchParams.get('openid-problem') ?? '';
  };
  expect(await tried(() => undefined, [])).toBe('late');
  expect(await tried(() => undefined, [['device-metrics-openid', 'AAAA']])).toBe('late');
  expect(await tried((url) => url.searchParams.delete('state'))).toBe('refused');
  expect(await tried((url) => url.searchParams.set('state', 'x'))).toBe('refused');
  expect(await tried((url) => url.searchParams.set('code', 'x'))).toBe('refused');
  const other = new Browser();
  const ofOther = await other.follow(begin(), isCallback);
  expect(await tried((url) => (url.search = ofOther.search))).toBe('refused');
  expect((await browser.follow(back)).search).toBe('?range=1h');
  expect(await tried(() => undefined)).toBe('refused');
});

it.each(['https://evil.example', '//evil.example', '/\\evil.example', 'javascript:alert(1)'])(
  'it leads to no other server: %s',
  async (page) => {
    const response = await fetch(begin(page), { redirect: 'manual' });
    expect(response.status).toBe(400);
  },
);

it('nothing of the secrets is in the log or in the audit', async () => {
  const { browser } = await signIn('anna', ['metrics-admins']);
  const audit = await (await browser.get(new URL('/api/v1/audit?format=ndjson', server.url))).text();
  expect(audit).toContain('user anna');
  const codes = browser.visited.map(({ searchParams }) => searchParams.get('code')).filter((code) => code !== null);
  expect(codes.length).toBeGreaterThan(0);
  for (const secret of [SECRET, ...codes]) expect(server.log.join('\n') + audit).not.toContain(secret);
});

it('who comes back with what is no answer of the provider, again and again, is told to wait', async () => {
  const browser = new Browser();
  await browser.follow(begin(), isCallback);
  const cookie = [...(browser.jars.get(server.url) ?? [])].map((pair) => pair.join('=')).join('; ');
  const statuses: number[] = [];
  for (let n = 0; n < 21; n += 1) {
    const url = `${server.url}/api/v1/session/openid/callback?code=x&state=${n}`;
    statuses.push((await fetch(url, { redirect: 'manual', headers: { cookie } })).status);
  }
  expect([statuses[0], statuses.at(-1)]).toEqual([302, 429]);
});
