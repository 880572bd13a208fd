import { execFileSync } from 'node:child_process';
import { renameSync } from 'node:fs';
import { request } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { Server } from '../apps/api/test/server.js';
import { answer, CollectorProcess, LONG, TestFolder, TestServer, until } from '../apps/collector/test/harness.js';
import { freePort } from '../libs/storage/src/testing/free-port.mjs';

/** So many send while a token is rotated. */
const SENDERS = LONG ? 20 : 3;
const HELD_AT_MOST = 60_000;

let folder: TestFolder;
/** Counts its answers by path: each number must arrive exactly once. */
let device: TestServer;
let counts: Map<string, number>;
let api: Server;
let settings: Record<string, string>;
const folders: TestFolder[] = [];
const started: CollectorProcess[] = [];

beforeEach(async () => {
  folder = new TestFolder();
  counts = new Map();
  device = await new TestServer(({ url = '' }, response) => {
    const count = (counts.get(url) ?? 0) + 1;
    counts.set(url, count);
    answer(response, 200, { count });
  }).start();
  settings = { PORT: String(await freePort()), DATABASE_PATH: folder.file('api/metrics.db') };
});
afterEach(async () => {
  for (const collector of started.splice(0)) await collector.stop('SIGKILL');
  await api.stop();
  await device.stop();
  for (const one of [folder, ...folders.splice(0)]) one.remove();
});

/** A collector that reads the counter of its name. */
function collect(name: string, environment: Record<string, string>): CollectorProcess {
  const own = new TestFolder();
  folders.push(own);
  const mapping = '{"metric_name": "count", "value": count}';
  const source = `{ protocol: http-json, device: ${name}, url: '${device.url}/${name}', mapping: '${mapping}', timeout: 60s }`;
  own.write('collector.yaml', `pc: false\napi: false\nthird_party: [ ${source} ]\n`);
  const interval = LONG ? '500ms' : '200ms';
  const collector = new CollectorProcess(own, { API_URL: api.url, COLLECT_INTERVAL: interval, ...environment });
  started.push(collector);
  return collector;
}

const ask = (path: string): any =>
  JSON.parse(execFileSync('curl', ['-ks', api.url + path], { encoding: 'utf8' }) || 'null');
const reportOf = (name: string): string => `/api/v1/reports/metrics/${name}?metric_name=count`;
const numbersIn = (report: any): number[] =>
  ((report.series?.[0]?.samples ?? []) as [string, number][]).map(([, value]) => value);
const numbers = (name: string): number[] => numbersIn(ask(reportOf(name)));
const said = (): string => started.map(({ output }) => output).join('\n');
const isWithoutGap = (found: number[]): boolean => found.every((number, index) => number === index + 1);
/** Every number that a counter gave has arrived, but for the last few that are on their way, and none is missing before them. */
const isWhole = (name: string, more: number): boolean => {
  const found = numbers(name);
  return found.length >= more && isWithoutGap(found);
};

it('a token is rotated while many send: nothing is lost, and nothing waits for more than a minute', async () => {
  api = await Server.start(settings);
  const { id, token } = (await api.post('/api/v1/tokens', { kind: 'ingest', name: 'fleet' })).body;
  const file = folder.write('token', token);
  const names = Array.from({ length: SENDERS }, (_, n) => `counter-${n}`);
  for (const name of names) collect(name, { API_TOKEN_FILE: file });
  let longest = 0;
  /** The last number of each that has arrived. */
  const last = async (): Promise<Map<string, number>> => {
    const { samples } = (await api.get('/api/v1/reports/latest?metric_name=count')).body;
    for (const { timestamp } of samples) longest = Math.max(longest, Date.now() - Date.parse(timestamp));
    return new Map(samples.map((one: { device_name: string; value: number }) => [one.device_name, one.value]));
  };
  const arriveAll = async (): Promise<void> => {
    const before = await last();
    await until(async () => {
      await sleep(100);
      const now = await last();
      return names.every((name) => (now.get(name) ?? 0) >= (before.get(name) ?? 0) + 3);
    }, said);
  };
  await arriveAll();
  // With both secrets good for a while; the file is written later.
  const second = (await api.post(`/api/v1/tokens/${id}/rotate`, { overlap: '1h' })).body.token;
  await arriveAll();
  expect(said()).not.toContain('(401 ');
  folder.write('token.new', second);
  renameSync(folder.file('token.new'), file);
  // The first one ends: who still has it is refused, and reads the file again.
  const third = (await api.post(`/api/v1/tokens/${id}/rotate`, { overlap: '1h' })).body.token;
  await arriveAll();
  // What waited goes after what is new.
  for (const name of names) {
    await until(async () => isWithoutGap(numbersIn((await api.get(reportOf(name))).body)), said);
  }
  expect(longest).toBeLessThanOrEqual(HELD_AT_MOST);
  expect((await api.get('/api/v1/devices', { authorization: `Bearer ${token}` })).status).toBe(401);
  expect(third).not.toBe(second);
});

it('a certificate is renewed under load: no request fails', async () => {
  const [ca, cert, key] = ['ca', 'cert', 'key'].map((name) => folder.file(`${name}.pem`)) as [string, string, string];
  const openssl = (...args: string[]): unknown => execFileSync('openssl', args, { stdio: 'ignore' });
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  const caKey = folder.file('ca.key');
  openssl('req', '-x509', ...curve, '-subj', '/CN=authority', '-keyout', caKey, '-out', ca);
  const issue = (to: { cert: string; key: string }): void => {
    const [signing, names] = [folder.file('wish.pem'), folder.write('names', 'subjectAltName=IP:127.0.0.1\n')];
    openssl('req', ...curve, '-subj', '/CN=api', '-keyout', to.key, '-out', signing);
    openssl(
      'x509',
      '-req',
      '-in',
      signing,
      '-CA',
      ca,
      '-CAkey',
      caKey,
      '-CAcreateserial',
      '-extfile',
      names,
      '-out',
      to.cert,
    );
  };
  issue({ cert, key });
  api = await Server.start({ ...settings, TLS_CERT: cert, TLS_KEY: key });
  const trusted = { NODE_EXTRA_CA_CERTS: ca };
  collect('counter', trusted);
  await until(() => isWhole('counter', 3), said);

  // Every request on a connection of its own.
  const authority = execFileSync('cat', [ca], { encoding: 'utf8' });
  const failures: string[] = [];
  let asked = 0;
  let isOver = false;
  const load = async (): Promise<void> => {
    while (!isOver) {
      await new Promise<void>((resolve) => {
        const sent = request(`${api.url}/healthz`, { agent: false, ca: authority }, (response) => {
          if (response.statusCode !== 200) failures.push(String(response.statusCode));
          response.resume().once('end', resolve);
        });
        sent.once('error', (error) => (failures.push(error.message), resolve())).end();
      });
      asked += 1;
      await sleep(5);
    }
  };
  const loads = [load(), load()];
  issue({ cert: `${cert}.new`, key: `${key}.new` });
  // One after the other, as whoever renews them does.
  renameSync(`${key}.new`, key);
  await sleep(300);
  renameSync(`${cert}.new`, cert);
  await until(
    () => api.log.some((line) => line.includes('The certificate was renewed')),
    () => api.log.join('\n'),
  );
  const more = numbers('counter').length + 3;
  await until(() => isWhole('counter', more), said);
  // A busy machine asks little meanwhile.
  const enough = asked + 20;
  await until(() => asked > enough);
  isOver = true;
  await Promise.all(loads);
  expect(failures).toEqual([]);
});
