import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { settle, startCollector, startDevice, startStore, totalsOf } from '../collector-kit.mjs';
import { assert, command, mainOf, NoStart, post, runOf, samplesOf, sleep, startApi } from '../kit.mjs';
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
  await back.stop();
  return `20 batches of the version before read by this one, and by the one before again after its backup was restored; ${sent}`;
}

async function expectSamples(api, device, count) {
  assert.equal((await samplesOf(api.url, device)).size, count, `${device} does not have ${count} samples`);
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
