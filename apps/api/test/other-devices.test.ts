import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { Server, temporaryFolder, type Answer } from './server.js';

/** A device that nobody of `KINDS` may see or send samples of. What is told of it has this word. */
const HIDDEN = 'hidden-pc';
const WORD = /hidden/;
const OTHERS = { devices: ['lab-*'] };
const OF_LAB = { tags: { room: 'lab' } };

const KINDS = [
  'ingest token of other devices',
  'read token of other devices',
  'read token of another tag',
  'admin token of other devices',
  'admin token of another tag',
  'collector of another device',
  'session of an editor of another tag',
  'session of a link to another device',
  'session of a link to another tag',
];

let server: Server;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let document: any;
const headersOf: Record<string, Record<string, string>> = {};
let admin: Record<string, string>;
let before: unknown;

beforeAll(async () => {
  folder = await temporaryFolder();
  server = await Server.start({ DATABASE_PATH: join(folder.path, 'metrics.db'), MAX_REQUESTS_PER_SECOND: '0' });
  document = JSON.parse(await readFile(join(import.meta.dirname, '../openapi.json'), 'utf8'));
  const now = Date.now();
  for (const device of ['lab-pc', HIDDEN]) {
    const metrics = ['m', `${device}.metric`].map((metric_name) => ({
      device_name: device,
      metric_name,
      labels: { of: device },
      samples: [9_000_000, 7_200_000, 3_600_000, 60_000].map((age) => [now - age, 7]),
    }));
    await server.post('/api/v1/aggregator/metrics/batch', metrics);
  }
  await server.send('PATCH', '/api/v1/devices/lab-pc', { tags: { room: 'lab' } });
  await server.send('PATCH', `/api/v1/devices/${HIDDEN}`, { tags: { room: 'hidden room' }, notes: 'hidden notes' });
  const put = (path: string, body: object): Promise<Answer> => server.send('PUT', `/api/v1/alerts/${path}`, body);
  const condition = { above: 1 };
  for (const [path, body] of [
    ['rules/hidden rule', { select: { device: [HIDDEN], metric: ['m'] }, condition, for: '0s' }],
    ['dependencies/hidden', { device: [HIDDEN], on: ['lab-pc'] }],
    ['silences/hidden', { select: { device: [HIDDEN] }, for: '1h' }],
    ['channels/hidden', { type: 'slack', url: 'http://127.0.0.1:2/x' }],
  ] as const) {
    const { status, body: answer } = await put(path, body);
    if (status !== 200 && path.startsWith('rules')) throw new Error(JSON.stringify(answer));
  }
  await server.post('/api/v1/status/incidents', { title: 'hidden incident', text: 'x', began: '2026-01-15T10:00:00Z' });

  const token = async (path: string, wish: object): Promise<Record<string, string>> => {
    const { status, body } = await server.post(path, wish);
    if (status !== 201) throw new Error(JSON.stringify(body));
    return { authorization: `Bearer ${body.token}` };
  };
  const named = { name: 'n' };
  headersOf['ingest token of other devices'] = await token('/api/v1/tokens', { ...named, kind: 'ingest', ...OTHERS });
  headersOf['read token of other devices'] = await token('/api/v1/tokens', { ...named, kind: 'read', ...OTHERS });
  headersOf['read token of another tag'] = await token('/api/v1/tokens', { ...named, kind: 'read', ...OF_LAB });
  headersOf['admin token of other devices'] = await token('/api/v1/tokens', { ...named, kind: 'admin', ...OTHERS });
  headersOf['admin token of another tag'] = await token('/api/v1/tokens', { ...named, kind: 'admin', ...OF_LAB });
  const { code } = (await server.post('/api/v1/invitations', {})).body;
  headersOf['collector of another device'] = await token('/api/v1/collectors/join', { code, device_name: 'joined-pc' });
  admin = await token('/api/v1/tokens', { ...named, kind: 'admin' });
  const link = async (wish: object): Promise<string> =>
    String((await server.post('/api/v1/shares', { ...named, page: '/', ...wish })).body.url).replace('/share#', '');
  const links = [await link(OTHERS), await link(OF_LAB)];

  const password = 'correct horse battery';
  const origin = { origin: server.url };
  const session = async (path: string, wish: object, headers = {}): Promise<Record<string, string>> => {
    const { headers: answered } = await server.post(path, wish, { ...origin, ...headers });
    return { ...origin, cookie: String(answered.get('set-cookie')).split(';')[0] ?? '' };
  };
  const first = await session('/api/v1/session/first-admin', { name: 'anna', password });
  await server.post('/api/v1/users', { name: 'ted', role: 'editor', password, ...OF_LAB }, first);
  headersOf['session of an editor of another tag'] = await session('/api/v1/session', { name: 'ted', password });
  headersOf['session of a link to another device'] = await session('/api/v1/session', { token: links[0] });
  headersOf['session of a link to another tag'] = await session('/api/v1/session', { token: links[1] });
  before = await hidden();
});
afterAll(async () => {
  await server.stop();
  await folder.remove();
});

/** All that an admin sees of the device. */
const hidden = async (): Promise<unknown> =>
  Promise.all(
    [
      `/api/v1/devices/${HIDDEN}`,
      `/api/v1/reports/metrics/${HIDDEN}`,
      '/api/v1/alerts/rules',
      '/api/v1/alerts/silences',
    ].map(async (path) => (await server.get(path, admin)).body),
  ).then((found) =>
    JSON.parse(JSON.stringify(found, (key, value) => (/^(end_time|start_time)$/.test(key) ? 0 : value))),
  );

const BODIES: Record<string, unknown> = {
  '/api/v1/aggregator/metrics': { device_name: HIDDEN, metric_name: 'm', value: 13 },
  '/api/v1/aggregator/metrics/batch': [{ device_name: HIDDEN, metric_name: 'm', value: 13 }],
  '/api/v1/devices/{device_name}': { notes: 'changed' },
  '/api/v1/shares': { name: 'n', page: '/', devices: [HIDDEN] },
  '/api/v1/collectors/self': { devices: [HIDDEN] },
  '/api/v1/alerts/rules/dry-run': {
    rule: { name: 'n', select: { metric: ['m'] }, condition: { above: 1 }, for: '0s' },
  },
  '/api/v1/alerts/import': { text: 'rules: []' },
  '/api/v1/alerts/{kind}/{name}': { select: { metric: ['m'] }, condition: { above: 1 }, for: '1h' },
  '/api/v1/status/page': { enabled: true, title: 'x', text: '', tags: [], names: 'display_name' },
  '/v1/metrics': {
    resourceMetrics: [
      {
        resource: { attributes: [{ key: 'host.name', value: { stringValue: HIDDEN } }] },
        scopeMetrics: [
          {
            metrics: [{ name: 'm', gauge: { dataPoints: [{ timeUnixNano: `${Date.now()}000000`, asDouble: 13 }] } }],
          },
        ],
      },
    ],
  },
};
/** Endings of the address: whichever of them a report takes shows nothing of the device. */
const QUERIES = [
  '',
  `device_name=${HIDDEN}`,
  `device=${HIDDEN}&metric_name=m`,
  'metric_name=*',
  'metric_name=m&format=csv',
  'metric_name=hidden*&start_time=-1d',
  'group_by=tag:room&tag=room',
  'tag=room=hidden%20room',
  'format=ndjson',
  'limit=1000&time_range=24',
];

/** Every call of openapi.json, on the device. */
function* calls(): Iterable<[method: string, address: string, path: string]> {
  for (const [path, methods] of Object.entries<any>(document.paths)) {
    for (const [method, call] of Object.entries<any>(methods)) {
      // A stream does not end, and is tested by itself; these end the credential.
      if (path === '/api/v1/live' || (method === 'delete' && /session|self/.test(path))) continue;
      const kinds = path.includes('{kind}') ? ['rules', 'channels', 'silences', 'dependencies', 'routes'] : ['x'];
      const queries = method === 'get' && call.parameters?.some((one: any) => one.in === 'query') ? QUERIES : [''];
      for (const kind of kinds) {
        const names = path.includes('alerts') ? 'hidden' : HIDDEN;
        const filled = path
          .replace('{kind}', kind)
          .replace('{name}', names)
          .replaceAll(/\{[^}]+\}/g, HIDDEN);
        for (const query of queries) yield [method.toUpperCase(), query ? `${filled}?${query}` : filled, path];
      }
    }
  }
}

it.each(KINDS)('%s sees and changes nothing of the device, by no call', async (kind) => {
  const wrong: string[] = [];
  let answered = 0;
  for (const [method, address, path] of calls()) {
    const hasBody = ['POST', 'PUT', 'PATCH'].includes(method);
    const answer = await server.send(method, address, hasBody ? (BODIES[path] ?? {}) : undefined, headersOf[kind]);
    if (answer.status >= 300) continue;
    answered += 1;
    // What was asked for and refused is named.
    const text = JSON.stringify(answer.body, (key, value) => (/^(refused|rejected)$/.test(key) ? [] : value));
    if (WORD.test(text)) wrong.push(`${method} ${address}: ${answer.status} ${text.slice(0, 300)}`);
  }
  for (const path of ['/write?db=x', '/api/v2/write?bucket=x&org=x']) {
    await server.post(path, `m,host=${HIDDEN} value=13`, { ...headersOf[kind], 'content-type': 'text/plain' });
  }
  expect(answered).toBeGreaterThan(3);
  expect(wrong).toEqual([]);
  expect(await hidden()).toEqual(before);
});

it.each(KINDS.filter((kind) => /^read|link/.test(kind)))(
  '%s gets a summary of its own devices, by groups too',
  async (kind) => {
    for (const query of [
      '',
      '?group_by=metric',
      '?group_by=tag:room',
      '?metric_name=m',
      '?group_by=device&quantile=p50',
    ]) {
      const { status, body } = await server.get(`/api/v1/reports/summary${query}`, headersOf[kind]);
      expect([query, status]).toEqual([query, 200]);
      expect(body.devices).toMatchObject([{ device_name: 'lab-pc' }]);
      expect(body.summaries.length).toBeGreaterThan(0);
    }
  },
);

it.each(KINDS.filter((kind) => /^(admin|session of an editor)/.test(kind)))(
  '%s takes no device out of what they are limited to',
  async (kind) => {
    const patch = (body: object): Promise<Answer> =>
      server.send('PATCH', '/api/v1/devices/lab-pc', body, headersOf[kind]);
    const out = /tag/.test(kind)
      ? [
          { tags: { room: 'attic' } },
          { tags: { room: null }, notes: 'x' },
          { device_name: 'lab-9', tags: { room: 'x' } },
        ]
      : [{ device_name: 'rack-pc' }, { device_name: HIDDEN, merge: true }];
    for (const body of out) {
      const { status, body: answer } = await patch(body);
      expect([status, answer.code ?? answer.type]).toEqual([403, expect.stringContaining('not-allowed')]);
    }
    const { tags, notes } = (await server.get('/api/v1/devices/lab-pc', headersOf[kind])).body;
    expect([tags, notes]).toEqual([{ room: 'lab' }, undefined]);
    expect(await patch({ tags: { room: 'lab', floor: '1' } })).toMatchObject({ status: 200 });
    expect(await patch({ tags: { floor: null } })).toMatchObject({ status: 200 });
  },
);
