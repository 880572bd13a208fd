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
});
afterAll(async () => {
  await server.stop();
  await folder.remove();
});

const invite = async (wish: object = {}): Promise<{ id: string; code: string; command: string }> =>
  (await server.post('/api/v1/invitations', wish)).body;
const joinAs = async (device_name: string, code?: string, more: object = {}): Promise<Answer> =>
  server.post('/api/v1/collectors/join', { code: code ?? (await invite()).code, device_name, ...more });
const send = (token: string, device: string, value = 1): Promise<Answer> =>
  server.post('/api/v1/aggregator/metrics/batch', [{ device_name: device, metric_name: 'm', value }], {
    authorization: `Bearer ${token}`,
  });
const decide = (id: string, decision: object): Promise<Answer> =>
  server.post(`/api/v1/collectors/${id}/decision`, decision);
const latest = async (device: string): Promise<number | undefined> =>
  (await server.get(`/api/v1/reports/latest?device_name=${device}`)).body.samples[0]?.value;

describe('an invitation', () => {
  it('lets exactly as many collectors join as it allows, however many try at once', async () => {
    const { code } = await invite({ uses: 3 });
    const statuses = await Promise.all(
      Array.from({ length: 20 }, async (_, n) => (await joinAs(`pc-${n}`, code, {})).status),
    );
    expect(statuses.filter((status) => status === 201)).toHaveLength(3);
    expect(statuses.filter((status) => status === 403)).toHaveLength(17);
    const { collectors } = (await server.get('/api/v1/collectors')).body;
    expect(collectors).toHaveLength(3);
    await server.stop();
    server = await Server.start(database());
  });

  it('is refused late, revoked, used up or wrong; typed in any way that can be read it is right', async () => {
    const late = await invite({ expires_in: '1ms' });
    await sleep(5);
    expect((await joinAs('late', late.code)).status).toBe(403);
    const revoked = await invite();
    expect((await server.send('DELETE', `/api/v1/invitations/${revoked.id}`)).status).toBe(204);
    expect((await joinAs('revoked', revoked.code)).status).toBe(403);
    expect(await joinAs('wrong', 'AAAA-BBBB-CCCC-DDDD')).toMatchObject({ status: 403 });
    expect((await joinAs('wrong', 'x')).status).toBe(403);
    const { code } = await invite();
    expect(code).toMatch(/^([0-9A-HJKMNP-TV-Z]{4}-){3}[0-9A-HJKMNP-TV-Z]{4}$/);
    const typed = code.toLowerCase().replaceAll('-', ' ').replaceAll('0', 'o').replaceAll('1', 'l');
    expect((await joinAs('typed', typed)).status).toBe(201);
    expect((await joinAs('again', code)).status).toBe(403);
    const { invitations } = (await server.get('/api/v1/invitations')).body;
    expect(new Set(invitations.map(({ state }: { state: string }) => state))).toEqual(
      new Set(['used', 'expired', 'revoked']),
    );
    expect(JSON.stringify(invitations)).not.toContain(code.slice(0, 9));
  });

  it('cannot be guessed: after 20 wrong codes nobody of that address gets on', async () => {
    const answers: number[] = [];
    for (let n = 0; n < 25; n += 1) answers.push((await joinAs('guess', 'AAAA-BBBB-CCCC-DDDD')).status);
    const refused = await joinAs('guess', (await invite()).code);
    expect(answers).toContain(429);
    expect([refused.status, Number(refused.headers.get('retry-after'))]).toEqual([429, expect.any(Number)]);
    await server.stop();
    server = await Server.start(database());
  });

  it('gives the devices that join its tags, once, and none that they have', async () => {
    const { code } = await invite({ tags: { room: 'lab', owner: 'me' } });
    const { token } = (await joinAs('tagged', code)).body;
    await send(token, 'tagged');
    const tags = async (): Promise<unknown> => (await server.get('/api/v1/devices/tagged')).body.tags;
    expect(await tags()).toEqual({ room: 'lab', owner: 'me' });
    await server.send('PATCH', '/api/v1/devices/tagged', { tags: { owner: null } });
    await send(token, 'tagged');
    expect(await tags()).toEqual({ room: 'lab' });
  });

  it('is made on the command line too, with the line to run', async () => {
    const lines = await Server.command(['invite', '--uses', '2', '--url', 'http://127.0.0.1:3000'], database());
    const code = /^Code (\S+), for 2 collectors/.exec(lines[0] ?? '')?.[1];
    expect(lines.at(-1)).toBe(`node apps/collector/dist/main.js join http://127.0.0.1:3000 --code ${code}`);
    expect((await joinAs('by-command', code)).status).toBe(201);
  });
});

describe('a collector', () => {
  it('sends of its own device and of those that it has said it reads, and of no other', async () => {
    const { token } = (await joinAs('own', undefined, { devices: ['its-ups'] })).body;
    expect((await send(token, 'own')).status).toBe(200);
    expect((await send(token, 'its-ups')).status).toBe(200);
    const refused = await send(token, 'elsewhere');
    expect([refused.status, refused.body.rejected[0].field]).toEqual([400, 'device_name']);
    const authorization = { authorization: `Bearer ${token}` };
    const news = await server.send(
      'PUT',
      '/api/v1/collectors/self',
      { devices: ['elsewhere', 'typed'] },
      authorization,
    );
    expect(news.body).toMatchObject({
      devices: ['elsewhere', 'its-ups', 'own'],
      refused: [{ device_name: 'typed', reason: 'belongs to another collector, typed' }],
    });
    expect((await send(token, 'elsewhere')).status).toBe(200);
    expect((await send(token, 'typed')).status).toBe(400);
  });

  it('of a name that somebody sends who has not joined is in conflict; such devices are given by a new code alone', async () => {
    for (const device of ['unjoined', 'its-switch']) {
      const sample = { device_name: device, metric_name: 'm', value: 1 };
      await server.post('/api/v1/aggregator/metrics', sample);
    }
    const { token, id } = (await joinAs('thief')).body;
    const authorization = { authorization: `Bearer ${token}` };
    const wish = { devices: ['its-switch', 'unjoined'] };
    const { body } = await server.send('PUT', '/api/v1/collectors/self', wish, authorization);
    expect(body.devices).toEqual(['thief']);
    expect(body.refused[0]).toEqual({
      device_name: 'its-switch',
      reason: expect.stringMatching(/^has samples of somebody who has not joined/),
    });
    expect((await send(token, 'its-switch', 2)).status).toBe(400);
    const again = (await joinAs('thief', undefined, { ...wish, previous_token: token })).body;
    expect([again.id, again.devices]).toEqual([id, ['its-switch', 'thief', 'unjoined']]);

    await server.post('/api/v1/aggregator/metrics', { device_name: 'free', metric_name: 'm', value: 1 });
    const second = (await joinAs('free')).body;
    expect(second.state).toBe('conflict');
    expect((await send(second.token, 'free', 2)).status).toBe(409);
    expect((await decide(second.id, { decision: 'same' })).status).toBe(200);
    expect((await send(second.token, 'free', 2)).status).toBe(200);
  });

  it('that sent with a token before it joined is no other: the token shows it', async () => {
    const tokenFor = async (devices: string[]): Promise<string> =>
      (await server.post('/api/v1/tokens', { kind: 'ingest', name: 'before', devices })).body.token;
    const [own, foreign] = [await tokenFor(['early*']), await tokenFor(['other'])];
    expect((await send(own, 'early')).status).toBe(200);
    const without = (await joinAs('early', undefined, { previous_token: foreign })).body;
    expect(without.state).toBe('conflict');
    const joined = (await joinAs('early', undefined, { previous_token: own })).body;
    expect([joined.state, joined.devices]).toEqual(['active', ['early']]);
    expect((await send(joined.token, 'early', 2)).status).toBe(200);
  });

  it('of a name that another has is told so, until an admin says that it is a new device', async () => {
    const first = (await joinAs('vm')).body;
    await send(first.token, 'vm', 1);
    const second = (await joinAs('vm')).body;
    expect(second).toMatchObject({ state: 'conflict', device_name: 'vm', devices: [] });
    const refused = await send(second.token, 'vm', 2);
    expect(refused).toMatchObject({ status: 409, body: { type: 'urn:device-metrics:problem:collector-conflict' } });
    expect(await latest('vm')).toBe(1);

    expect((await decide(second.id, { decision: 'new' })).status).toBe(400);
    expect((await decide(second.id, { decision: 'new', device_name: 'vm' })).status).toBe(409);
    expect((await decide(second.id, { decision: 'new', device_name: 'vm-2' })).body).toMatchObject({
      state: 'active',
      name: 'vm',
      device_name: 'vm-2',
    });
    expect((await decide(second.id, { decision: 'same' })).status).toBe(409);
    expect((await send(second.token, 'vm', 2)).status).toBe(200);
    expect([await latest('vm'), await latest('vm-2')]).toEqual([1, 2]);
    expect((await send(first.token, 'vm-2')).status).toBe(400);
  });

  it('that has moved to another machine goes on there, and the one before is let go', async () => {
    const first = (await joinAs('box', undefined, { devices: ['box-ups'] })).body;
    await send(first.token, 'box', 1);
    const second = (await joinAs('box')).body;
    expect((await decide(second.id, { decision: 'same' })).body).toMatchObject({
      state: 'active',
      devices: ['box', 'box-ups'],
    });
    expect((await send(second.token, 'box', 2)).status).toBe(200);
    expect(await latest('box')).toBe(2);
    expect((await send(first.token, 'box', 3)).status).toBe(401);
  });

  it('that joins again with the token it had is the same one', async () => {
    const first = (await joinAs('again')).body;
    const second = (await joinAs('again', undefined, { previous_token: first.token })).body;
    expect([second.id, second.state]).toEqual([first.id, 'active']);
    expect((await send(first.token, 'again')).status).toBe(401);
    expect((await send(second.token, 'again')).status).toBe(200);
    const forged = (
      await joinAs('again', undefined, {
        previous_token: `${second.token.slice(0, -1)}${second.token.endsWith('A') ? 'B' : 'A'}`,
      })
    ).body;
    expect(forged.state).toBe('conflict');
  });

  it('that is revoked, or has left, is refused with 401, and goes on after it has joined again', async () => {
    const first = (await joinAs('leaver')).body;
    expect((await send(first.token, 'leaver')).status).toBe(200);
    expect((await server.send('DELETE', `/api/v1/collectors/${first.id}`)).status).toBe(204);
    expect((await send(first.token, 'leaver')).status).toBe(401);
    const second = (await joinAs('leaver')).body;
    expect(second.state).toBe('active');
    expect((await send(second.token, 'leaver')).status).toBe(200);
    const left = await server.send('DELETE', '/api/v1/collectors/self', undefined, {
      authorization: `Bearer ${second.token}`,
    });
    expect([left.status, (await send(second.token, 'leaver')).status]).toEqual([204, 401]);
    const { entries } = (await server.get('/api/v1/audit?limit=100')).body;
    const actions = entries.filter((entry: any) => entry.target === 'leaver').map((entry: any) => entry.action);
    expect(actions).toEqual(['collector.leave', 'collector.join', 'collector.revoke', 'collector.join']);
  });
});
