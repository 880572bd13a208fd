import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer, type Server as HttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { parse, stringify } from 'yaml';
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
  const channel = { type: 'gotify', url: 'http://127.0.0.1:9' };
  for (const token of ['${HOME}', 'file:/etc/passwd', 'file:../key']) {
    const { status, body } = await server.send('PUT', '/api/v1/alerts/channels/x', { ...channel, token });
    expect([status, body.detail]).toEqual([400, expect.stringContaining(`token must name a variable`)]);
    expect(body.detail).toContain(JSON.stringify(token));
  }
  expect((await server.send('POST', '/api/v1/alerts/channels/hook/test')).status).toBe(204);
  const test = heard.findIndex(({ kind }) => kind === 'test');
  expect(heard.splice(test, 1)).toMatchObject([{ title: 'INFO (test): Test – messages of this channel arrive' }]);
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

  const asked = await server.get(acknowledge);
  expect([asked.status, asked.body]).toEqual([200, expect.stringContaining('Of the file')]);
  expect((await state()).acknowledged_by).toBeNull();
  const form = { 'content-type': 'application/x-www-form-urlencoded' };
  expect((await server.post(acknowledge, '', form)).status).toBe(200);
  expect((await state()).acknowledged_by).toBe('a link of a message');
  expect((await server.post(silence, '', form)).status).toBe(200);
  expect((await server.get('/api/v1/alerts/silences')).body.items).toHaveLength(1);
  const changed = acknowledge.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A'));
  expect((await server.post(changed, '', form)).status).toBe(410);
}, 90_000);
