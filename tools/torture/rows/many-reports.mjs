import { assert, client, get, post, quantile, runOf, sleep, startApi } from '../kit.mjs';

export const name = 'Pipelined large reports';
export const measures = true;

export async function run({ file, short }) {
  const api = await startApi(file('metrics.db'));
  const start = Date.now() - 24 * 3_600_000;
  for (let device = 0; device < 20; device += 1) {
    for (let part = 0; part < 5; part += 1) {
      const { status } = await post(api.url, [runOf(`pc-${device}`, start + part * 4 * 3_600_000, 4_000, 3_600)]);
      assert.equal(status, 200);
    }
  }
  const path = '/api/v1/reports/metrics/pc-1?time_range=48&format=csv';
  const alone = (await get(api.url, '/api/v1/reports/latest')).took;
  const many = client(api.port, `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`.repeat(short ? 60 : 300));
  const small = [];
  const large = [];
  const taken = [];
  for (let turn = 0; turn < (short ? 10 : 40); turn += 1) {
    small.push((await get(api.url, '/api/v1/devices')).took);
    taken.push((await post(api.url, [runOf('pc-99', Date.now() - 60_000, 100)])).took);
    large.push((await get(api.url, '/api/v1/reports/metrics/pc-2?time_range=1')).took);
    await sleep(10);
  }
  many.socket.destroy();
  await api.stop();
  assert(quantile(small, 0.5) < 500, `a list of devices took ${quantile(small, 0.5)} ms`);
  assert(quantile(taken, 0.5) < 500, `ingest took ${quantile(taken, 0.5)} ms`);
  const p50 = (times) => `${quantile(times, 0.5)} ms`;
  return `others' p50: devices ${p50(small)}, ingest ${p50(taken)}, a report ${p50(large)}; alone ${Math.round(alone)} ms`;
}
