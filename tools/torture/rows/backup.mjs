import { writeFileSync } from 'node:fs';
import { assert, client, get, post, runOf, samplesOf, sleep, startApi } from '../kit.mjs';

export const name = 'Backup and restore under load, and one that nobody reads';

export async function run({ file, short }) {
  const api = await startApi(file('metrics.db'));
  const begin = Date.now() - 3_600_000;
  let at = begin;
  const acknowledged = [];
  let going = true;
  const load = (async () => {
    while (going) {
      const batch = runOf('pc-1', (at += 10_000) - 10_000, 1_000, 10);
      if ((await post(api.url, [batch])).status === 200) acknowledged.push(batch.samples[0][0]);
      if (at > Date.now() - 20_000) at = begin + 3;
    }
  })();
  await sleep(short ? 500 : 3_000);
  let backups = 0;
  for (let turn = 0; turn < (short ? 1 : 5); turn += 1) {
    const before = [...acknowledged];
    const answer = await fetch(`${api.url}/api/v1/admin/backup`);
    assert.equal(answer.status, 200);
    writeFileSync(file(`backup-${turn}.db`), Buffer.from(await answer.arrayBuffer()));
    const restored = await startApi(file(`backup-${turn}.db`));
    const there = await samplesOf(restored.url, 'pc-1');
    for (const time of before) assert(there.has(time), 'a sample from before the backup is not in it');
    await restored.stop();
    backups += 1;
  }
  const stalled = client(api.port, 'GET /api/v1/admin/backup HTTP/1.1\r\nHost: localhost\r\n\r\n');
  stalled.socket.pause();
  going = false;
  await load;
  let waited = 0;
  if (!short) {
    const started = performance.now();
    for (;;) {
      const { status } = await get(api.url, '/api/v1/admin/backup');
      waited = Math.round((performance.now() - started) / 1_000);
      if (status === 200) break;
      assert(waited < 90, 'a backup that nobody reads holds off others for more than 90 s');
      await sleep(1_000);
    }
  }
  stalled.socket.destroy();
  await api.stop();
  return `${backups} backups restored, ${acknowledged.length} batches meanwhile; the next backup after ${waited} s`;
}
