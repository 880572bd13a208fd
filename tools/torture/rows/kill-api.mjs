import { sqliteDriver } from '@device-metrics/sqlite';
import { assert, get, post, PRELOADS, random, runOf, samplesOf, sleep, startApi } from '../kit.mjs';

export const name = 'SIGKILL of the api under load, sealing and upkeep';

/**
 * What was acknowledged is there after each start, once, with its value; what was not may be. A device that is deleted, and
 * comes again, has nothing of before.
 */
export async function run({ file, short }) {
  const kills = short ? 2 : 200;
  const pick = random(14);
  const database = file('metrics.db');
  const acknowledged = new Map();
  const start = () => startApi(database, {}, { preload: [PRELOADS.hurry] });
  let at = Date.now() - 6 * 3_600_000;
  let deletions = 0;
  for (let kill = 0; kill < kills; kill += 1) {
    const api = await start();
    let going = true;
    const load = [0, 1, 2].map(async (device) => {
      const name = `pc-${device}`;
      while (going) {
        const batch = runOf(name, (at += 1_000), 100);
        const answer = await post(api.url, [batch]).catch(() => undefined);
        if (answer?.status !== 200) continue;
        const times = acknowledged.get(name) ?? [];
        acknowledged.set(name, times);
        for (const [time] of batch.samples) times.push(time);
      }
    });
    const deleting = (async () => {
      while (going) {
        const old = runOf('pc-9', at - 5_000, 50);
        if ((await post(api.url, [old]).catch(() => undefined))?.status !== 200) continue;
        await sleep(pick(30));
        const answer = await fetch(`${api.url}/api/v1/devices/pc-9`, { method: 'DELETE' }).catch(() => undefined);
        if (answer?.status !== 204) continue;
        deletions += 1;
        const after = await get(api.url, '/api/v1/devices/pc-9').catch(() => undefined);
        assert([404, undefined].includes(after?.status), `a deleted device answers ${after?.status}`);
      }
    })();
    await sleep(50 + pick(300));
    await api.kill();
    going = false;
    await Promise.all([...load, deleting]);
  }
  const api = await start();
  let count = 0;
  for (const [device, times] of acknowledged) {
    const stored = await samplesOf(api.url, device);
    for (const time of times)
      assert(stored.has(time), `${device} lost its acknowledged sample of ${new Date(time).toISOString()}`);
    count += times.length;
  }
  const { text } = await get(api.url, '/metrics');
  const damaged = Number(/^device_metrics_\w*damaged\w* (\d+)/m.exec(text)?.[1] ?? 0);
  assert.equal(damaged, 0, `${damaged} pieces are damaged`);
  for (let tries = 0; !hasChunks(database); tries += 1) {
    assert(tries < 300, 'nothing was sealed while the api was killed');
    await sleep(100);
  }
  await api.stop();
  return `${kills} kills, ${count} acknowledged samples, none lost; ${deletions} devices deleted, none came back`;
}

function hasChunks(database) {
  const connection = new (sqliteDriver())(database, { readonly: true });
  const isThere = connection.prepare('SELECT 1 FROM chunk LIMIT 1').get() !== undefined;
  connection.close();
  return isThere;
}
