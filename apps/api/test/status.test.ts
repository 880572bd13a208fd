import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { HOUR } from '@device-metrics/domain';
import { Server, temporaryFolder, type Answer } from './server.js';

const BATCH = '/api/v1/aggregator/metrics/batch';
const PAGE = { enabled: true, title: 'Laboratory', text: 'Ask it.', tags: ['public=yes'], names: 'display_name' };

let server: Server;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let editor: Record<string, string>;
let viewer: Record<string, string>;

beforeAll(async () => {
  folder = await temporaryFolder();
  server = await Server.start({ DATABASE_PATH: join(folder.path, 'metrics.db') });
  const now = Date.now();
  const run = (device_name: string, quiet?: readonly [number, number]) => ({
    device_name,
    metric_name: 'system.cpu.utilization',
    samples: Array.from({ length: 48 * 60 }, (_, minute) => [now - 48 * HOUR + minute * 60_000, 0.5]).filter(
      ([time = 0]) => !quiet || time < now - quiet[0] * HOUR || time >= now - quiet[1] * HOUR,
    ),
  });
  await server.post(BATCH, {
    metrics: [run('secret-host-1', [6, 3]), run('secret-host-2'), run('secret-host-3'), run('hidden')],
  });
  const describe = (name: string, change: object): Promise<Answer> =>
    server.send('PATCH', `/api/v1/devices/${name}`, change);
  await describe('secret-host-1', { display_name: 'Microscope', tags: { public: 'yes', room: 'vault' }, notes: 'n' });
  await describe('secret-host-2', { tags: { public: 'yes', room: 'vault' } });
  await describe('secret-host-3', { display_name: '<script>', tags: { public: 'yes', room: 'attic' } });
  const make = async (wish: object): Promise<Record<string, string>> => {
    const { token } = (await server.post('/api/v1/tokens', { name: 'n', ...wish })).body;
    return { authorization: `Bearer ${token}` };
  };
  viewer = await make({ kind: 'read' });
  editor = await make({ kind: 'admin' });
  // From now on nobody is somebody by being on this machine.
  await server.post('/api/v1/session/first-admin', { name: 'anna', password: 'correct horse battery' });
});
afterAll(async () => {
  await server.stop();
  await folder.remove();
});

const set = (page: object): Promise<Answer> => server.send('PUT', '/api/v1/status/page', page, editor);
const read = (headers = {}): Promise<Answer> => server.get('/api/v1/status', headers);

it('there is no page before an editor makes one, and only an editor may', async () => {
  expect((await read()).status).toBe(404);
  for (const [headers, status] of [
    [{}, 401],
    [viewer, 403],
  ] as const) {
    expect((await server.send('PUT', '/api/v1/status/page', PAGE, headers)).status).toBe(status);
    expect((await server.get('/api/v1/status/page', headers)).status).toBe(status);
    expect((await server.get('/api/v1/status/incidents', headers)).status).toBe(status);
    const incident = { title: 'x', state: 'identified' };
    expect((await server.send('POST', '/api/v1/status/incidents', incident, headers)).status).toBe(status);
  }
  expect((await read()).status).toBe(404);
});

it('shows everybody the chosen devices as they are called there, their days, and nothing else', async () => {
  expect((await set(PAGE)).status).toBe(200);
  const { status, body } = await read();
  expect(status).toBe(200);
  expect(body.lines.map(({ name }: any) => name)).toEqual(['<script>', 'Device 1', 'Microscope']);
  const text = JSON.stringify(body);
  for (const leak of ['secret-host', 'hidden', 'vault', 'attic', 'public', 'system.cpu']) {
    expect([leak, text.includes(leak)]).toEqual([leak, false]);
  }
  const microscope = body.lines[2];
  expect(microscope.days).toHaveLength(90);
  expect(microscope.days[0].percent).toBeNull();
  const known = microscope.days.filter(({ percent }: any) => percent !== null);
  expect(known.length).toBeGreaterThanOrEqual(2);
  // Three of 48 hours, as the report of availability has it.
  expect(microscope.percent).toBeGreaterThan(92);
  expect(microscope.percent).toBeLessThan(95);
  const { totals } = (await server.get('/api/v1/reports/availability?device_name=secret-host-1&time_range=72', viewer))
    .body;
  expect(microscope.percent).toBeCloseTo(totals[0].percent, 1);
  expect(body.lines[1].percent).toBeGreaterThan(99.8);
  expect(body.lines[1].state).toBe('up');
});

it('one line stands for all devices of a value of a tag, and a page without tags shows none', async () => {
  await set({ ...PAGE, names: 'tag:room' });
  expect((await read()).body.lines.map(({ name }: any) => name)).toEqual(['attic', 'vault']);
  await set({ ...PAGE, tags: ['public=yes', 'room=att*'] });
  expect((await read()).body.lines.map(({ name }: any) => name)).toEqual(['<script>']);
  await set({ ...PAGE, tags: [] });
  expect((await read()).body.lines).toEqual([]);
});

it('incidents are written by hand, updated, and end', async () => {
  await set(PAGE);
  const made = await server.send('POST', '/api/v1/status/incidents', { title: 'Switch', state: 'identified' }, editor);
  expect(made.status).toBe(201);
  const path = `/api/v1/status/incidents/${made.body.id}`;
  await server.send('PUT', path, { title: 'Switch', state: 'monitoring', text: 'A new one is in.' }, editor);
  expect((await read()).body.incidents).toMatchObject([
    { title: 'Switch', state: 'monitoring', ended: null, updates: [{ text: 'A new one is in.' }, { text: '' }] },
  ]);
  await server.send('PUT', path, { title: 'Switch', state: 'resolved' }, editor);
  const [incident] = (await read()).body.incidents;
  expect(incident.ended).toEqual(expect.any(String));
  expect(
    (await server.send('PUT', '/api/v1/status/incidents/x', { title: 'x', state: 'resolved' }, editor)).status,
  ).toBe(404);
  const { status, body } = await server.send('POST', '/api/v1/status/incidents', { title: '', state: 'bad' }, editor);
  expect([status, body.errors.map(({ field }: any) => field)]).toEqual([400, ['title', 'state']]);
  expect((await server.send('DELETE', path, undefined, editor)).status).toBe(204);
  expect((await read()).body.incidents).toEqual([]);
});

it('a password keeps others out; it is never shown, and another one ends what the first had opened', async () => {
  const enter = (password: string): Promise<Answer> => server.post('/api/v1/status/pass', { password });
  const { body } = await set({ ...PAGE, password: 'open sesame' });
  expect(body.password).toBe('********');
  expect((await read()).status).toBe(403);
  expect((await read({ 'x-status-pass': '99999999999999.AAAA' })).status).toBe(403);
  expect((await enter('open says me')).status).toBe(403);
  const { pass } = (await enter('open sesame')).body;
  expect((await read({ 'x-status-pass': pass })).status).toBe(200);
  await set({ ...PAGE, password: '********' });
  expect((await read({ 'x-status-pass': pass })).status).toBe(200);
  await set({ ...PAGE, password: 'another one' });
  expect((await read({ 'x-status-pass': pass })).status).toBe(403);
  for (let guess = 0; guess < 10; guess += 1) await enter('wrong');
  expect((await enter('another one')).status).toBe(429);
  await set({ ...PAGE, password: '' });
  expect((await read()).status).toBe(200);
});
