import { copyFileSync, existsSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { openDatabase } from '@device-metrics/sqlite';
import {
  assert,
  command,
  get,
  NoStart,
  post,
  PRELOADS,
  random,
  runOf,
  samplesOf,
  sleep,
  startApi,
  valueOf,
} from '../kit.mjs';

export const name = 'Flips, zeroed pages and truncations of the database';
const DEVICES = ['pc-1', 'pc-2', 'pc-3'];
const LABELS = { shelf: 'left' };

/** Never a wrong number; always a start, or a sentence that names `repair`, which saves samples. */
export async function run({ file, short }) {
  const whole = file('whole.db');
  const samples = await fill(whole);
  const places = placesOf(whole);
  const outcome = { started: 0, repaired: 0, less: 0, late: 0 };
  const turns = short ? 6 : 204;
  let next = 0;
  const worker = async (number) => {
    for (let turn = next++; turn < turns; turn = next++) {
      const pick = random(2_026 + turn);
      const damaged = file(`damaged-${number}.db`);
      for (const suffix of ['', '-wal', '-shm', '.new', '.new-wal', '.new-shm'])
        rmSync(damaged + suffix, { force: true });
      const [what, pages] = places[turn % places.length];
      const how = ['flip', 'flip', 'zero', 'cut'][Math.floor(turn / places.length) % 4];
      damage(whole, damaged, what, pages, how, pick);
      try {
        const stored = await readOrRepair(damaged, outcome);
        assert(stored <= samples);
        if (stored < samples) outcome.less += 1;
        if (what === 'payload' && how === 'zero') {
          const taken = await takeLate(damaged);
          outcome.late += taken;
        }
      } catch (error) {
        throw new Error(`turn ${turn}, ${how} in ${what}: ${error.message}`, { cause: error });
      }
    }
  };
  await Promise.all([0, 1].map(worker));
  const kinds = places.map(([what]) => what).join(', ');
  return `${turns} over ${kinds}: ${outcome.started} started, ${outcome.repaired} repaired, ${outcome.less} lost some samples, ${outcome.late} late ones taken over zeroed pages, no wrong number`;
}

/** Chunks, parts, a journal, and a log that was not taken over: the api was killed. */
async function fill(whole) {
  const sealing = await startApi(whole, {}, { preload: [PRELOADS.hurry] });
  const send = async (api, hours) => {
    for (const device of DEVICES) {
      for (const hour of hours) {
        const run = { ...runOf(device, Date.now() - hour * 3_600_000, 300), labels: LABELS };
        assert.equal((await post(api.url, [run])).status, 200);
      }
    }
  };
  await send(
    sealing,
    Array.from({ length: 24 }, (_, index) => 40 - index),
  );
  await sealing.stop();
  const api = await startApi(whole);
  await send(api, [6, 5, 4]);
  await api.kill();
  return DEVICES.length * 27 * 300;
}

/** What can be damaged, and the pages that it has; of the log, none. */
function placesOf(whole) {
  const copy = `${whole}.look`;
  for (const suffix of ['', '-wal']) copyFileSync(whole + suffix, copy + suffix);
  const db = openDatabase(copy);
  const pages = (...tables) =>
    tables.flatMap((table) => db.prepare('SELECT pageno FROM dbstat WHERE name = ?').pluck().all(table));
  const places = [
    ['payload', pages('chunk', 'part')],
    ['journal', pages('journal')],
    [
      'keys',
      [
        ...pages('chunk').slice(0, 2),
        ...pages('sqlite_autoindex_series_1', 'sqlite_autoindex_device_1', 'sqlite_autoindex_part_1'),
      ],
    ],
    ['metadata', pages('device', 'series', 'latest', 'device_alias', 'sqlite_sequence')],
    ['schema', pages('sqlite_schema')],
    ['log', []],
  ];
  const named = new Set(places.flatMap(([, some]) => some));
  const all = db.prepare('SELECT pageno FROM dbstat').pluck().all();
  places.push(['other tables', all.filter((page) => !named.has(page))]);
  db.close();
  for (const suffix of ['', '-wal', '-shm']) rmSync(copy + suffix, { force: true });
  return places;
}

function damage(whole, damaged, what, pages, how, pick) {
  for (const suffix of ['', '-wal']) if (existsSync(whole + suffix)) copyFileSync(whole + suffix, damaged + suffix);
  const path = what === 'log' ? `${damaged}-wal` : damaged;
  const copy = readFileSync(path);
  const page =
    pages.length > 0 ? (pages[pick(pages.length)] - 1) * 4_096 : pick(Math.ceil(copy.length / 4_096)) * 4_096;
  if (page >= copy.length || how === 'cut') return truncateSync(path, 1 + pick(copy.length));
  // Half of the keys stand at the start of a page.
  const at = page + (pick(2) === 0 ? pick(128) : pick(4_096));
  if (how === 'flip') copy[Math.min(at, copy.length - 1)] ^= 1 << pick(8);
  else copy.fill(0, page, Math.min(page + 4_096, copy.length));
  return writeFileSync(path, copy);
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
    for (const suffix of ['-wal', '-shm']) rmSync(damaged + suffix, { force: true });
    copyFileSync(`${damaged}.new`, damaged);
    api = await startApi(damaged);
    outcome.repaired += 1;
  }
  try {
    const { devices = [] } = JSON.parse((await get(api.url, '/api/v1/devices')).text);
    let stored = 0;
    for (const { device_name: device } of devices) {
      assert(DEVICES.includes(device) || /^repaired-device-\d+$/.test(device), `a device ${device} that never was`);
      if (DEVICES.includes(device)) stored += (await samplesOf(api.url, device)).size;
    }
    for (const one of JSON.parse((await get(api.url, '/api/v1/reports/latest')).text).samples) {
      assert.deepEqual([one.metric_name, one.labels], ['m', LABELS], `a series ${JSON.stringify(one)} that never was`);
      if (!DEVICES.includes(one.device_name)) continue;
      assert.equal(one.value, valueOf(one.device_name, Date.parse(one.timestamp)), 'a wrong latest sample');
    }
    return stored;
  } finally {
    await api.stop();
  }
}

/** Late samples for every hour, over pages that are gone: all are taken, sealed and told of. */
async function takeLate(damaged) {
  const api = await startApi(damaged, {}, { preload: [PRELOADS.hurry] });
  try {
    let taken = 0;
    for (const turn of [1, 2]) {
      const hours = Array.from({ length: 42 }, (_, index) => Math.floor(Date.now() / 3_600_000) - 1 - index);
      const times = hours.map((hour) => hour * 3_600_000 + 1_800_000 + turn);
      for (const device of DEVICES) {
        const samples = times.map((time) => [time, valueOf(device, time)]);
        const { status, body } = await post(api.url, [
          { device_name: device, metric_name: 'm', labels: LABELS, samples },
        ]);
        assert.equal(status, 200, body);
        taken += samples.length;
      }
      await untilSealed(api.url);
      for (const device of DEVICES) {
        const stored = await samplesOf(api.url, device);
        assert(
          times.every((time) => stored.has(time)),
          `a late sample of ${device} is not there`,
        );
      }
    }
    return taken;
  } finally {
    await api.stop();
  }
}

async function untilSealed(url) {
  for (let look = 0; look < 400; look += 1) {
    const { text } = await get(url, '/metrics');
    if (/^device_metrics_store_journal_rows 0$/m.test(text)) return;
    await sleep(25);
  }
  assert.fail('late samples stay in the journal');
}
