import { readFileSync, readdirSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { Spool } from '../../../apps/collector/dist/upload/spool.js';
import { assert, random } from '../kit.mjs';

export const name = 'Flips, zeroed pages and truncations of the spool';

/** What the pages hold is saved, none of it changed, and the totals add up. */
export async function run({ file, short }) {
  const whole = file('whole.db');
  const limits = { maxBytes: Infinity, minFreeBytes: 0 };
  const full = new Spool(whole, limits, () => undefined);
  const valueOf = (timestamp) => Math.sin(timestamp);
  for (let batch = 0; batch < 100; batch += 1) {
    const samples = Array.from({ length: 105 }, (_, index) => {
      const timestamp = batch * 1_000 + index;
      return { device_name: 'pc', metric_name: 'm', value: valueOf(timestamp), timestamp };
    });
    full.add(samples, 0);
  }
  full.close();
  const { size } = statSync(whole);
  const pick = random(5);
  const cuts = [1, 4_096, ...Array.from({ length: short ? 2 : 65 }, () => 1 + pick(size - 8_192))];
  const turns = [
    ...cuts.map((cut) => ({ cut })),
    ...Array.from({ length: short ? 2 : 67 }, () => ({ zero: pick(size / 4_096) })),
    ...Array.from({ length: short ? 2 : 67 }, () => ({ flip: pick(4) === 0 ? pick(8_192) : pick(size) })),
  ];
  const bytes = readFileSync(whole);
  let [worst, told] = [1, 0];
  for (const { cut, zero, flip } of turns) {
    const damaged = file('damaged.db');
    for (const one of readdirSync(file('.'))) if (one.startsWith('damaged.db')) rmSync(file(one), { force: true });
    const copy = Buffer.from(bytes);
    if (zero !== undefined) copy.fill(0, zero * 4_096, (zero + 1) * 4_096);
    if (flip !== undefined) copy[flip] ^= 1 << pick(8);
    writeFileSync(damaged, copy);
    if (cut !== undefined) truncateSync(damaged, size - cut);
    const spool = new Spool(damaged, limits, () => (told += 1));
    let readableNow = 0;
    for (;;) {
      const batch = spool.nextOfAll(Number.MAX_SAFE_INTEGER);
      if (!batch) break;
      const samples = samplesOfBatch(batch.payload);
      if (samples) {
        for (const { value, timestamp } of samples) assert.equal(value, valueOf(timestamp), 'a wrong number');
        readableNow += samples.length;
        spool.acknowledge(batch.sequence);
      } else spool.quarantine(batch.sequence, 'damaged');
    }
    const { generated, sent, evicted, dropped, pendingSamples, quarantinedSamples } = spool.totals();
    spool.close();
    const place = JSON.stringify({ cut, zero, flip });
    assert.equal(generated, sent + evicted + dropped + pendingSamples + quarantinedSamples, `totals after ${place}`);
    const left = cut === undefined ? 1 : (size - cut) / size;
    // Besides batches there are ten pages of other things; a batch on each side of what is damaged may go with it.
    const lost = cut === undefined ? 2_100 : Math.ceil((10 * 4_096 * 10_500) / size) + 210;
    const readable = Math.floor(left * 10_500) - lost;
    assert(readableNow >= readable, `${readableNow} of ${readable} samples saved after ${place}`);
    worst = Math.min(worst, readable <= 0 ? 1 : readableNow / (left * 10_500));
  }
  return `${turns.length} times; at worst ${Math.round(worst * 100)} % of what was left in the file, no wrong number, said ${told} times`;
}

function samplesOfBatch(payload) {
  try {
    return JSON.parse(gunzipSync(payload).toString()).metrics;
  } catch {
    return undefined;
  }
}
