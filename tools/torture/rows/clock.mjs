import { existsSync, writeFileSync } from 'node:fs';
import { settle, startCollector, startDevice, startStore } from '../collector-kit.mjs';
import { assert, post, PRELOADS, samplesOf, runOf, sleep, startApi } from '../kit.mjs';

export const name = 'Clock steps of api and collector';
const LIBRARY = ['x86_64-linux-gnu', 'aarch64-linux-gnu', '.']
  .map((folder) => `/usr/lib/${folder}/faketime/libfaketime.so.1`)
  .find((path) => existsSync(path));

export const missing = () => (LIBRARY ? undefined : 'libfaketime is not installed');

const at = (time) => ({ LD_PRELOAD: LIBRARY, FAKETIME: time, FAKETIME_DONT_FAKE_MONOTONIC: '1' });

export async function run({ file, short }) {
  await inThePast(file('past.db'));
  const days = await farAhead(file('ahead.db'), short);
  const steps = await collectorSteps(file, short);
  return `1970: refused with a 503, what was stored stays; ${days}; ${steps}`;
}

async function inThePast(database) {
  const now = await startApi(database);
  assert.equal((await post(now.url, [runOf('pc-1', Date.now() - 3_600_000, 100)])).status, 200);
  await now.stop();
  const past = await startApi(database, at('@1970-01-02 00:00:00'));
  const { status } = await post(past.url, [{ device_name: 'pc-1', metric_name: 'm', value: 1 }]);
  assert.equal(status, 503, 'a sample without a time is taken in 1970');
  assert.equal((await samplesOf(past.url, 'pc-1')).size, 100);
  await past.stop();
}

/** Upkeep with a clock that is far ahead deletes nothing, though samples of that time come, and though it starts again. */
async function farAhead(database, short) {
  const now = await startApi(database, {}, { preload: [PRELOADS.hurry] });
  assert.equal((await post(now.url, [runOf('pc-1', Date.now() - 7_200_000, 100)])).status, 200);
  await sleep(200);
  await now.stop();
  const starts = short ? 2 : 5;
  for (let start = 0; start < starts; start += 1) {
    const ahead = await startApi(database, at('+150d'), { preload: [PRELOADS.hurry] });
    const { status } = await post(ahead.url, [{ device_name: 'pc-2', metric_name: 'm', value: 1 }]);
    assert.equal(status, 200, 'the time of the server is not taken');
    await sleep(short ? 150 : 600);
    assert.equal((await samplesOf(ahead.url, 'pc-1')).size, 100, 'a clock that is 150 days ahead has cost raw samples');
    await ahead.stop();
  }
  return `150 days ahead over ${starts} starts: no sample deleted`;
}

/** Readings stay whole, and none is lost, while the clock of the collector goes ahead and back. */
async function collectorSteps(file, short) {
  const [device, store] = [await startDevice(), await startStore()];
  const clock = file('clock');
  const set = (time) => writeFileSync(clock, `${time}\n`);
  set('+0');
  const env = {
    ...{ LD_PRELOAD: LIBRARY, FAKETIME_TIMESTAMP_FILE: clock, FAKETIME_NO_CACHE: '1' },
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
  };
  try {
    const collector = startCollector(file('collector'), device, store, env);
    const steps = short ? ['+2h', '-1h'] : ['+2h', '-1h', '+0', '+1d', '-3d', '+5s', '-5s', '+0'];
    for (const step of steps) {
      const seen = device.rounds;
      while (device.rounds < seen + 5) await sleep(20);
      set(step);
    }
    const seen = device.rounds;
    while (device.rounds < seen + 5) await sleep(20);
    await collector.stop();
    set('+0');
    const spool = `${file('collector')}/instance/spool.db`;
    const { generated, evicted, quarantinedSamples, pendingSamples, stored } = await settle(
      file('collector'),
      device,
      store,
      spool,
      env,
      true,
    );
    assert.equal(generated - evicted - quarantinedSamples - pendingSamples - stored, 0, 'samples are nowhere');
    return `${steps.length} steps of the collector's clock: ${generated} samples, none lost or doubled`;
  } finally {
    device.close();
    store.close();
  }
}
