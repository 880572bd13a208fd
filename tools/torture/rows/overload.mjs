import { assert, memoryOf, post, quantile, runOf, samplesOf, sleep, startApi } from '../kit.mjs';

export const name = 'Five times more than it can take';
export const measures = true;

export async function run({ file, short }) {
  const api = await startApi(file('metrics.db'));
  const end = performance.now() + (short ? 1_000 : 60_000);
  const begin = Date.now() - 3_600_000;
  const took = [];
  const stored = new Map();
  let refused = 0;
  let others = 0;
  let memory = 0;
  let at = begin;
  const clients = Array.from({ length: short ? 40 : 100 }, async (_, number) => {
    const device = `pc-${number}`;
    stored.set(device, []);
    while (performance.now() < end) {
      const batch = runOf(device, (at += 20) - 20, 1_000, 1);
      const answer = await post(api.url, [batch]).catch(() => undefined);
      memory = Math.max(memory, memoryOf(api.pid) ?? 0);
      if (answer?.status === 200) {
        took.push(answer.took);
        stored.get(device).push(batch.samples[0][0]);
      } else if (answer?.status === 503 && Number(answer.headers.get('retry-after')) > 0) {
        refused += 1;
        await sleep(200);
      } else {
        others += 1;
      }
    }
  });
  await Promise.all(clients);
  for (const device of ['pc-0', 'pc-7']) {
    const there = await samplesOf(api.url, device);
    for (const time of stored.get(device)) assert(there.has(time), 'an acknowledged sample is lost');
  }
  await api.stop();
  const [p50, p99] = [quantile(took, 0.5), quantile(took, 0.99)];
  const figures = `${took.length} taken (p50 ${p50}, p99 ${p99} ms), ${refused} refused with 503, ${memory} MB`;
  assert.equal(others, 0, `${others} answers were neither 200 nor 503 with Retry-After; ${figures}`);
  assert(memory < 500, `the api held more than 500 MB: ${figures}`);
  assert(p99 <= (short ? 60_000 : 1_000), `what was taken waited more than a second: ${figures}`);
  return figures;
}
