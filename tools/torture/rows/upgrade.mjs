import { copyFileSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { settle, startCollector, startDevice, startStore, totalsOf } from '../collector-kit.mjs';
import { assert, get, mainOf, NoStart, post, random, runOf, samplesOf, sleep, startApi } from '../kit.mjs';
import { folderOfVersionBefore } from '../version-before.mjs';

export { missing } from '../version-before.mjs';
export const name = 'SIGKILL of an upgrade from the version before';
export const isLong = true;

const KILLS = 20;
const DEVICES = 10;
const RUN = 1_000;

/** Whenever the upgrade is killed, one of the two versions runs with all data; a full spool goes on with the new collector. */
export async function run({ file, short }) {
  const old = folderOfVersionBefore();
  return `${await upgradeApi(file, old, short)}; ${await upgradeCollector(file, old)}`;
}

async function upgradeApi(file, old, short) {
  const pick = random(21);
  const before = { main: mainOf('api', old) };
  const perDevice = short ? 10_000 : 1_000_000;
  const [origin, database, backups] = [file('origin/metrics.db'), file('data/metrics.db'), file('backups')];
  mkdirSync(file('origin'));
  await fill(await startApi(origin, {}, before), perDevice);

  const settings = { BACKUP_PATH: backups };
  const fresh = () => {
    rmSync(file('data'), { recursive: true, force: true });
    rmSync(backups, { recursive: true, force: true });
    mkdirSync(file('data'));
    copyFileSync(origin, database);
  };
  fresh();
  const begin = performance.now();
  const whole = await startApi(database, settings);
  const takes = performance.now() - begin;
  await expectAll(whole, perDevice);
  const samples = await samplesOf(whole.url, 'pc-3');
  assert.equal(samples.size, perDevice);
  await whole.stop();
  assert(readdirSync(backups).some((one) => one.startsWith('before-')));

  const went = { before: 0, now: 0 };
  for (let kill = 0; kill < KILLS; kill += 1) {
    fresh();
    let upgrading;
    const started = startApi(database, settings, { spawned: (child) => (upgrading = child) }).catch(() => undefined);
    await sleep(pick(Math.ceil(takes * 1.1)));
    upgrading.kill('SIGKILL');
    await (await started)?.kill();
    // Whoever goes back to the version before: it runs, or says that the newer one has to.
    if (kill % 2 === 0) {
      const back = await startApi(database, settings, before).catch((error) => error);
      if (back instanceof NoStart) assert(/newer version/.test(back.message), back.message);
      else {
        went.before += 1;
        await expectAll(back, perDevice);
        await back.stop();
      }
    }
    const api = await startApi(database, settings);
    went.now += 1;
    await expectAll(api, perDevice);
    await api.stop();
  }
  const size = (statSync(origin).size / 2 ** 20).toFixed(0);
  return (
    `${DEVICES * perDevice} samples, ${size} MiB, upgraded in ${(takes / 1_000).toFixed(1)} s; ${KILLS} kills on the way: the version ` +
    `before went on ${went.before} times, this one ${went.now} times, with all samples`
  );
}

async function fill(api, perDevice) {
  const start = Date.now() - 6 * 3_600_000;
  for (let from = 0; from < perDevice; from += RUN) {
    const runs = Array.from({ length: DEVICES }, (_, device) => runOf(`pc-${device}`, start + from * 10, RUN));
    const { status, body } = await post(api.url, runs);
    assert.equal(status, 200, body);
  }
  await expectAll(api, perDevice);
  await api.stop();
}

async function expectAll(api, perDevice) {
  const { text } = await get(api.url, '/api/v1/reports/summary?time_range=24&device_name=pc-*');
  const counts = [...text.matchAll(/"count":(\d+)/g)].map(([, count]) => Number(count));
  assert.deepEqual(counts, Array(DEVICES).fill(perDevice), text.slice(0, 500));
}

/** The new collector takes over a spool that the one before has filled, and is killed again and again while it sends. */
async function upgradeCollector(file, old) {
  const pick = random(22);
  const [device, store] = [await startDevice(), await startStore(() => 503)];
  const folder = file('collector');
  const spool = join(folder, 'instance/spool.db');
  const env = { SPOOL_MAX_BYTES: '64KiB' };
  try {
    const before = startCollector(folder, device, store, env, mainOf('collector', old));
    for (let rounds = 100; totalsOfIfThere(spool)?.evicted === 0 || device.rounds < 100; rounds += 1) {
      assert(rounds < 2_000, 'the spool is never full');
      await sleep(100);
    }
    await before.kill();
    const { pendingSamples: left } = totalsOf(spool);
    store.mood = () => ['take', 'take', 'lose', 503][pick(4)];
    for (let kill = 0; kill < KILLS; kill += 1) {
      const collector = startCollector(folder, device, store, env);
      await sleep(100 + pick(900));
      await collector.kill();
    }
    const { generated, evicted, quarantinedSamples, pendingSamples, stored } = await settle(
      folder,
      device,
      store,
      spool,
      env,
    );
    // What was stored without the collector hearing of it may count as given up, too.
    const missing = generated - evicted - quarantinedSamples - pendingSamples - stored;
    assert(missing <= 0, `${missing} samples are nowhere`);
    return `a full spool of ${left} samples: ${KILLS} kills of the new collector, ${stored} stored, none lost`;
  } finally {
    device.close();
    store.close();
  }
}

const totalsOfIfThere = (spool) => {
  try {
    return totalsOf(spool);
  } catch {
    return undefined;
  }
};
