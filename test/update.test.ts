import { existsSync, mkdirSync, readFileSync, readlinkSync, renameSync, writeFileSync } from 'node:fs';
import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { packageStatement } from '@device-metrics/domain';
import { Server } from '../apps/api/test/server.js';
import { entriesOf, writeTarGz, type ArchiveEntry } from '../apps/api/src/packages/archive.js';
import {
  answer,
  bodyOf,
  CollectorProcess,
  LONG,
  TestFolder,
  TestServer,
  until,
} from '../apps/collector/test/harness.js';
import { ApiConnection } from '../apps/collector/src/upload/api-connection.js';
import { Updater } from '../apps/collector/src/update/updater.js';
import { UpdateFolder, type Program } from '../apps/collector/src/update/update-folder.js';

const ROOT = new URL('..', import.meta.url).pathname;
const SYSTEM = `${process.platform}_${process.arch}`;
const nameOf = (version: string): string => `device-metrics-collector_${version}_${SYSTEM}.tar.gz`;
/** They wait for two minutes. */
const slowly = LONG ? it : it.skip;

/** Makes a package as the api gives it: the built collector under another version, or a program that says its version and then `does`. */
async function writePackage(folder: string, version: string, does?: string): Promise<string> {
  const lib = 'device-metrics-collector/lib';
  const dist = `${lib}/apps/collector/dist`;
  const text = (name: string, content: string): ArchiveEntry => ({ name, mode: 0o644, text: content });
  const main = `if (process.argv[2] === '--version') { console.log('${version}'); process.exit(0); }\n${does}\n`;
  const entries: ArchiveEntry[] = [
    { name: `${lib}/node`, mode: 0o777, link: process.execPath },
    { name: `${lib}/node_modules`, mode: 0o777, link: `${ROOT}node_modules` },
    text(`${lib}/package.json`, '{ "type": "module" }'),
    text(`${lib}/apps/collector/package.json`, JSON.stringify({ type: 'module', version })),
    ...(does === undefined ? await entriesOf(`${ROOT}apps/collector/dist`, dist) : [text(`${dist}/main.js`, main)]),
  ];
  mkdirSync(folder, { recursive: true });
  const file = `${folder}/${nameOf(version)}`;
  await writeTarGz(`${file}.new`, entries, 0);
  renameSync(`${file}.new`, file);
  return file;
}

const SAYS_READY = 'process.send({ ready: true });';

describe('a collector with update: auto', () => {
  const folder = new TestFolder();
  let device: TestServer;
  let api: Server;
  let collector: CollectorProcess;
  let counted = 0;

  const counts = async (): Promise<number[]> => {
    const { body } = await api.get('/api/v1/reports/metrics/counter?metric_name=count');
    return ((body.series?.[0]?.samples ?? []) as [string, number][]).map(([, value]) => value);
  };
  /**
   * The device counts its answers: each number that it gave must be there once, but for one that was on its way when a program
   * stopped; and more must come.
   */
  const expectWhole = async (): Promise<void> => {
    const from = (await counts()).length;
    const isWhole = async (): Promise<boolean> => {
      const now = await counts();
      const stops = collector.output.split('Stopped;').length - 1;
      const missing = (now.at(-1) ?? 0) - now.length;
      return now.length > from + 3 && missing <= stops && now.every((number, index) => number > (now[index - 1] ?? 0));
    };
    await until(isWhole, () => collector.output);
  };
  const news = async (): Promise<any> => (await api.get('/api/v1/updates')).body.collectors[0];
  const offer = (version: string, does?: string): Promise<string> =>
    writePackage(folder.file('packages'), version, does);
  /** `refused` and `failed` last, and nobody goes ahead meanwhile. */
  const again = (): Promise<unknown> => api.send('POST', '/api/v1/updates/again');

  beforeAll(async () => {
    device = await new TestServer((_request, response) => answer(response, 200, { count: (counted += 1) })).start();
    const mapping = '{"metric_name": "count", "value": count}';
    folder.write(
      'collector.yaml',
      `pc: false\napi: false\nupdate: auto\nthird_party:\n  - { protocol: http-json, device: counter, url: '${device.url}', mapping: '${mapping}', timeout: 60s }\n`,
    );
    mkdirSync(folder.file('packages'));
    const settings = { DATABASE_PATH: folder.file('api/metrics.db'), PACKAGES_PATH: folder.file('packages') };
    api = await Server.start(settings);
    const [line = ''] = await Server.command(['invite', '--url', api.url], settings);
    const join = new CollectorProcess(folder, {}, 'join', api.url, '--code', /^Code (\S+),/.exec(line)?.[1] ?? line);
    expect(await join.ended).toBe(0);
    collector = new CollectorProcess(folder, {
      COLLECT_INTERVAL: '100ms',
      UPDATE_INTERVAL: '1s',
      DEVICE_METRICS_UPDATES: folder.file('updates'),
    });
    await expectWhole();
  });
  afterAll(async () => {
    expect(await collector.stop()).toBe(0);
    await api.stop();
    await device.stop();
    folder.remove();
  });

  it('takes the newer version, says so, and loses no sample', async () => {
    await offer('0.2.0');
    await collector.says('Version 0.2.0 has sent: it goes on in the place of 0.1.0');
    await until(async () => (await news()).state === 'current' && (await news()).version === '0.2.0');
    expect(readlinkSync(folder.file('updates/current'))).toBe('0.2.0');
    await expectWhole();
  });

  it.each([
    ['0.3.1', 'ends at once', 'process.exit(3);', 'it ended by itself, with 3'],
    [
      '0.3.2',
      'ends as soon as it may collect',
      `${SAYS_READY} process.on('message', () => process.exit(4));`,
      'with 4',
    ],
  ])('goes back from %s, which %s', async (version, _what, does, reason) => {
    await offer(version, does);
    await collector.says(`Version ${version} is given up, and 0.2.0 goes on: it ended by itself, with`);
    await until(async () => (await news()).state === 'failed');
    expect(await news()).toMatchObject({ version: '0.2.0', reason: expect.stringContaining(reason) });
    await expectWhole();
    await again();
  });

  it('does not start one that is another version than it says, or none at all', async () => {
    const file = await writePackage(folder.file('made'), '0.4.1', '');
    renameSync(file, folder.file(`packages/${nameOf('0.4.2')}`));
    await collector.says('Version 0.4.2 is not taken, and 0.2.0 goes on: it says that it is version "0.4.1"');
    await until(async () => (await news()).state === 'refused');
    writeFileSync(folder.file(`packages/${nameOf('0.4.3')}`), 'no archive');
    await again();
    await collector.says('Version 0.4.3 is not taken, and 0.2.0 goes on: it cannot be unpacked');
    await expectWhole();
    await again();
  });

  slowly('goes back from one that hangs, and from one that never sends', async () => {
    await offer('0.5.1', 'setInterval(() => undefined, 1000);');
    await collector.says('Version 0.5.1 is given up, and 0.2.0 goes on: it is not ready within 2 min');
    await again();
    await offer('0.5.2', `${SAYS_READY} process.on('message', () => { for (;;); });`);
    await collector.says('Version 0.5.2 is given up, and 0.2.0 goes on: it hangs: no sign of life for 30 s');
    await again();
    await offer('0.5.3', `${SAYS_READY} setInterval(() => process.send({ sent: false }), 1000);`);
    await collector.says('Version 0.5.3 is given up, and 0.2.0 goes on: it has not sent within 2 min');
    await expectWhole();
  });
});

describe('what the api offers', () => {
  const folder = new TestFolder();
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const updateKey = publicKey.export({ type: 'spki', format: 'der' }).toString('base64');
  const said: string[] = [];
  const became: Program[] = [];
  const asked: any[] = [];
  let stops = 0;
  let server: TestServer;
  let content: Buffer;
  let offered: Record<string, unknown> | undefined;
  let give: TestServer['handle'];

  beforeAll(async () => {
    content = readFileSync(
      await writePackage(folder.file('made'), '0.2.0', `${SAYS_READY} setInterval(() => undefined, 1000);`),
    );
    server = await new TestServer(async (request, response) => {
      if (request.url === '/readyz') return answer(response, 200, {});
      if (request.method === 'GET') return give(request, response);
      asked.push(JSON.parse(await bodyOf(request)));
      const { tried } = asked.at(-1) as { tried?: string };
      answer(response, 200, tried === undefined && offered ? { package: offered, reason: '' } : { reason: 'nothing' });
    }).start();
  });
  afterAll(async () => {
    await server.stop();
    folder.remove();
  });

  const facts = (): any => ({
    name: nameOf('0.2.0'),
    version: '0.2.0',
    system: process.platform,
    architecture: process.arch,
    size: content.length,
    sha256: createHash('sha256').update(content).digest('hex'),
  });
  const signed = (changed: object = {}, key = privateKey): Record<string, unknown> => ({
    ...facts(),
    signature: sign(null, packageStatement(facts()), key).toString('base64'),
    ...changed,
  });
  const whole: TestServer['handle'] = (_request, response) => void response.end(content);

  /** One look at what is offered; what was said of it. */
  async function look(
    offer: Record<string, unknown>,
    handle: TestServer['handle'] = whole,
    isAutomatic = true,
  ): Promise<string> {
    [offered, give] = [offer, handle];
    for (const list of [said, became, asked]) list.length = 0;
    stops = 0;
    const credential = {
      url: server.url,
      collector_id: 'c',
      device_name: 'pc',
      token: 't',
      joined_at: 0,
      update_key: updateKey,
    };
    const connection = new ApiConnection({ url: server.url, token: 't', credential, credentialPath: '' }, 5_000);
    const log = (message: string): void => void said.push(message);
    const options = {
      isAutomatic: () => isAutomatic,
      interval: 1_000,
      limits: { within: 30_000, silence: 1_000 },
      stopCollecting: async () => void (stops += 1),
      handOver: (program: Program) => void became.push(program),
      self: { node: 'this', main: 'program' },
    };
    const updates = new UpdateFolder(folder.file('updates'));
    await new Updater(connection, updates, options, { log, warn: log, error: log }).look();
    return said.join('\n');
  }
  const expectUntouched = (result?: string): void => {
    expect(stops).toBe(0);
    expect(became).toEqual([]);
    expect(existsSync(folder.file('updates/0.2.0'))).toBe(false);
    if (result !== undefined) expect(asked.at(-1)).toMatchObject({ tried: '0.2.0', result });
  };

  it.each([
    ['by another key', () => signed({}, generateKeyPairSync('ed25519').privateKey)],
    ['of another version', () => signed({ version: '0.9.0' })],
    ['of another checksum', () => signed({ sha256: '0'.repeat(64) })],
    ['that is none', () => signed({ signature: 'x' })],
    ['that is missing', () => signed({ signature: undefined })],
  ])('is not fetched with a signature %s', async (_what, offer) => {
    let fetches = 0;
    const count: TestServer['handle'] = (request, response) => {
      fetches += 1;
      return whole(request, response);
    };
    expect(await look(offer(), count)).toMatch(
      /is not taken, and 0\.1\.0 goes on: its signature is not by the key of the api/,
    );
    expect(fetches).toBe(0);
    expect(stops).toBe(0);
    expect(asked.at(-1)).toMatchObject({ result: 'refused' });
  });

  it('is not unpacked with another checksum', async () => {
    const other = Buffer.from(content);
    other[other.length >> 1] = (other[other.length >> 1] as number) ^ 1;
    expect(await look(signed(), (_request, response) => void response.end(other))).toContain(
      'what came has another checksum',
    );
    expectUntouched('refused');
  });

  it('that comes by half, or never ends, is asked for another time', async () => {
    const half: TestServer['handle'] = (request, response) => {
      response.writeHead(200, { 'content-length': content.length });
      response.write(content.subarray(0, content.length / 2), () => request.socket.destroy());
    };
    expect(await look(signed(), half)).toContain('No newer version can be had now');
    expectUntouched();
    const endless: TestServer['handle'] = (_request, response) => {
      // Once nobody reads, Node 26 says so by the error alone, and at once.
      const more = (error?: Error | null): boolean =>
        !error && !response.destroyed && response.write(Buffer.alloc(65_536), (next) => setImmediate(more, next));
      more();
    };
    expect(await look(signed(), endless)).toContain(`the answer is longer than ${content.length} bytes`);
    expectUntouched();
  });

  it('is no older version, signed as it may be', async () => {
    const older = { ...facts(), version: '0.0.9' };
    const signature = sign(null, packageStatement(older), privateKey).toString('base64');
    await look({ ...older, signature });
    expectUntouched();
    expect(asked).toHaveLength(1);
  });

  it('is not asked for without update: auto', async () => {
    await look(signed(), whole, false);
    expect(asked).toEqual([]);
  });

  it('whose reason has several lines is told on one, as the api takes it', async () => {
    const reason = `Command failed: main.js --version\n${'x'.repeat(2_000)}`;
    new UpdateFolder(folder.file('updates')).note({ tried: '0.2.0', result: 'refused', reason });
    await look(signed());
    expect(asked[0].reason).toMatch(/^Command failed: main\.js --version x{900,}$/);
    expect(asked[0].reason).toHaveLength(1_000);
  });

  it('that starts and then says nothing more is given up, and this program goes on', async () => {
    expect(await look(signed())).toContain('is given up, and 0.1.0 goes on: it hangs: no sign of life for 1 s');
    expect(stops).toBe(1);
    expect(became).toEqual([{ node: 'this', main: 'program' }]);
    expect(JSON.parse(readFileSync(folder.file('updates/result.json'), 'utf8'))).toMatchObject({ result: 'failed' });
  });
});
