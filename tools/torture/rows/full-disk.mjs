import { assert, get, post, runOf, samplesOf, sleep, startApi } from '../kit.mjs';
import { missingSmallDisk, withSmallDisk } from '../small-disk.mjs';

export const name = 'A full disk under the database, by itself and by another program';

export const missing = missingSmallDisk;

/** What was acknowledged is there; the rest got a 503; once there is room it goes on by itself, and after a restart too. */
export const run = ({ file, short }) =>
  withSmallDisk(file('disk'), short ? 6 : 24, async (disk) => {
    const database = file('disk/metrics.db');
    let api = await startApi(database);
    const acknowledged = new Map();
    let at = Date.now() - 6 * 3_600_000;
    let refused = 0;
    const send = async (device) => {
      // Whole numbers of random size, which no codec makes small.
      const batch = runOf(device, (at += 3_000) - 3_000, 2_000, 1);
      const { status, body } = await post(api.url, [batch]);
      if (status === 200) acknowledged.set(device, [...(acknowledged.get(device) ?? []), batch.samples]);
      else {
        refused += 1;
        assert(status === 503 && body.includes('disk-full'), `${status} ${body.slice(0, 200)}`);
      }
      return status;
    };
    const sendUntil = async (status, most) => {
      for (let turn = 0; turn < most; turn += 1) {
        if ((await send(`pc-${turn % 5}`)) === status) return;
        if (status === 200) await sleep(200);
      }
      assert.fail(`never a ${status}`);
    };
    await sendUntil(200, 5);
    for (let round = 0; round < (short ? 1 : 3); round += 1) {
      disk.fill();
      await sendUntil(503, 5_000);
      assert.equal((await get(api.url, '/api/v1/reports/summary')).status, 200, 'reports end with the disk');
      assert.equal((await get(api.url, '/api/v1/admin/backup')).status, 503, 'a backup with a full disk is no 503');
      disk.free();
      await sendUntil(200, 50);
      disk.fill();
      await sendUntil(503, 5_000);
      await api.kill();
      disk.free();
      api = await startApi(database);
      await sendUntil(200, 50);
    }
    // Until it fills the disk by itself.
    await sendUntil(503, 5_000);
    let count = 0;
    for (const [device, batches] of acknowledged) {
      const stored = await samplesOf(api.url, device);
      for (const [time] of batches.flat()) assert(stored.has(time), `${device} lost an acknowledged sample`);
      count += batches.flat().length;
    }
    await api.stop();
    return `${count} acknowledged samples are there, ${refused} requests refused with a 503, went on each time`;
  });
