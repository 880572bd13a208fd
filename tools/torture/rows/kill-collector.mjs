import { settle, startCollector, startDevice, startStore } from '../collector-kit.mjs';
import { assert, random, sleep } from '../kit.mjs';

export const name = 'SIGKILL of the collector, with an api that misbehaves';

/** What was generated is stored, given up, in quarantine, or waits; each reading arrives whole. */
export async function run({ file, short }) {
  const kills = short ? 2 : 200;
  const pick = random(41);
  const device = await startDevice();
  const store = await startStore(() => ['take', 'take', 'take', 'lose', 'cut', 503, 500][pick(7)]);
  const folder = file('collector');
  try {
    for (let kill = 0; kill < kills; kill += 1) {
      const collector = startCollector(folder, device, store);
      const seen = device.rounds;
      while (device.rounds < seen + 2) await sleep(10);
      await sleep(pick(400));
      await collector.kill();
    }
    const { generated, evicted, quarantinedSamples, pendingSamples, stored } = await settle(
      folder,
      device,
      store,
      `${folder}/instance/spool.db`,
    );
    const missing = generated - evicted - quarantinedSamples - pendingSamples - stored;
    assert.equal(missing, 0, `${missing} of ${generated} samples are nowhere`);
    assert.equal(evicted + quarantinedSamples, 0);
    return `${kills} kills, ${generated} samples in the spool: ${stored} stored, ${pendingSamples} wait, none lost`;
  } finally {
    device.close();
    store.close();
  }
}
