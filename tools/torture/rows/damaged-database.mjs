import { copyFileSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { assert, command, get, NoStart, post, random, runOf, samplesOf, startApi } from '../kit.mjs';

export const name = 'Flips, zeroed pages and truncations of the database';
const DEVICES = ['pc-1', 'pc-2', 'pc-3'];

/** Never a wrong number; always a start, or a sentence that names `repair`, which saves samples. */
export async function run({ file, short }) {
  const whole = file('whole.db');
  const api = await startApi(whole);
  for (let part = 0; part < 30; part += 1) {
    const start = Date.now() - (40 - part) * 3_600_000;
    for (const device of DEVICES) assert.equal((await post(api.url, [runOf(device, start, 300)])).status, 200);
  }
  await api.stop();
  const bytes = readFileSync(whole);
  const pick = random(2_026);
  const outcome = { started: 0, repaired: 0, less: 0 };
  for (let turn = 0; turn < (short ? 8 : 200); turn += 1) {
    const damaged = file('damaged.db');
    for (const suffix of ['-wal', '-shm', '.new', '.new-wal', '.new-shm']) rmSync(damaged + suffix, { force: true });
    const copy = Buffer.from(bytes);
    const page = pick(copy.length / 4_096) * 4_096;
    if (turn % 4 < 2) copy[pick(copy.length)] ^= 1 << pick(8);
    else if (turn % 4 === 2) copy.fill(0, page, page + 4_096);
    writeFileSync(damaged, copy);
    if (turn % 4 === 3) truncateSync(damaged, 1 + pick(copy.length));
    const stored = await readOrRepair(damaged, outcome);
    assert(stored <= DEVICES.length * 9_000);
    if (stored < DEVICES.length * 9_000) outcome.less += 1;
  }
  return `${outcome.started} started, ${outcome.repaired} repaired, ${outcome.less} lost some samples, no wrong number`;
}

async function readOrRepair(damaged, outcome) {
  let api;
  try {
    api = await startApi(damaged);
    outcome.started += 1;
  } catch (error) {
    assert(
      error instanceof NoStart && /repair/.test(error.message),
      `no start, and not what to do: ${error.message.slice(0, 500)}`,
    );
    const { code, text } = await command(damaged, 'repair', `${damaged}.new`);
    assert.equal(code, 0, text);
    copyFileSync(`${damaged}.new`, damaged);
    for (const suffix of ['-wal', '-shm']) rmSync(damaged + suffix, { force: true });
    api = await startApi(damaged);
    outcome.repaired += 1;
  }
  try {
    const { devices = [] } = JSON.parse((await get(api.url, '/api/v1/devices')).text);
    let stored = 0;
    for (const { name: device } of devices)
      if (DEVICES.includes(device)) stored += (await samplesOf(api.url, device)).size;
    return stored;
  } finally {
    await api.stop();
  }
}
