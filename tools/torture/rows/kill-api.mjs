import { assert, post, random, runOf, samplesOf, sleep, startApi } from '../kit.mjs';

export const name = 'SIGKILL of the api under load';

/** What was acknowledged is there after each start, once, with its value; what was not may be. */
export async function run({ file, short }) {
  const kills = short ? 3 : 200;
  const pick = random(14);
  const begin = Date.now() - 3 * 3_600_000;
  const acknowledged = new Map();
  let at = begin;
  for (let kill = 0; kill < kills; kill += 1) {
    const api = await startApi(file('metrics.db'));
    let going = true;
    const load = [0, 1, 2].map(async (device) => {
      while (going) {
        const name = `pc-${device}`;
        const batch = runOf(name, (at += 1_000), 100);
        const answer = await post(api.url, [batch]).catch(() => undefined);
        if (answer?.status !== 200) continue;
        const times = acknowledged.get(name) ?? [];
        acknowledged.set(name, times);
        for (const [time] of batch.samples) times.push(time);
      }
    });
    await sleep(50 + pick(300));
    await api.kill();
    going = false;
    await Promise.all(load);
  }
  const api = await startApi(file('metrics.db'));
  let count = 0;
  for (const [device, times] of acknowledged) {
    const stored = await samplesOf(api.url, device);
    for (const time of times)
      assert(stored.has(time), `${device} lost its acknowledged sample of ${new Date(time).toISOString()}`);
    count += times.length;
  }
  await api.stop();
  return `${kills} kills, ${count} acknowledged samples, none lost`;
}
