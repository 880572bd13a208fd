import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { settle, startCollector, startDevice, startStore, totalsOf } from '../collector-kit.mjs';
import { assert, command, get, mainOf, NoStart, post, runOf, samplesOf, sleep, startApi } from '../kit.mjs';
import { folderOfVersionBefore } from '../version-before.mjs';

export const name = 'The version before beside this one';
/** It is built anew, which takes a minute. */
export const isLong = true;

export { missing } from '../version-before.mjs';

/** The database goes on, collectors of both send to apis of both, and the way back is said and works. */
export async function run({ file }) {
  const old = folderOfVersionBefore();
  const [before, now] = [{ main: mainOf('api', old) }, {}];
  const database = file('data/metrics.db');
  mkdirSync(file('data'));
  const settings = { BACKUP_PATH: file('backups') };
  const start = Date.now() - 6 * 3_600_000;
  const old1 = await startApi(database, settings, before);
  for (let part = 0; part < 20; part += 1) {
    assert.equal((await post(old1.url, [runOf(`pc-${part % 3}`, start + part * 600_000, 500)])).status, 200);
  }
  await old1.kill();
  const api = await startApi(database, settings, now);
  for (let device = 0; device < 3; device += 1) await expectSamples(api, `pc-${device}`, device < 2 ? 3_500 : 3_000);
  assert.equal((await post(api.url, [runOf('pc-0', start + 5 * 3_600_000, 500)])).status, 200);
  await expectSamples(api, 'pc-0', 4_000);
  await api.stop();

  const refused = await startApi(database, settings, before).then(
    () => assert.fail('the version before opens a database that this one has changed'),
    (error) => error,
  );
  assert(
    refused instanceof NoStart && /newer version/.test(refused.message) && /restore/.test(refused.message),
    refused.message,
  );
  const [backup] = readdirSync(file('backups')).filter((one) => one.startsWith('before-'));
  const { code, text } = await command(database, 'restore', join(file('backups'), backup));
  assert.equal(code, 0, text);
  const back = await startApi(database, settings, before);
  await expectSamples(back, 'pc-0', 3_500);

  const sent = await bothWays(file, old);
  const toOld = await sendsAll(file('new-to-old'), back, mainOf('collector'));
  await back.stop();
  const fresh = await startApi(file('fresh.db'), settings, now);
  const toNew = await sendsAll(file('old-to-new'), fresh, mainOf('collector', old));
  await fresh.stop();
  return `20 batches of the version before read by this one, and by the one before again after its backup was restored; ${sent}; a collector of this version sent ${toOld} samples to the api before, one before ${toNew} to this api`;
}

async function expectSamples(api, device, count) {
  assert.equal((await samplesOf(api.url, device)).size, count, `${device} does not have ${count} samples`);
}

/** A collector that joins an api by its code sends there, before and after a restart; `main` of the collector. */
export async function sendsAll(folder, api, main) {
  const device = await startDevice();
  try {
    const invitation = await fetch(`${api.url}/api/v1/invitations`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{}',
    });
    const { code } = await invitation.json();
    mkdirSync(folder);
    const env = { PATH: process.env.PATH, DEVICE_NAME: 'pc' };
    execFileSync(process.execPath, [main, 'join', api.url, '--code', code], { cwd: folder, env, stdio: 'pipe' });
    for (const rounds of [30, 60]) {
      const collector = startCollector(folder, device, api, {}, main);
      while (device.rounds < rounds) await sleep(20);
      await collector.stop();
    }
    const last = startCollector(folder, device, api, {}, main);
    await sleep(2_000);
    await last.stop();
    const { text } = await get(api.url, '/api/v1/reports/summary?time_range=1&device_name=counters');
    const rows = JSON.parse(text).summaries.filter(({ metric_name: name }) => name === 'count');
    const [{ count, max }] = rows;
    assert(
      rows.every((row) => row.count === count && row.max === max),
      text.slice(0, 500),
    );
    // A run that a stop ends has asked the device, and sends nothing.
    assert(count >= 60 - 3 && max - count <= 3, `${count} samples of each counter arrived, up to ${max}`);
    return count;
  } finally {
    device.close();
  }
}

/** A spool that one version leaves goes on with the other. */
async function bothWays(file, old) {
  const [device, store] = [await startDevice(), await startStore(() => 503)];
  try {
    const folder = file('collector');
    const main = mainOf('collector', old);
    const collector = startCollector(folder, device, store, {}, main);
    while (device.rounds < 10) await sleep(20);
    await collector.kill();
    const left = totalsOf(join(folder, 'instance/spool.db')).pendingSamples;
    assert(left > 0);
    const { generated, evicted, pendingSamples, stored } = await settle(
      folder,
      device,
      store,
      join(folder, 'instance/spool.db'),
    );
    assert.equal(generated, evicted + pendingSamples + stored);
    return `${left} samples in a spool of the version before sent by this one`;
  } finally {
    device.close();
    store.close();
  }
}
