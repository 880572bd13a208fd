import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer, type Server as HttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import 'reflect-metadata';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { parse, stringify } from 'yaml';
import { openDatabase } from '@device-metrics/sqlite';
import { readAlerts } from '../../src/alerts/alerts-file.js';
import { MistakesError } from '../../src/alerts/reader.js';
import { Server, temporaryFolder, type Answer } from '../server.js';

const RULES = '/api/v1/alerts/rules';
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let server: Server;
let receiver: HttpServer;
const heard: any[] = [];

beforeAll(async () => {
  folder = await temporaryFolder();
  receiver = createServer((request, response) => {
    let text = '';
    request
      .on('data', (data) => (text += data))
      .on('end', () => {
        heard.push(JSON.parse(text));
        receiver.emit('heard');
        response.end();
      });
  });
  receiver.listen(0, '127.0.0.1');
  await once(receiver, 'listening');
  const url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/`;
  await writeFile(
    join(folder.path, 'alerts.yaml'),
    `rules:
  - name: Of the file
    select: { metric: noise, device: siren }
    condition: { above: 1 }
channels:
  - { name: hook, type: webhook, url: '${url}', secret: '\${ALERTS_SECRET}' }
routes:
  - { name: all, channels: [hook], wait: 0s }
`,
  );
  server = await Server.start({
    DATABASE_PATH: join(folder.path, 'metrics.db'),
    ALERTS_FILE: join(folder.path, 'alerts.yaml'),
    ALERTS_SECRET: 'hush',
    PUBLIC_URL: 'http://127.0.0.1:1',
  });
});
afterAll(async () => {
  await server.stop();
  receiver.close();
  await folder.remove();
});

const rules = async (): Promise<any[]> => (await server.get(RULES)).body.items;
const importText = (text: string): Promise<Answer> => server.post('/api/v1/alerts/import', { text });

it('what is of ALERTS_FILE is shown, and changed by the file alone', async () => {
  expect((await rules()).find(({ name }) => name === 'Of the file')).toMatchObject({ origin: 'file' });
  const path = `${RULES}/Of%20the%20file`;
  for (const answer of [
    await server.send('PUT', path, { select: { metric: 'm' }, condition: { above: 1 } }),
    await server.send('DELETE', path),
    await importText('rules: [{name: Of the file, select: {metric: m}, condition: {above: 1}}]'),
  ]) {
    expect([answer.status, answer.body.type]).toEqual([409, 'urn:device-metrics:problem:read-only']);
  }
  expect(JSON.stringify((await server.get('/api/v1/alerts/channels')).body)).not.toContain('hush');
});

it('the api does not start with mistakes in ALERTS_FILE, and says all of them with their paths', async () => {
  const file = join(folder.path, 'bad.yaml');
  await writeFile(file, 'rules:\n  - {name: a, select: {metric: m}, condition: {abov: 1}}\n  - {name: b, for: soon}\n');
  const start = Server.start({ DATABASE_PATH: join(folder.path, 'other.db'), ALERTS_FILE: file });
  await expect(start).rejects.toThrow(/rules\[0\]\.condition[\s\S]*rules\[1\]\.for/);
});

it('a route names channels that there are: in REST, an import and the file, and as long as it names them they stay', async () => {
  const route = '/api/v1/alerts/routes/night';
  for (const [body, field] of [
    [{ channels: ['hook', 'phone'] }, 'channels'],
    [{ channels: ['hook'], escalate: { after: '30m', channels: ['boss'] } }, 'escalate.channels'],
  ] as const) {
    const answer = await server.send('PUT', route, body);
    const name = field === 'channels' ? '"phone"' : '"boss"';
    expect([answer.status, answer.body.errors]).toEqual([
      400,
      [{ field, reason: `must name channels, got ${name}; there are "hook"` }],
    ]);
  }
  expect((await server.send('PUT', route, {})).body.errors).toMatchObject([{ field: 'channels' }]);
  const channel = { type: 'ntfy', topic: 'night' };
  const text = (channels: unknown[]): string =>
    stringify({ channels, routes: [{ name: 'night', channels: ['hook', 'phone'] }] });
  const refused = await importText(text([]));
  expect([refused.status, refused.body.errors]).toMatchObject([400, [{ field: 'routes[0].channels' }]]);
  expect((await importText(text([{ name: 'phone', ...channel }]))).body).toEqual({ written: 2 });

  const inUse = await server.send('DELETE', '/api/v1/alerts/channels/phone');
  expect([inUse.status, inUse.body.type]).toEqual([409, 'urn:device-metrics:problem:in-use']);
  expect(inUse.body.detail).toContain('"night"');
  expect((await server.send('DELETE', route)).status).toBe(204);
  expect((await server.send('DELETE', '/api/v1/alerts/channels/phone')).status).toBe(204);

  const file = join(folder.path, 'route.yaml');
  await writeFile(file, 'routes: [{name: a, channels: [nobody]}]\n');
  const start = Server.start({ DATABASE_PATH: join(folder.path, 'another.db'), ALERTS_FILE: file });
  await expect(start).rejects.toThrow(
    /ALERTS_FILE .*routes\[0\]\.channels must name channels, got "nobody"; there is none/,
  );
});

const RULE = { name: 'x', select: { metric: 'm' }, condition: { above: 1 } };
const MAIL = { name: 'm', type: 'email', host: 'h', from: 'a@example.org', to: 'b@example.org' };

it.each<[string, Record<string, unknown>, string]>([
  ['a word for a list', { rules: 'Too hot' }, 'rules'],
  ['a list for a thing', { rules: [[]] }, 'rules[0]'],
  ['nothing', { rules: [null] }, 'rules[0]'],
  ['a section that there is not', { rulez: [] }, 'rulez'],
  ['a section by the name of a property', { toString: [] }, 'toString'],
  ['a key that there is not', { rules: [{ ...RULE, serverity: 'info' }] }, 'rules[0].serverity'],
  ['a key deep inside', { rules: [{ ...RULE, select: { metric: 'm', labels: 'a=b' } }] }, 'rules[0].select.labels'],
  ['a name twice', { rules: [RULE, RULE] }, 'rules[1].name'],
  ['a name of two lines', { rules: [{ ...RULE, name: 'a\nb' }] }, 'rules[0].name'],
  ['a name that is a path', { rules: [{ ...RULE, name: '..' }] }, 'rules[0].name'],
  ['a number as text', { rules: [{ ...RULE, condition: { above: '90' } }] }, 'rules[0].condition.above'],
  ['a number that is none', { rules: [{ ...RULE, condition: { above: NaN } }] }, 'rules[0].condition.above'],
  ['a duration without a unit', { rules: [{ ...RULE, for: 10 }] }, 'rules[0].for'],
  ['a pair without a name', { rules: [{ ...RULE, select: { metric: 'm', tag: '=lab' } }] }, 'rules[0].select.tag'],
  ['a template that does not end', { rules: [{ ...RULE, text: '{{ device' }] }, 'rules[0].text'],
  ['a filter that there is not', { rules: [{ ...RULE, text: '{{ value | rund: 1 }}' }] }, 'rules[0].text'],
  ['a value that there is not', { rules: [{ ...RULE, text: '{% if devcie %}x{% endif %}' }] }, 'rules[0].text'],
  ['a file in a template', { rules: [{ ...RULE, text: '{% include "/etc/passwd" %}' }] }, 'rules[0].text'],
  ['a way to encrypt that there is not', { channels: [{ ...MAIL, tls: 'ssl' }] }, 'channels[0].tls'],
  ['a receiver that is no address', { channels: [{ ...MAIL, to: ['b@example.org', 'me'] }] }, 'channels[0].to'],
  ['a sender that is no address', { channels: [{ ...MAIL, from: 'Device Metrics' }] }, 'channels[0].from'],
  [
    'a header that HTTP has not',
    { channels: [{ name: 'w', type: 'webhook', url: 'http://h', headers: { 'a b': 'c' } }] },
    'channels[0].headers',
  ],
  [
    'a header that each connection sets itself',
    { channels: [{ name: 'w', type: 'webhook', url: 'http://h', headers: { 'Content-Length': '3' } }] },
    'channels[0].headers',
  ],
  [
    'an address without a scheme',
    { channels: [{ name: 'g', type: 'gotify', url: 'h', token: 't' }] },
    'channels[0].url',
  ],
  [
    'a window that ends before it begins',
    { maintenance: [{ name: 'w', from: '2026-01-02T00:00:00Z', until: '2026-01-01T00:00:00Z' }] },
    'maintenance[0].until',
  ],
  [
    'a day that no calendar has',
    { maintenance: [{ name: 'w', from: '2026-02-30T00:00:00Z', for: '1h' }] },
    'maintenance[0].from',
  ],
  [
    'a zone that there is not',
    { maintenance: [{ name: 'w', cron: '0 2 * * *', duration: '1h', timezone: 'Berlin' }] },
    'maintenance[0].timezone',
  ],
  ['a cron that is none', { maintenance: [{ name: 'w', cron: '0 25 * * *', duration: '1h' }] }, 'maintenance[0].cron'],
  ['a device that is not named', { dependencies: [{ name: 'd', devices: { device: 'a' } }] }, 'dependencies[0].on'],
])('a file with %s is refused with the path', (_what, content, path) => {
  const file = (): unknown => readAlerts(content);
  expect(file).toThrow(MistakesError);
  try {
    file();
  } catch (error) {
    expect((error as MistakesError).mistakes.map(({ field }) => field)).toContain(path);
  }
});

it('of two who change one thing the second is refused, where they say what they have read', async () => {
  const path = `${RULES}/Shared`;
  const rule = (above: number) => ({ select: { metric: 'noise' }, condition: { above } });
  const made = await server.send('PUT', path, rule(1), { 'if-none-match': '*' });
  expect([made.status, made.headers.get('etag')]).toEqual([200, made.body.etag]);
  expect((await server.send('PUT', path, rule(2), { 'if-none-match': '*' })).status).toBe(412);
  const { etag } = (await rules()).find(({ name }) => name === 'Shared');
  expect(etag).toBe(made.body.etag);
  const answers = await Promise.all(
    [2, 3, 4].map((above) => server.send('PUT', path, rule(above), { 'if-match': `W/${etag}` })),
  );
  expect(answers.map(({ status }) => status).sort()).toEqual([200, 412, 412]);
  expect(answers.find(({ status }) => status === 412)?.body).toMatchObject({
    type: 'urn:device-metrics:problem:changed-meanwhile',
    detail: expect.stringContaining('Somebody else has changed it meanwhile'),
  });
  expect((await server.send('DELETE', path, undefined, { 'if-match': etag })).status).toBe(412);
  expect((await server.send('PUT', path, rule(5))).status).toBe(200);
  expect((await server.send('PUT', path, rule(6), { 'if-match': '*' })).status).toBe(200);
  const { body } = await server.send('PUT', path, rule(7));
  expect((await server.send('DELETE', path, undefined, { 'if-match': `"x", ${body.etag}` })).status).toBe(204);
  expect((await server.send('PUT', path, rule(8), { 'if-match': '*' })).body.detail).toContain('deleted');
  // A default is there before anybody has written it.
  const one = (await rules()).find(({ origin }) => origin === 'default');
  const changed = { ...one.document, enabled: false };
  const known = await server.send('PUT', `${RULES}/${one.name}`, changed, { 'if-match': one.etag });
  expect(known.status).toBe(200);
  expect((await server.send('PUT', `${RULES}/${one.name}`, changed, { 'if-match': one.etag })).status).toBe(412);
  await server.send('DELETE', `${RULES}/${one.name}`);
});

it('a cron that never comes is refused in one sentence', async () => {
  const { status, body } = await server.send('PUT', '/api/v1/alerts/maintenance/never', {
    cron: '0 0 30 2 *',
    duration: '1h',
  });
  expect([status, body.errors[0].field]).toEqual([400, 'cron']);
  expect(body.errors[0].reason).toMatch(/^must be a cron expression .* got "0 0 30 2 \*": No execution date [^\n]*$/);
});

it('an export is imported again as it was, and an import with a mistake writes nothing', async () => {
  const rule = { select: { metric: 'hw.temperature', tag: 'room=lab' }, condition: { above: 30 }, for: '10m' };
  expect((await server.send('PUT', `${RULES}/Warm`, rule)).status).toBe(200);
  const { body: text } = await server.get('/api/v1/alerts/export');
  const own = stringify({ rules: parse(text).rules.filter(({ name }: any) => name === 'Warm') });
  await server.send('DELETE', `${RULES}/Warm`);
  expect((await importText(own)).body).toEqual({ written: 1 });
  expect((await rules()).find(({ name }) => name === 'Warm').document).toMatchObject(rule);
  const { status, body } = await importText(
    'rules: [{name: New, select: {metric: m}, condition: {above: 1}}, {name: Bad}]',
  );
  expect(status).toBe(400);
  expect(body.errors.map(({ field }: any) => field)).toEqual(
    expect.arrayContaining([expect.stringMatching(/^rules\[1\]/)]),
  );
  expect((await rules()).some(({ name }) => name === 'New')).toBe(false);
});

it('a secret is of a variable that is meant for alerts; a test says that it is one', async () => {
  const channel = { type: 'gotify', url: 'http://127.0.0.1:8080' };
  for (const token of ['${HOME}', 'file:/etc/passwd', 'file:../key']) {
    const { status, body } = await server.send('PUT', '/api/v1/alerts/channels/x', { ...channel, token });
    expect([status, body.detail]).toEqual([400, expect.stringContaining(`token must name a variable`)]);
    expect(body.detail).toContain(JSON.stringify(token));
  }
  expect((await server.send('POST', '/api/v1/alerts/channels/hook/test')).status).toBe(204);
  const test = heard.findIndex(({ kind }) => kind === 'test');
  expect(heard.splice(test, 1)).toMatchObject([{ title: 'INFO (test): Test – messages of this channel arrive' }]);
});

it('a channel to a port that no message can go to is refused when it is saved, and not at its test', async () => {
  const url = 'http://127.0.0.1:4190/hook';
  const reason =
    'must have a port that web requests may go to, such as 443, 8080 or any above 10080, got port 4190, which is kept for another service';
  const saved = await server.send('PUT', '/api/v1/alerts/channels/x', { type: 'webhook', url });
  expect([saved.status, saved.body.errors]).toEqual([400, [{ field: 'url', reason }]]);
  const imported = await importText(stringify({ channels: [{ name: 'x', type: 'alertmanager', url }] }));
  expect([imported.status, imported.body.errors]).toEqual([400, [{ field: 'channels[0].url', reason }]]);
});

it('a silence whose end is over is refused, with its end and the time', async () => {
  const path = '/api/v1/alerts/silences/late';
  const until = '2026-01-15T10:00:00Z';
  const { status, body } = await server.send('PUT', path, { select: { device: 'a' }, until });
  expect([status, body.errors]).toEqual([
    400,
    [{ field: 'until', reason: expect.stringMatching(/^must be later than now, 20\S+Z, got "2026-01-15T10:00:00Z"$/) }],
  ]);
  expect((await server.get('/api/v1/alerts/silences')).body.items).toEqual([]);
  const later = new Date(Date.now() + 3_600_000).toISOString();
  expect((await server.send('PUT', path, { select: { device: 'a' }, until: later })).status).toBe(200);
  expect((await server.send('DELETE', path)).status).toBe(204);
});

it('a maintenance window that is over is refused, and one that is not is taken', async () => {
  const path = '/api/v1/alerts/maintenance/late';
  const put = (wish: object): Promise<Answer> => server.send('PUT', path, { select: { device: 'a' }, ...wish });
  const [from, until] = ['2026-01-15T10:00:00Z', '2026-01-15T12:00:00Z'];
  const over = await put({ from, until });
  const reason = expect.stringMatching(/^must be later than now, 20\S+Z, got "2026-01-15T12:00:00Z"$/);
  expect([over.status, over.body.errors]).toEqual([400, [{ field: 'until', reason }]]);
  const short = await put({ from, for: '2h' });
  expect([short.status, short.body.errors]).toEqual([
    400,
    [{ field: 'for', reason: expect.stringContaining('must end in the future: until must be later than now') }],
  ]);
  expect((await server.get('/api/v1/alerts/maintenance')).body.items).toEqual([]);
  const later = new Date(Date.now() + 3_600_000).toISOString();
  for (const wish of [
    { from, until: later },
    { for: '1h' },
    { weekly: { days: ['tue'], at: '22:00' }, duration: '1h' },
  ]) {
    expect((await put(wish)).status).toBe(200);
  }
  expect((await server.send('DELETE', path)).status).toBe(204);
});

it('what another version has saved and this one cannot use is listed with the reason, changed and deleted', async () => {
  const settings = { DATABASE_PATH: join(folder.path, 'upgraded.db') };
  const server = await Server.start(settings);
  const put = (name: string, url: string, more: object = {}): Promise<Answer> =>
    server.send('PUT', `/api/v1/alerts/channels/${name}`, { type: 'alertmanager', url, ...more });
  expect((await put('old', 'http://127.0.0.1:8080', { password: 'hush' })).status).toBe(200);
  expect((await server.send('PUT', '/api/v1/alerts/silences/odd', { select: { device: 'a' }, for: '1h' })).status).toBe(
    200,
  );
  await server.stop();
  const database = openDatabase(settings.DATABASE_PATH);
  database.exec(
    `UPDATE alert_document SET body = replace(replace(body, ':8080', ':4190'), '"device":"a"', '"devise":"a"')`,
  );
  database.close();
  const later = await Server.start(settings);
  const channels = async (): Promise<any[]> => (await later.get('/api/v1/alerts/channels')).body.items;
  const failure = expect.stringContaining('url must have a port that web requests may go to');
  expect(await channels()).toEqual([
    {
      name: 'old',
      origin: 'database',
      document: { name: 'old', type: 'alertmanager', url: 'http://127.0.0.1:4190', password: '********' },
      failure,
      unusable: true,
      etag: expect.any(String),
    },
  ]);
  expect((await later.get('/api/v1/alerts/silences')).body.items).toMatchObject([
    { name: 'odd', unusable: true, failure: expect.stringContaining('select.devise is unknown') },
  ]);
  const { status, body } = await later.send('POST', '/api/v1/alerts/channels/old/test');
  expect([status, body.detail]).toEqual([502, expect.stringContaining('cannot be used: url must have a port')]);
  const given = { type: 'alertmanager', url: 'http://127.0.0.1:8080', password: 'hush' };
  expect((await later.send('PUT', '/api/v1/alerts/channels/old', given)).status).toBe(200);
  expect((await channels())[0]).not.toHaveProperty('unusable');
  expect((await later.send('DELETE', '/api/v1/alerts/silences/odd')).status).toBe(204);
  expect((await later.get('/api/v1/alerts/silences')).body.items).toEqual([]);
  await later.stop();
});

it('a message has links that acknowledge and silence without signing in; a GET only asks, and a changed link does nothing', async () => {
  const noise = { device_name: 'siren', metric_name: 'noise', value: 5 };
  await server.post('/api/v1/aggregator/metrics', noise);
  while (heard.length === 0) await once(receiver, 'heard');
  const [{ alerts, ...message }] = heard;
  const text = JSON.stringify({ alerts, ...message });
  const links = [...text.matchAll(/http:\/\/127\.0\.0\.1:1(\/api\/v1\/alerts\/act\/[\w.-]+)/g)].map(
    ([, path]) => path!,
  );
  expect(links.length).toBeGreaterThanOrEqual(2);
  const state = async (): Promise<any> => (await server.get('/api/v1/alerts')).body.alerts[0];
  const [acknowledge, silence] = links as [string, string];

  const asked = async (query: string): Promise<unknown[]> => {
    const { body } = await server.get(`/api/v1/alerts?${query}`);
    return [body.alerts.map(({ rule }: any) => rule), body.count, body.groups];
  };
  const group = { rule: 'Of the file', state: 'alerting', severity: 'warning', count: 1 };
  for (const query of ['', 'state=alerting&state=pending&limit=1', 'rule=Of%20the%20file&device_name=siren']) {
    expect(await asked(query)).toEqual([['Of the file'], 1, [group]]);
  }
  for (const query of ['state=pending', 'rule=other', 'device_name=other']) {
    expect(await asked(query)).toEqual([[], 0, []]);
  }
  for (const [query, reason] of [
    ['state=loud', 'state must be of pending, alerting, recovering, normal, no_data, error, got "loud"'],
    ['limit=0', 'limit must be an integer from 1 to 10000, got "0"'],
    ['rule=', 'rule must be a text of 1 to 255 characters, got ""'],
  ] as const) {
    const { status, body } = await server.get(`/api/v1/alerts?${query}`);
    expect([status, body.detail]).toEqual([400, expect.stringContaining(reason)]);
  }

  const page = await server.get(acknowledge);
  expect([page.status, page.body]).toEqual([200, expect.stringContaining('Of the file')]);
  expect((await state()).acknowledged_by).toBeNull();
  const form = { 'content-type': 'application/x-www-form-urlencoded' };
  expect((await server.post(acknowledge, '', form)).status).toBe(200);
  expect((await state()).acknowledged_by).toBe('a link of a message');
  expect((await server.post(silence, '', form)).status).toBe(200);
  expect((await server.get('/api/v1/alerts/silences')).body.items).toHaveLength(1);
  const changed = acknowledge.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A'));
  expect((await server.post(changed, '', form)).status).toBe(410);

  // Used again, it changes nothing; when all is over, it says so.
  await server.post(`/api/v1/alerts/${(await state()).id as string}/acknowledge`, { comment: 'mine' });
  const by = (await state()).acknowledged_by;
  for (const link of [acknowledge, silence]) expect((await server.post(link, '', form)).status).toBe(200);
  expect(await state()).toMatchObject({ acknowledged_by: by, comment: 'mine' });
  expect((await server.get('/api/v1/alerts/silences')).body.items).toHaveLength(1);
  await server.post('/api/v1/aggregator/metrics', { ...noise, value: 0 });
  while ((await state()) !== undefined) await new Promise((resolve) => setTimeout(resolve, 500));
  for (const link of [acknowledge, silence]) {
    expect((await server.get(link)).body).toContain('is open any more');
    expect((await server.post(link, '', form)).body).toContain('is open any more');
  }
});

it('who is limited to some devices does not learn how much there is of others', async () => {
  const limited = (await server.post('/api/v1/tokens', { kind: 'read', name: 'lab', tags: { room: 'lab' } })).body;
  const history = async (headers = {}): Promise<any> =>
    (await server.get('/api/v1/alerts/history?limit=1', headers)).body;
  expect(await history()).toMatchObject({ changes: [{ device_name: 'siren' }], next_before: expect.any(Number) });
  expect(await history({ authorization: `Bearer ${limited.token}` })).toEqual({ changes: [] });
});
