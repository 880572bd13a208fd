import { statSync } from 'node:fs';
import { settle, startCollector, startDevice, startStore, totalsOf } from '../collector-kit.mjs';
import { assert, sleep } from '../kit.mjs';
import { missingSmallDisk, withSmallDisk } from '../small-disk.mjs';

export const name = 'A full disk under the spool, filled by another program';

export const missing = missingSmallDisk;

/** Sending goes on and makes room; what is given up is counted, also at a stop while the disk is full. */
export const run = ({ file, short }) =>
  withSmallDisk(file('disk'), 24, async (disk) => {
    const device = await startDevice();
    const store = await startStore(() => 503);
    const spool = file('disk/spool.db');
    const env = { SPOOL_PATH: spool, SPOOL_MIN_FREE_BYTES: '1MiB' };
    const folder = file('collector');
    try {
      let stops = 0;
      for (let round = 0; round < (short ? 1 : 4); round += 1) {
        const collector = startCollector(folder, device, store, env);
        const begun = device.rounds;
        while (device.rounds < begun + 5) await sleep(20);
        disk.fill();
        while (device.rounds < begun + 15) await sleep(20);
        if (round % 2 === 0) {
          // The api is back while the disk is full: what was sent goes.
          const before = store.values.size;
          store.mood = () => 'take';
          for (const end = performance.now() + 60_000; store.values.size <= before; await sleep(50)) {
            assert(performance.now() < end, 'nothing is sent while the disk is full');
          }
          await sleep(short ? 500 : 2_000);
          store.mood = () => 503;
        }
        await collector.stop();
        stops += 1;
        disk.free();
        const { generated, sent, evicted, dropped, quarantinedSamples, pendingSamples } = totalsOf(spool);
        assert.equal(generated, sent + evicted + dropped + quarantinedSamples + pendingSamples, collector.log.join(''));
      }
      const { generated, evicted, stored, pendingSamples } = await settle(folder, device, store, spool, env);
      const read = device.rounds * 10;
      assert(generated >= read - 2 * 10 * (stops + 1), `${read} samples were read and ${generated} are counted`);
      assert(statSync(spool).size > 0);
      assert.equal(generated - evicted - pendingSamples - stored, 0, 'samples are nowhere');
      return `${stops} stops with a full disk: ${read} read, ${generated} counted, ${stored} stored, ${evicted} given up and said so`;
    } finally {
      device.close();
      store.close();
    }
  });
