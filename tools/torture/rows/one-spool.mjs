import { settle, startCollector, startDevice, startStore } from '../collector-kit.mjs';
import { assert, NoStart, post, runOf, samplesOf, sleep, startApi } from '../kit.mjs';

export const name = 'A mapping that backtracks, and two programs on one file';

/** Other sources go on beside the mapping; the second collector on a spool and the second api on a database say why they end. */
export async function run({ file, short }) {
  const [device, store] = [await startDevice(), await startStore()];
  const folder = file('collector');
  const said = (collector) => collector.log.join('');
  try {
    const collector = startCollector(folder, device, store, { DEVICE_NAME: 'pc' }, undefined, [
      `{ protocol: http-json, device: endless, url: '${device.url}', mapping: '$.{"metric_name": "m", "value": 1, "labels": {"a": $string($match("${'a'.repeat(40)}!", /^(a+)+$/))}}' }`,
    ]);
    const began = performance.now();
    const waitFor = async (what, isThere) => {
      while (!isThere()) {
        assert(performance.now() - began < 60_000, `${what}: ${said(collector).slice(-1_000)}`);
        await sleep(50);
      }
    };
    await waitFor('nothing is said of the mapping', () => /endless.*takes longer than/s.test(said(collector)));
    // The device is asked by both; what arrives is of the other source.
    const before = store.values.size;
    await waitFor('nothing more arrives', () => store.values.size >= before + (short ? 50 : 500));

    const second = startCollector(folder, device, store);
    await second.ended;
    assert.match(said(second), /another collector runs on it/);
    await collector.stop();
    const { generated, evicted, pendingSamples, stored } = await settle(
      folder,
      device,
      store,
      `${folder}/instance/spool.db`,
    );
    assert.equal(generated, evicted + pendingSamples + stored, 'samples are nowhere');

    const api = await startApi(file('metrics.db'));
    const other = await startApi(file('metrics.db')).catch((error) => error);
    assert(
      other instanceof NoStart && /another|in use|already/.test(other.message),
      `a second api started: ${other.message}`,
    );
    assert.equal((await post(api.url, [runOf('pc-1', Date.now() - 60_000, 100)])).status, 200);
    assert.equal((await samplesOf(api.url, 'pc-1')).size, 100);
    await api.stop();
    return `${stored} samples of the source beside it, none lost; the second collector and the second api ended and said why`;
  } finally {
    device.close();
    store.close();
  }
}
