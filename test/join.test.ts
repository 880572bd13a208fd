import { execFileSync } from 'node:child_process';
import { statSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Server } from '../apps/api/test/server.js';
import { answer, CollectorProcess, LONG, TestFolder, TestServer, until } from '../apps/collector/test/harness.js';
import { freePort } from '../libs/storage/src/testing/free-port.mjs';

let folder: TestFolder;
/** A third-party device that counts its answers, so that each number must arrive exactly once. */
let device: TestServer;
let counted = 0;
let settings: Record<string, string>;
let api: Server;
const started: CollectorProcess[] = [];
/** They wait for a collector to try again, which takes up to a minute. */
const slowly = LONG ? it : it.skip;

beforeEach(async () => {
  folder = new TestFolder();
  counted = 0;
  device = await new TestServer((_request, response) => answer(response, 200, { count: (counted += 1) })).start();
  // The second device is named by the answer alone.
  const mapping =
    '[{"metric_name": "count", "value": count}, {"device_name": "within", "metric_name": "count", "value": count}]';
  // Without the api's own metrics: a hundred of them each turn would wait before what is looked for.
  folder.write(
    'collector.yaml',
    `pc: false\napi: false\nthird_party:\n  - { protocol: http-json, device: counter, url: '${device.url}', mapping: '${mapping}', timeout: 60s }\n`,
  );
  settings = { PORT: String(await freePort()), DATABASE_PATH: folder.file('api/metrics.db') };
});
afterEach(async () => {
  for (const collector of started.splice(0)) await collector.stop('SIGKILL');
  await api.stop();
  await device.stop();
  folder.remove();
});

const invite = async (): Promise<string> => {
  const [line = ''] = await Server.command(['invite', '--url', api.url], settings);
  return /^Code (\S+),/.exec(line)?.[1] ?? line;
};
/** Without a process. */
const newCode = async (): Promise<string> => (await api.post('/api/v1/invitations', {})).body.code;
async function command(...args: string[]): Promise<string> {
  const process = new CollectorProcess(folder, {}, ...args);
  const code = await process.ended;
  return code === 0 ? process.output : `exit ${code}: ${process.output}`;
}
function run(): CollectorProcess {
  const collector = new CollectorProcess(folder, { COLLECT_INTERVAL: '100ms' });
  started.push(collector);
  return collector;
}
/** What a client on this machine asks, whatever certificate the api has. */
const ask = (path: string, options: string[] = []): any =>
  JSON.parse(execFileSync('curl', ['-ks', ...options, api.url + path], { encoding: 'utf8' }) || 'null');
const counts = (): number[] => {
  const report = ask('/api/v1/reports/metrics/counter?metric_name=count');
  return ((report.series?.[0]?.samples ?? []) as [string, number][]).map(([, value]) => value);
};
const arrives = (more: number): Promise<void> => {
  const from = counts().length;
  return until(
    () => counts().length >= from + more,
    () => started.map(({ output }) => output).join('\n'),
  );
};
/** Every number that the device gave arrives once: what waited comes after what is new. */
const expectWhole = (): Promise<void> =>
  until(
    () => counts().every((number, index) => number === index + 1),
    () => `${counts().join()}\n${started.map(({ output }) => output).join('\n')}`,
  );

describe('with a certificate of its own', () => {
  beforeEach(async () => {
    settings['TLS'] = 'auto';
    api = await Server.start(settings);
  });

  it('a collector joins by the code alone, sends, and shows as whom', async () => {
    const joined = await command('join', api.url, '--code', await invite());
    const { fingerprint } = ask('/healthz') && certificate();
    expect(joined).toContain(`The certificate of ${api.url} has the fingerprint ${fingerprint}`);
    expect(joined).toContain('Joined as test-pc');
    const file = folder.file('instance/credential.json');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const { token } = JSON.parse(await readFile(file, 'utf8'));
    expect(joined).not.toContain(token);

    const collector = run();
    await collector.says('This collector has joined as test-pc');
    await arrives(5);
    const status = await command('status');
    expect(status).toMatch(/sends to +https:\/\/\S+, joined as test-pc \d.* ago, with the token [0-9a-f]{12}\n/);
    expect(status).toContain('\nquarantined  0 batches, 0 samples\n');
    expect(ask('/api/v1/collectors').collectors[0].devices).toEqual(expect.arrayContaining(['counter', 'within']));
    expect(status + collector.output).not.toContain(token);
    await expectWhole();
  });

  it('who asks from this machine may ask without TLS', async () => {
    const plain = api.url.replace('https:', 'http:');
    for (const length of [1, 100_000]) {
      const metrics = Array.from({ length: 3 }, () => ({
        device_name: 'x',
        metric_name: 'm',
        value: 1,
        labels: { a: 'b'.repeat(9) },
      }));
      const body = JSON.stringify({ metrics }) + ' '.repeat(length);
      const headers = { 'content-type': 'application/json' };
      const answer = await fetch(`${plain}/api/v1/aggregator/metrics/batch`, { method: 'POST', headers, body });
      expect([answer.status, await answer.json()]).toEqual([200, { accepted: 3, rejected: [] }]);
    }
    expect(ask('/healthz')).toEqual({ status: 'ok' });
    const elsewhere = Object.values(networkInterfaces())
      .flat()
      .find((one) => one?.family === 'IPv4' && !one.internal);
    if (elsewhere) await expect(fetch(`${plain.replace('127.0.0.1', elsewhere.address)}/healthz`)).rejects.toThrow();
  });

  it('the code goes to nobody who shows another certificate', async () => {
    const code = await invite();
    const wrong = code.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A'));
    expect(await command('join', api.url, '--code', wrong)).toMatch(/^exit 1: [^]*The code was not sent/);
    const short = code.slice(0, 19);
    const refused = await command('join', api.url, '--code', short);
    expect(refused).toMatch(/^exit 1: [^]*add --fingerprint \S+/);
    const fingerprint = /--fingerprint (\S+)/.exec(refused)?.[1] ?? '';
    expect(
      await command(
        'join',
        api.url,
        '--code',
        short,
        '--fingerprint',
        fingerprint.replace(/.$/, (last) => (last === '0' ? '1' : '0')),
      ),
    ).toMatch(/^exit 1: /);
    expect(await command('join', api.url, '--code', short, '--fingerprint', fingerprint)).toContain(
      'Joined as test-pc',
    );
  });

  slowly('a certificate that changes is said plainly, and nothing is lost until it is trusted', async () => {
    await command('join', api.url, '--code', await invite());
    const collector = run();
    await arrives(3);
    const before = certificate().fingerprint;
    const [cert, key] = [folder.file('api/tls/cert.pem'), folder.file('api/tls/key.pem')];
    const made = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', '/CN=other'];
    execFileSync('openssl', ['req', ...made, '-keyout', `${key}.new`, '-out', `${cert}.new`], { stdio: 'ignore' });
    writeFileSync(key, await readFile(`${key}.new`));
    writeFileSync(cert, await readFile(`${cert}.new`));
    // New connections alone: the collector makes one with each batch or keeps one that is open.
    await until(() => certificate().fingerprint !== before);
    await api.stop();
    api = await Server.start(settings);
    const now = certificate().fingerprint;
    await collector.says(`has changed: its fingerprint was ${before} and is ${now}`);
    expect(await command('trust', before)).toMatch(/^exit 1: /);
    expect(await command('trust', now)).toContain('is trusted by this certificate');
    await arrives(3);
    await expectWhole();
  });
});

describe('without TLS', () => {
  beforeEach(async () => {
    api = await Server.start(settings);
  });

  slowly(
    'a collector that is revoked holds everything, and goes on once it has joined again, without a restart',
    async () => {
      expect(await command('join', api.url, '--code', await newCode())).toContain('has no TLS');
      const collector = run();
      await arrives(3);
      const [{ id }] = ask('/api/v1/collectors').collectors;
      ask(`/api/v1/collectors/${id}`, ['-X', 'DELETE']);
      await collector.says('The api refuses this collector (401 The token has been revoked.)');
      expect(await command('join', api.url, '--code', await newCode())).toContain('Joined as test-pc');
      await arrives(10);
      await expectWhole();
    },
  );

  it('joining says which settings come before what it has joined', async () => {
    const says = async (environment: Record<string, string>, ...args: string[]): Promise<string> => {
      const process = new CollectorProcess(folder, environment, ...args);
      await process.ended;
      return process.output;
    };
    const join = async (environment: Record<string, string>): Promise<string> =>
      says(environment, 'join', api.url, '--code', await newCode());
    expect(await join({ API_TOKEN: 'another' })).toContain('\n# It goes on sending by the token of API_TOKEN');
    expect(await join({ API_URL: 'http://a:b@127.0.0.1:1' })).toContain(
      '\n# It goes on sending to http://127.0.0.1:1, as',
    );
    expect(await join({ API_URL: api.url })).not.toContain('goes on sending');
    const wrong = await says({ API_TOKEN: `dm_ingest_${'0'.repeat(12)}_${'a'.repeat(43)}` }, 'doctor');
    expect(wrong).toMatch(/WRONG {2}api: http:\S+ refuses this collector: 401 /);
  });

  it('a second machine of the same name waits until an admin says that it is another, and then loses nothing', async () => {
    await command('join', api.url, '--code', await newCode());
    const second = new TestFolder();
    second.write(
      'collector.yaml',
      await readFile(folder.file('collector.yaml'), 'utf8').then((text) => text.replace('counter', 'gauge')),
    );
    const inSecond = async (...args: string[]): Promise<string> => {
      const process = new CollectorProcess(second, {}, ...args);
      await process.ended;
      return process.output;
    };
    expect(await inSecond('join', api.url, '--code', await newCode())).toContain(
      'there is a device test-pc already, of another collector or of somebody who has not joined',
    );
    const collector = new CollectorProcess(second, { COLLECT_INTERVAL: '100ms' });
    started.push(collector);
    await collector.says('The api refuses this collector (409 There is a device test-pc already, of another collector');
    const { collectors } = ask('/api/v1/collectors');
    const { id } = collectors.find(({ state }: { state: string }) => state === 'conflict');
    await Server.command(['collector', 'new', id, 'test-pc-2'], settings);
    const values = (): number[] => {
      const samples = ask('/api/v1/reports/metrics/gauge').series?.[0]?.samples ?? [];
      return samples.map(([, value]: [string, number]) => value);
    };
    // The first that was read, long before anybody decided.
    await until(
      () => values()[0] === 1,
      () => collector.output,
    );
    expect(ask('/api/v1/devices').devices.map((one: any) => one.device_name)).toContain('test-pc-2');
    await collector.stop();
    second.remove();
  });

  it('a collector that leaves has no credential any more', async () => {
    await command('join', api.url, '--code', await newCode());
    expect(await command('leave')).toContain(`Left ${api.url}`);
    expect(() => statSync(folder.file('instance/credential.json'))).toThrow('ENOENT');
    expect(ask('/api/v1/collectors').collectors).toMatchObject([{ state: 'left' }]);
    expect(await command('leave')).toMatch(/^exit 1: This collector has not joined/);
  });
});

/** What the api shows. */
function certificate(): { fingerprint: string } {
  const { port } = new URL(api.url);
  const pem = execFileSync('sh', ['-c', `openssl s_client -connect 127.0.0.1:${port} </dev/null 2>/dev/null`], {
    encoding: 'utf8',
  });
  const text = execFileSync('openssl', ['x509', '-noout', '-fingerprint', '-sha256'], { input: pem, encoding: 'utf8' });
  return { fingerprint: /Fingerprint=(\S+)/i.exec(text)?.[1] ?? '' };
}
