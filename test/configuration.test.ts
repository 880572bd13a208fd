import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { Server } from '../apps/api/test/server.js';
import { answer, CollectorProcess, TestFolder, TestServer, until } from '../apps/collector/test/harness.js';

const folder = new TestFolder();
let device: TestServer;
let api: Server;
let collector: CollectorProcess;
const MAPPING = '{"metric_name": "count", "value": count}';
const OWN = `pc: false\napi: false\nremote: { secrets: [PASSWORD] }\nthird_party:\n`;
const read = (name: string, more = ''): string =>
  `  - { protocol: http-json, device: ${name}, url: '${device.url}/${name}', mapping: '${MAPPING}', interval: 100ms${more} }\n`;
const thirdParty = (...entries: string[]): string => `third_party:\n${entries.join('')}`;

beforeAll(async () => {
  device = await new TestServer((request, response) => {
    const isAllowed = request.url !== '/locked' || request.headers.authorization === 'Bearer pa55word';
    answer(response, isAllowed ? 200 : 401, { count: 1 });
  }).start();
  folder.write('collector.yaml', OWN + read('own'));
  const settings = { DATABASE_PATH: folder.file('api/metrics.db') };
  api = await Server.start(settings);
  const { code } = (await api.post('/api/v1/invitations', { tags: { room: 'lab' } })).body;
  const join = new CollectorProcess(folder, {}, 'join', api.url, '--code', code);
  expect(await join.ended).toBe(0);
  collector = start();
  await sends('own');
});
afterAll(async () => {
  expect(await collector.stop()).toBe(0);
  await api.stop();
  await device.stop();
  folder.remove();
});

const SECRETS = { PASSWORD: 'pa55word', OTHER: 'hidden-value' };
const start = (): CollectorProcess =>
  new CollectorProcess(folder, { COLLECT_INTERVAL: '200ms', REMOTE_INTERVAL: '1s', ...SECRETS });
const count = async (name: string): Promise<number> =>
  (await api.get(`/api/v1/reports/metrics/${name}?metric_name=count`)).body.series?.[0]?.samples?.length ?? 0;
const sends = async (name: string): Promise<void> => {
  const before = await count(name);
  await until(
    async () => (await count(name)) > before,
    () => collector.output,
  );
};
const write = (tag: string, text: string, version = 0): ReturnType<Server['send']> =>
  api.send('PUT', `/api/v1/configurations/${encodeURIComponent(tag)}`, { text, version });
const standing = async (): Promise<any> => (await api.get('/api/v1/configurations')).body.collectors[0];
const comesTo = (state: string): Promise<void> =>
  until(
    async () => (await standing()).state === state,
    () => collector.output,
  );
const preview = async (wish: object = {}): Promise<any> =>
  (await api.post('/api/v1/configurations/preview', { device_name: 'test-pc', ...wish })).body;

it('is checked by the rules of the file before it is written', async () => {
  const { status, body } = await write(
    'room=lab',
    `${thirdParty(read('rack'))}  - { protocol: snmp, device: x }\npcc: true\n`,
  );
  expect(status).toBe(400);
  expect(body.errors).toEqual([
    { field: 'third_party[1].host', reason: expect.stringMatching(/^is missing/) },
    { field: 'pcc', reason: expect.stringMatching(/^is not known here; did you mean "pc"/) },
  ]);
  expect((await write('all', 'update: auto')).body.errors).toMatchObject([{ field: 'update' }]);
  expect((await write('all', 'a: [')).body.errors).toMatchObject([{ field: 'line 1, column 5' }]);
  expect((await write('lab', '')).body.errors).toMatchObject([{ field: 'tag' }]);
  expect((await api.get('/api/v1/configurations')).body.configurations).toEqual([]);
});

it('comes to the devices of its tag, beside what their own file says, with secrets of the PC', async () => {
  const text = thirdParty(read('locked', ', token: "${PASSWORD}"'));
  expect(await preview({ tag: 'room=lab', text })).toMatchObject({ tags: ['room=lab'], text, errors: [] });
  expect(await preview()).toMatchObject({ tags: [], text: '', errors: [] });
  expect((await write('room=lab', text)).status).toBe(200);
  expect((await write('room=attic', thirdParty(read('elsewhere')))).status).toBe(200);
  await comesTo('current');
  await sends('locked');
  await sends('own');
  expect(await count('elsewhere')).toBe(0);
  const [entry] = (await api.get('/api/v1/audit?limit=100')).body.entries.filter(
    ({ action }: any) => action === 'configuration.change',
  );
  expect(entry).toMatchObject({ target: 'room=attic', success: true });
});

it('that is wrong for this PC is refused there with the reason, and the last good one goes on, after a restart too', async () => {
  const command = '  - { protocol: command, device: evil, command: [touch, /tmp/evil] }\n';
  const other = read('leak', ', token: "${OTHER}"');
  const text = thirdParty(command, other);
  expect((await preview({ tag: 'all', text })).errors).toEqual([
    { field: 'third_party[1].token', reason: expect.stringMatching(/^\$\{OTHER\} is not allowed to the api/) },
    { field: 'third_party[0].protocol', reason: expect.stringMatching(/^must not be command: remote\.commands/) },
  ]);
  expect((await write('all', text)).status).toBe(200);
  await comesTo('refused');
  const { reason, running } = await standing();
  expect(reason).toMatch(/^third_party\[1\]\.token: .*; third_party\[0\]\.protocol: must not be command/);
  expect(running).not.toBe('');
  expect(await collector.stop()).toBe(0);
  const status = new CollectorProcess(folder, SECRETS, 'status');
  expect(await status.ended).toBe(0);
  expect(status.output).toMatch(
    new RegExp(`configured +by \\S+ and the configuration ${running} .* is refused: third_party`),
  );
  collector = start();
  await sends('locked');
  expect((await standing()).state).toBe('refused');
});

it('whose sources cannot be read at all is given back', async () => {
  const text = thirdParty(read('gone').replace(device.url, 'http://127.0.0.1:1'));
  expect((await write('all', text, 1)).status).toBe(200);
  await until(async () => (await standing()).reason.startsWith('no source that it starts can be read: gone: '));
  await sends('locked');
  const kept = JSON.parse(readFileSync(folder.file('instance/remote.json'), 'utf8'));
  expect(kept.version).toBe((await standing()).running);
  // With one that works beside it, it is a device that is away.
  expect((await write('all', text + read('there'), 2)).status).toBe(200);
  await comesTo('current');
  await sends('there');
  await sends('locked');
});

it('of two who change it at once the second is told, and what was is in the history', async () => {
  const late = await write('all', thirdParty(read('late')), 2);
  expect(late).toMatchObject({ status: 409, body: { type: 'urn:device-metrics:problem:configuration-changed' } });
  const { body } = await api.get('/api/v1/configurations/all');
  expect(body.history.map(({ version }: any) => version)).toEqual([3, 2, 1]);
  expect((await api.get('/api/v1/configurations/all/versions/1')).body.text).toContain('/tmp/evil');
  expect(await api.send('DELETE', '/api/v1/configurations/all')).toMatchObject({ status: 204 });
  expect(await api.send('DELETE', '/api/v1/configurations/all')).toMatchObject({ status: 404 });
  await comesTo('current');
  expect((await standing()).tags).toEqual(['room=lab']);
});

it('has no say any more once the file of the PC says so', async () => {
  folder.write('collector.yaml', `${OWN.replace(/remote: .*\n/, '')}${read('own')}`);
  await collector.says('ended: locked');
  await sends('own');
});
