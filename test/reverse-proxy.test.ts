import { execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Server, temporaryFolder } from '../apps/api/test/server.js';
import { until } from '../apps/collector/test/harness.js';
import { freePort } from '../libs/storage/src/testing/free-port.mjs';

/** The examples of the documentation, in front of a real api. */
const DOCUMENT = readFileSync(join(import.meta.dirname, '../docs/security.md'), 'utf8');
const NAME = 'metrics.example.org';
const MIB = 2 ** 20;
const BATCH = '/api/v1/aggregator/metrics/batch/';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let api: Server;
let token: string;
let proxy: ChildProcess | undefined;
let port: number;
const file = (name: string): string => join(folder.path, name);

beforeAll(async () => {
  folder = await temporaryFolder();
  const settings = { DATABASE_PATH: file('metrics.db'), ALLOWED_HOSTS: NAME, TRUSTED_PROXIES: '127.0.0.1' };
  const said = await Server.command(['token', 'create', 'admin', '--name', 'test'], settings);
  token = /dm_admin_\S+/.exec(said.join('\n'))?.[0] ?? '';
  api = await Server.start(settings);
  const made = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', `/CN=${NAME}`];
  const files = ['-addext', `subjectAltName=DNS:${NAME}`, '-keyout', file('key.pem'), '-out', file('cert.pem')];
  execFileSync('openssl', ['req', ...made, ...files], { stdio: 'ignore' });
});
afterAll(async () => {
  await api.stop();
  await folder.remove();
});
afterEach(async () => {
  if (proxy?.exitCode !== null) return;
  proxy.kill('SIGTERM');
  await once(proxy, 'exit');
});

/** The block of the document that this matches, with the api's address. */
function example(pattern: RegExp): string {
  const found = [...DOCUMENT.matchAll(/^```\w*\n([^]*?)^```$/gm)].find(([, text = '']) => pattern.test(text))?.[1];
  return (found ?? '').replace('127.0.0.1:3000', new URL(api.url).host);
}

const PROXIES: Record<string, () => [string, string[]]> = {
  nginx: () => {
    const server = example(/^server \{/)
      .replace('listen 443 ssl', `listen 127.0.0.1:${port} ssl`)
      .replace(/(cert|key)\.pem/g, (name) => file(name));
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
      (kind) => `${kind}_temp_path ${file(kind)};`,
    );
    writeFileSync(
      file('nginx.conf'),
      `daemon off; master_process off; pid ${file('pid')}; error_log stderr; events {}\n` +
        `http { access_log off; ${temporary.join(' ')}\n${server}}\n`,
    );
    return ['nginx', ['-p', folder.path, '-e', 'stderr', '-c', file('nginx.conf')]];
  },
  caddy: () => {
    const site = example(/^# Caddy/).replace(
      `${NAME} {`,
      `https://${NAME}:${port} {\n  bind 127.0.0.1\n  tls ${file('cert.pem')} ${file('key.pem')}`,
    );
    writeFileSync(file('Caddyfile'), `{\n  admin off\n  auto_https disable_redirects\n}\n${site}`);
    return ['caddy', ['run', '--adapter', 'caddyfile', '--config', file('Caddyfile')]];
  },
};

/** As a client elsewhere asks, who knows the name alone. */
function ask(path: string, headers: Record<string, string> = {}, body?: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const asked = request(
      {
        host: '127.0.0.1',
        port,
        path,
        method: body === undefined ? 'GET' : 'POST',
        servername: NAME,
        ca: readFileSync(file('cert.pem')),
        headers: { host: `${NAME}:${port}`, ...(body && { 'content-type': 'application/json' }), ...headers },
        agent: false,
      },
      resolve,
    );
    asked.on('error', reject).end(body);
  });
}
async function statusOf(path: string, headers?: Record<string, string>, body?: string): Promise<number | undefined> {
  const answer = await ask(path, headers, body);
  answer.resume();
  return answer.statusCode;
}
const metric = (value: number): string =>
  JSON.stringify({ metrics: [{ device_name: 'behind', metric_name: 'm', value }] });

describe.each(Object.keys(PROXIES))('behind %s, as docs/security.md has it', (name) => {
  const isThere = spawnSync(name, [name === 'caddy' ? 'version' : '-v']).error === undefined;
  const run = isThere ? it : it.skip;
  run(
    isThere
      ? 'it takes what is allowed, tells who asks, and passes a live stream on as it comes'
      : `it is not tried (there is none: apt-get install ${name})`,
    async () => {
      port = await freePort();
      const [program, args] = PROXIES[name]!();
      proxy = spawn(program, args, { stdio: 'ignore', env: { ...process.env, HOME: folder.path } });
      await until(async () => (await statusOf('/healthz').catch(() => 0)) === 200);

      const asAdmin = { authorization: `Bearer ${token}` };
      expect(await statusOf('/api/v1/devices')).toBe(401);
      expect(await statusOf('/api/v1/devices', { 'x-forwarded-for': '127.0.0.1' })).toBe(401);
      expect(await statusOf('/api/v1/devices', asAdmin)).toBe(200);

      const live = await ask('/api/v1/live', asAdmin);
      expect(live.headers['content-type']).toMatch(/^text\/event-stream/);
      let text = '';
      live.setEncoding('utf8').on('data', (piece: string) => (text += piece));
      expect(await statusOf(BATCH, asAdmin, metric(4_242))).toBe(200);
      await until(() => text.includes('4242'));
      live.destroy();

      const whole = metric(1);
      expect(await statusOf(BATCH, asAdmin, whole + ' '.repeat(8 * MIB - whole.length))).toBe(200);
      expect(await statusOf(BATCH, asAdmin, ' '.repeat(8 * MIB + 1)).catch(() => 413)).toBe(413);
    },
  );
});
