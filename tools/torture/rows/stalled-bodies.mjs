import { clearInterval, setInterval } from 'node:timers';
import { assert, client, head, MB, post, runOf, sleep, startApi, watching } from '../kit.mjs';

export const name = 'Bodies that stall or drip';
export const measures = true;

export async function run({ file, short }) {
  const api = await startApi(file('metrics.db'));
  const length = Math.floor(7.9 * MB);
  const stalled = [];
  const taken = [];
  const seen = await watching(api, async () => {
    for (let count = 0; count < (short ? 20 : 150); count += 1) {
      stalled.push(client(api.port, head(length), Buffer.alloc(length - 1, 32)));
      if (count % 10 === 0) taken.push(await post(api.url, [runOf('pc-1', Date.now() - 60_000, 100)]));
    }
    const dripping = client(api.port, head(1_000));
    const drip = setInterval(() => dripping.socket.write(' '), 500);
    const started = performance.now();
    while (!dripping.seen.closed || stalled.some((one) => !one.seen.closed)) {
      assert(performance.now() - started < 60_000, 'a body that stalls was open after 60 s');
      taken.push(await post(api.url, [runOf('pc-1', Date.now() - 60_000, 100)]));
      await sleep(500);
    }
    clearInterval(drip);
    assert.match(dripping.seen.text, /HTTP\/1\.1 408/);
  });
  await api.stop();
  const refused = taken.filter(({ status }) => status !== 200);
  assert(
    refused.every(({ status }) => status === 503),
    `others got ${refused.map(({ status }) => status).join()}`,
  );
  assert(
    taken.length - refused.length > taken.length / 2,
    `only ${taken.length - refused.length} of ${taken.length} others passed`,
  );
  assert(seen.memory < 500, `the api held ${seen.memory} MB`);
  return `${stalled.length} stalled, ${seen.memory} MB, ${taken.length - refused.length} of ${taken.length} others passed, health p99 ${seen.p99} ms`;
}
