import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { HOUR } from '@device-metrics/domain';
import { expect, it } from '@jest/globals';
import { dataSourceOptions, openAlertStore } from '@device-metrics/storage';
import { DataSource } from 'typeorm';
import { temporaryFolder } from '../server.js';

const KILLS = process.env['DEVICE_METRICS_LONG'] ? 100 : 2;
const ALERTS = process.env['DEVICE_METRICS_LONG'] ? 200 : 40;

it(`each change of ${ALERTS} alerts is told over kills, to a receiver that fails every third call, at most one twice for each kill`, async () => {
  const folder = await temporaryFolder();
  const path = join(folder.path, 'metrics.db');
  const taken: string[] = [];
  let calls = 0;
  let isWell = false;
  const receiver = createServer((request, response) => {
    request.resume().on('end', () => {
      calls += 1;
      if (!isWell && calls % 3 === 0) return void response.writeHead(503).end();
      taken.push(String(request.headers['idempotency-key']));
      response.end();
    });
  });
  receiver.listen(0, '127.0.0.1');
  await once(receiver, 'listening');
  const url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/`;
  // The same for all, also where an hour ends meanwhile.
  const begun = String(Math.floor(Date.now() / HOUR) * HOUR - 24 * HOUR);
  const start = (...more: string[]) =>
    spawn(process.execPath, [join(import.meta.dirname, 'site.mjs'), path, url, begun, String(ALERTS), ...more], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
  for (let kill = 0; kill < KILLS; kill += 1) {
    const site = start();
    const lines = createInterface(site.stdout);
    // The first lives until there is something to lose, however slow it is.
    for (let turns = kill === 0 ? 4 : 0; turns >= 0; turns -= 1) await once(lines, 'line');
    await sleep(300 + Math.random() * 900);
    site.kill('SIGKILL');
    await once(site, 'exit');
  }
  isWell = true;
  const last = start('drain');
  last.stdout.resume();
  expect(await once(last, 'exit')).toEqual([0, null]);

  const dataSource = await new DataSource(dataSourceOptions(path)).initialize();
  const store = openAlertStore(dataSource);
  const messages = await store.messages({ limit: 1_000_000 });
  const history = await store.history({ limit: 1_000_000 });
  await dataSource.destroy();
  receiver.close();
  await folder.remove();

  // Each beginning and each end that history has is in a message.
  const said = { firing: new Set<string>(), ended: new Set<string>() };
  for (const { body } of messages) {
    const { firing, ended } = body as Record<'firing' | 'ended', { id: string }[]>;
    for (const { id } of firing) said.firing.add(id);
    for (const { id } of ended) said.ended.add(id);
  }
  const changes = history.map(({ body }) => body as { from: string; to: string; episode: string });
  expect(changes.length).toBeGreaterThan(ALERTS);
  for (const { to, episode } of changes) expect((to === 'alerting' ? said.firing : said.ended).has(episode)).toBe(true);
  // Every message has arrived, and what arrived twice, at most once for each kill.
  expect(messages.filter(({ state }) => state !== 'sent')).toEqual([]);
  expect(new Set(taken)).toEqual(new Set(messages.map(({ key }) => key)));
  expect(taken.length - messages.length).toBeLessThanOrEqual(KILLS);
}, 3_000_000);
