import { execFileSync } from 'node:child_process';
import { statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openDatabase } from '@device-metrics/sqlite';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { Server, temporaryFolder } from './server.js';

const folder = await temporaryFolder();
const mount = (...options: string[]): void => {
  execFileSync('mount', ['-o', options.join(','), '-t', 'tmpfs', 'tmpfs', folder.path], { stdio: 'pipe' });
};

/** Only root can make a disk that is small: elsewhere the test is skipped. */
function canMount(): boolean {
  try {
    mount('size=6m');
    return true;
  } catch {
    return false;
  }
}
const mounted = canMount();
if (!mounted) await folder.remove();
const itWithSmallDisk = mounted ? it : it.skip;

let server: Server | undefined;
beforeAll(async () => {
  if (mounted) server = await Server.start({ DATABASE_PATH: join(folder.path, 'metrics.db') });
});
afterAll(async () => {
  await server?.stop();
  execFileSync('umount', [folder.path]);
  await folder.remove();
});

const BEGIN = Date.now() - 3_500_000;
const BATCH = '/api/v1/aggregator/metrics/batch';

/** Of random numbers, which no codec makes smaller. */
const batch = (device_name: string): object[] => [
  { device_name, metric_name: 'm', samples: Array.from({ length: 5_000 }, (_, i) => [BEGIN + i, Math.random()]) },
];

itWithSmallDisk(
  'a full disk (a small tmpfs, which only root can mount) is a 503, never a false 2xx, and passes',
  async () => {
    const { get, post } = { get: server!.get.bind(server), post: server!.post.bind(server) };
    const acknowledged: string[] = [];
    let answer = await post(BATCH, batch('d-0'));
    for (let turn = 0; answer.status === 200; turn += 1) {
      acknowledged.push(`d-${turn}`);
      expect(turn).toBeLessThan(200);
      answer = await post(BATCH, batch(`d-${turn + 1}`));
    }
    const refused = `d-${acknowledged.length}`;
    expect(answer).toMatchObject({ status: 503, body: { status: 503, detail: expect.stringContaining('disk') } });
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await get(`/api/v1/reports/metrics/${refused}`)).status).toBe(404);
    expect((await post(BATCH, batch(refused))).status).toBe(503);
    expect(await get('/api/v1/admin/backup')).toMatchObject({
      status: 503,
      body: { type: expect.stringContaining('disk-full') },
    });

    mount('remount', 'size=64m');
    expect((await post(BATCH, batch(refused))).status).toBe(200);
    const { summaries } = (await get('/api/v1/reports/summary')).body;
    expect(summaries.map((row: any) => [row.device_name, row.count]).sort()).toEqual(
      [...acknowledged, refused].map((name) => [name, 5_000]).sort(),
    );
  },
);

itWithSmallDisk('a database from elsewhere starts though there is no room to write it anew', async () => {
  const count = async (): Promise<number> => (await server!.get('/api/v1/reports/summary')).body.summaries.length;
  const before = await count();
  await server?.stop();
  const db = openDatabase(join(folder.path, 'metrics.db'));
  // As other tools write databases, with room in it that is free.
  db.pragma('journal_mode = DELETE');
  db.pragma('auto_vacuum = NONE');
  db.exec('VACUUM; CREATE TABLE gone (bytes BLOB); INSERT INTO gone VALUES (zeroblob(4000000)); DROP TABLE gone');
  db.close();
  const { bavail, bsize } = statfsSync(folder.path);
  writeFileSync(join(folder.path, 'others'), Buffer.alloc(bavail * bsize - 2 ** 20));
  server = await Server.start({ DATABASE_PATH: join(folder.path, 'metrics.db') });
  expect(await count()).toBe(before);
  expect(await server.stop()).toBe(0);
});
