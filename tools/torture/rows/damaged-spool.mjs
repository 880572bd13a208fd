import { copyFileSync, rmSync, statSync, truncateSync } from 'node:fs';
import { Spool } from '../../../apps/collector/dist/upload/spool.js';
import { assert, random } from '../kit.mjs';

export const name = 'A truncated spool';

export async function run({ file, short }) {
  const whole = file('whole.db');
  const limits = { maxBytes: Infinity, minFreeBytes: 0 };
  const full = new Spool(whole, limits, () => undefined);
  const samples = (batch) =>
    Array.from({ length: 105 }, (_, index) => ({
      device_name: 'pc',
      metric_name: 'm',
      value: Math.random(),
      timestamp: batch * 1_000 + index,
    }));
  for (let batch = 0; batch < 100; batch += 1) full.add(samples(batch), 0);
  full.close();
  const { size } = statSync(whole);
  const pick = random(5);
  const cuts = [1, 4_096, ...Array.from({ length: short ? 4 : 200 }, () => 1 + pick(size - 8_192))];
  let worst = 1;
  for (const cut of cuts) {
    const damaged = file('damaged.db');
    for (const suffix of ['', '-wal', '-shm', '.reserve']) rmSync(damaged + suffix, { force: true });
    copyFileSync(whole, damaged);
    truncateSync(damaged, size - cut);
    const spool = new Spool(damaged, limits, () => undefined);
    const { generated, sent, evicted, pendingSamples } = spool.totals();
    spool.close();
    assert.equal(generated, sent + evicted + pendingSamples, `the totals do not add up after a cut of ${cut}`);
    const readable = Math.floor(((size - cut) / size) * 10_500) - 1_050;
    assert(pendingSamples >= readable, `${pendingSamples} of ${readable} samples saved after a cut of ${cut}`);
    worst = Math.min(worst, readable <= 0 ? 1 : pendingSamples / (((size - cut) / size) * 10_500));
  }
  return `${cuts.length} cuts; at worst ${Math.round(worst * 100)} % of what was left in the file`;
}
