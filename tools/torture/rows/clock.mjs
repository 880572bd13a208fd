import { existsSync } from 'node:fs';
import { assert, post, samplesOf, runOf, sleep, startApi } from '../kit.mjs';

export const name = 'Clock of the api at 1970 (libfaketime)';
const LIBRARIES = ['x86_64-linux-gnu', 'aarch64-linux-gnu', '.'].map(
  (folder) => `/usr/lib/${folder}/faketime/libfaketime.so.1`,
);

export const missing = () => (LIBRARIES.some((path) => existsSync(path)) ? undefined : 'libfaketime is not installed');

export async function run({ file }) {
  const library = LIBRARIES.find((path) => existsSync(path));
  const now = await startApi(file('metrics.db'));
  assert.equal((await post(now.url, [runOf('pc-1', Date.now() - 3_600_000, 100)])).status, 200);
  await now.stop();
  const past = await startApi(file('metrics.db'), {
    LD_PRELOAD: library,
    FAKETIME: '@1970-01-02 00:00:00',
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
  });
  const { status } = await post(past.url, [{ device_name: 'pc-1', metric_name: 'm', value: 1 }]);
  await sleep(100);
  assert.equal(status, 503, 'a sample without a time is taken in 1970');
  assert.equal((await samplesOf(past.url, 'pc-1')).size, 100);
  await past.stop();
  return 'refused with a 503; what was stored stays';
}
