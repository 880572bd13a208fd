import { execFileSync, spawnSync } from 'node:child_process';
import { createHash, createPublicKey, randomBytes, verify } from 'node:crypto';
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { packageStatement } from '@device-metrics/domain';
import { entriesOf, writeTarGz } from '../src/packages/archive.js';
import { makeOwnPackage, PackageFolder } from '../src/packages/own-package.js';
import { Server, temporaryFolder } from './server.js';

const NAME = 'device-metrics-collector_0.1.0_linux_x64.tar.gz';
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let server: Server;
const content = randomBytes(100_000);
const file = (name: string): string => join(folder.path, name);
const start = async (more: Record<string, string> = {}): Promise<Server> =>
  Server.start({ DATABASE_PATH: file('metrics.db'), PACKAGES_PATH: file('packages'), ...more });

beforeAll(async () => {
  folder = await temporaryFolder();
  mkdirSync(file('packages'));
  writeFileSync(file(`packages/${NAME}`), content);
  writeFileSync(file('packages/notes.txt'), 'no package');
  server = await start();
});
afterAll(async () => {
  await server.stop();
  await folder.remove();
});

describe('what a PC needs to join', () => {
  const sha256 = createHash('sha256').update(content).digest('hex');

  it('is listed and given to everybody', async () => {
    expect((await server.get('/api/v1/packages')).body).toEqual({
      packages: [{ name: NAME, version: '0.1.0', system: 'linux', architecture: 'x64', size: content.length, sha256 }],
    });
    const answer = await fetch(`${server.url}/api/v1/packages/${NAME}`);
    expect(Buffer.from(await answer.arrayBuffer())).toEqual(content);
  });

  it.each(['notes.txt', 'none', '..%2Fmetrics.db', encodeURIComponent(`../packages/${NAME}`)])(
    'nothing else of its folder is: %s',
    async (name) => {
      expect(await server.get(`/api/v1/packages/${name}`)).toMatchObject({ status: 404 });
    },
  );

  it('is in the script, with its checksum and the address that it was asked by', async () => {
    const { status, headers, body } = await server.get('/join.sh');
    expect(status).toBe(200);
    expect(headers.get('content-type')).toMatch(/shellscript/);
    expect(body).toContain(`api='${server.url}'`);
    expect(body).toContain(`linux x64 0.1.0 ${sha256} ${content.length} ${NAME}`);
    expect(body).not.toMatch(/@(URL|PIN|PACKAGES)@/);
    expect((await server.get('/join.ps1')).body).toContain(`$Api = '${server.url}'`);
  });

  it('an invitation says where other PCs cannot follow its line yet', async () => {
    const said = (await Server.command(['invite'], { DATABASE_PATH: file('metrics.db') })).join('\n');
    expect(said).toMatch(
      /^# The api listens on this machine alone, at 127\.0\.0\.1\. HOST=0\.0\.0\.0 and TLS=auto in /m,
    );
    const reached = await Server.command(['invite', '--url', server.url], { DATABASE_PATH: file('metrics.db') });
    expect(reached.join('\n')).not.toContain('#');
  });

  it('an invitation for an address under a path has the script ask there', async () => {
    const settings = { DATABASE_PATH: file('metrics.db'), DEVICE_METRICS_INSTALLED: '1' };
    const said = async (url: string): Promise<string> =>
      (await Server.command(['invite', '--url', url], settings)).join();
    const under = 'https://example.org/metrics';
    expect(await said(`${under}/`)).toContain(`${under}/join.sh | sudo sh -s -- --url ${under} `);
    expect(await said('https://example.org/')).not.toContain('--url');
  });

  it('a PC that there is no package for is told what there is', async () => {
    mkdirSync(file('bin'), { recursive: true });
    writeFileSync(file('bin/uname'), '#!/bin/sh\n[ "$1" = -m ] && echo riscv64 || echo Linux\n', { mode: 0o755 });
    const { body } = await server.get('/join.sh');
    const env = { ...process.env, PATH: `${file('bin')}:${process.env['PATH']}` };
    const { status, stderr } = spawnSync('sh', ['-s', '--', '--dry-run', 'CODE'], {
      input: body,
      encoding: 'utf8',
      env,
    });
    expect([status, stderr]).toEqual([
      1,
      `${server.url} has no package for this PC (linux riscv64); it has: linux x64. Nothing was changed\n`,
    ]);
  });

  it('half a script does nothing', async () => {
    const { body } = await server.get('/join.sh');
    for (const part of [0.3, 0.6, 0.9, 0.999]) {
      const half = body.slice(0, Math.floor(body.length * part));
      const { stdout: said } = spawnSync('sh', ['-s', '--', 'CODE'], { input: half, encoding: 'utf8' });
      expect(said).toBe('');
    }
  });

  it('where there is none, the answer says how to get one', async () => {
    const empty = await start({ PACKAGES_PATH: file('none'), DATABASE_PATH: file('other.db') });
    expect(await empty.get('/join.sh')).toMatchObject({
      status: 404,
      body: { detail: expect.stringContaining('npm run package') },
    });
    await empty.stop();
  });
});

describe('the package that an api makes of its own files', () => {
  it('is the same bytes each time, and takes the place of an older one', async () => {
    const tree = file('tree/lib');
    mkdirSync(join(tree, 'apps'), { recursive: true });
    writeFileSync(join(tree, 'apps/main.js'), 'console.log(1)');
    const long = `device-metrics-collector/${'folder/'.repeat(15)}main.js`;
    const entries = [
      { name: 'device-metrics-collector/lib/node', from: 'apps/main.js', mode: 0o755 },
      { name: long, from: 'apps/main.js', mode: 0o644 },
    ];
    const manifest = join(tree, 'collector-package.json');
    writeFileSync(manifest, JSON.stringify({ name: NAME, modified: 1_700_000_000, entries }));
    const older = 'device-metrics-collector_0.0.9_linux_x64.tar.gz';
    const other = 'device-metrics-collector_0.0.9_linux_arm64.tar.gz';
    mkdirSync(file('made'));
    for (const name of [older, other]) writeFileSync(file(`made/${name}`), 'x');
    expect(await makeOwnPackage(file('made'), manifest)).toBe(true);
    expect(await makeOwnPackage(file('made2'), manifest)).toBe(true);
    expect(readFileSync(file(`made/${NAME}`))).toEqual(readFileSync(file(`made2/${NAME}`)));
    expect((await new PackageFolder(file('made')).list()).map(({ name }) => name)).toEqual([other, NAME].sort());
    const listed = execFileSync('tar', ['-tvzf', file(`made/${NAME}`)], {
      encoding: 'utf8',
      env: { ...process.env, TZ: 'UTC', LC_ALL: 'C' },
    });
    expect(listed).toContain(long);
    expect(listed).toMatch(/^-rwxr-xr-x root\/root +14 2023-11-14 .*lib\/node$/m);
  });

  it('tar unpacks what was packed', async () => {
    mkdirSync(file('in/deep'), { recursive: true });
    writeFileSync(file('in/deep/file'), randomBytes(5_000));
    writeFileSync(file('in/empty'), '');
    await writeTarGz(
      file('x.tar.gz'),
      [...(await entriesOf(file('in'), 'out')), { name: 'out/link', mode: 0o777, link: 'empty' }],
      0,
    );
    execFileSync('tar', ['-xzf', file('x.tar.gz'), '-C', folder.path]);
    expect(readFileSync(file('out/deep/file'))).toEqual(readFileSync(file('in/deep/file')));
    expect(readFileSync(file('out/link'), 'utf8')).toBe('');
  });
});

describe('collectors that update themselves', () => {
  const OLD = 'device-metrics-collector_0.0.9_linux_arm64.tar.gz';
  const platform = 'linux x64';
  let tokens: string[];
  let key: string;
  let code: string;

  beforeAll(async () => {
    writeFileSync(file(`packages/${OLD}`), 'x');
    const [line = ''] = await Server.command(['invite', '--url', server.url, '--uses', '20'], {
      DATABASE_PATH: file('metrics.db'),
    });
    code = /^Code (\S+),/.exec(line)?.[1] ?? line;
    tokens = [];
    for (let number = 0; number < 12; number += 1) {
      const joined = await server.post('/api/v1/collectors/join', {
        code,
        device_name: `pc-${number}`,
        version: '0.0.8',
        platform: number === 11 ? 'linux arm64' : platform,
      });
      tokens.push(joined.body.token);
      key = joined.body.update_key;
    }
  });

  const ask = async (number: number, more: object = {}): Promise<any> => {
    const headers = { authorization: `Bearer ${tokens[number]}` };
    const about = { version: '0.0.8', platform: number === 11 ? 'linux arm64' : platform };
    const answer = await server.post('/api/v1/collectors/self/update', { ...about, ...more }, headers);
    expect(answer.status).toBe(200);
    return answer.body;
  };
  const done = { version: '0.1.0', tried: '0.1.0', result: 'updated' };

  it('get a package that is signed by the key that they joined with, which outlives a restart and lies there sealed', async () => {
    const { package: offered } = await ask(0);
    const publicKey = createPublicKey({ key: Buffer.from(key, 'base64'), format: 'der', type: 'spki' });
    expect(offered).toMatchObject({ name: NAME, version: '0.1.0' });
    expect(verify(null, packageStatement(offered), publicKey, Buffer.from(offered.signature, 'base64'))).toBe(true);
    const sealed = file('update.key');
    expect(statSync(sealed).mode & 0o777).toBe(0o600);
    expect(Buffer.from(readFileSync(sealed, 'utf8'), 'base64').toString('latin1')).not.toContain('0.\x02\x01\x00');
    await server.stop();
    server = await start();
    expect((await ask(0)).package).toEqual(offered);
  });

  it('one whose device belongs to another takes no part, and holds nobody back', async () => {
    const second = await server.post('/api/v1/collectors/join', { code, device_name: 'pc-5', platform });
    expect(second.body.state).toBe('conflict');
    tokens.push(second.body.token);
    const failed = { tried: '0.1.0', result: 'failed', reason: 'it could not send' };
    expect((await ask(12, failed)).reason).toMatch(/^Its device belongs to another/);
    expect(JSON.stringify((await server.get('/api/v1/updates')).body.waves)).not.toContain('pc-5');
  });

  it('one goes first, then a tenth, then all; each platform has its own', async () => {
    for (let number = 1; number < 11; number += 1) {
      const { reason } = await ask(number);
      expect(reason).toBe(`Others take 0.1.0 first: 0 of ${number + 1} have it, 1 are on their way.`);
    }
    expect((await ask(11)).package).toMatchObject({ name: OLD });
    await ask(0, done);
    expect((await ask(1)).package).toMatchObject({ name: NAME });
    expect((await ask(2)).package).toBeUndefined();
    await ask(1, { tried: '0.1.0', result: 'failed', reason: 'it ended at once, with 1' });
    expect((await ask(2)).reason).toContain('held back: pc-1 went back');
    expect(server.log.join('\n')).toContain(
      'The collector of pc-1 went back from 0.1.0 to 0.0.8: it ended at once, with 1',
    );
    const { collectors, waves } = (await server.get('/api/v1/updates')).body;
    const of = (name: string): any => collectors.find((one: any) => one.device_name === name);
    expect(of('pc-0')).toMatchObject({ version: '0.1.0', state: 'current', automatic: true });
    expect(of('pc-1')).toMatchObject({ state: 'failed', reason: 'it ended at once, with 1' });
    expect(of('pc-2')).toMatchObject({ state: 'waiting', newest: '0.1.0' });
    expect(waves).toContainEqual({
      version: '0.1.0',
      size: 11,
      limit: 2,
      updated: 1,
      under_way: 0,
      held_back_by: 'pc-1',
    });
    expect((await server.send('POST', '/api/v1/updates/again')).status).toBe(204);
    expect((await ask(2)).package).toMatchObject({ name: NAME });
    await ask(2, done);
    const later = await Promise.all([3, 4, 5, 6, 7, 8, 9, 10].map((number) => ask(number)));
    expect(later.every(({ package: offered }) => offered.name === NAME)).toBe(true);
  });

  it('what makes no sense is refused, and only collectors ask', async () => {
    const headers = { authorization: `Bearer ${tokens[0]}` };
    const wrong = await server.post(
      '/api/v1/collectors/self/update',
      { version: 1, platform, result: 'well' },
      headers,
    );
    expect(wrong.body.errors.map(({ field }: any) => field).sort()).toEqual(['result', 'version']);
    expect((await server.post('/api/v1/collectors/self/update', { version: '1', platform })).status).toBe(403);
  });
});
