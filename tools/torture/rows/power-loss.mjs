import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { dataSourceOptions, openSampleStore } from '@device-metrics/storage';
import { DataSource } from 'typeorm';
import { Disk, replay, tracing } from '../disk-trace.mjs';
import { assert, childOf, post, PRELOADS, random, runOf, startApi, valueOf } from '../kit.mjs';

export const name = 'Power loss, from a trace of what was synced';

export const missing = () =>
  spawnSync('strace', ['-f', '--seccomp-bpf', '-qq', '-e', 'trace=none', 'true']).status === 0
    ? undefined
    : 'strace is not there, or may not trace';

/** What was acknowledged is there, whatever else of what was written had reached the disk; without syncs it is not. */
export async function run({ file, short }) {
  const requests = short ? 8 : 300;
  const cuts = short ? 4 : 100;
  mkdirSync(file('new'));
  await (await startApi(file('new/metrics.db'))).stop();
  const whole = await loseAfter('full', [PRELOADS.hurry], { file, requests, cuts });
  assert.equal(whole.lost, 0, `${whole.lost} of ${whole.tried} power failures lost acknowledged samples: ${whole.why}`);
  if (short) return `${whole.tried} power failures, ${whole.samples} samples, none lost`;
  const without = await loseAfter('normal', [PRELOADS['without-sync'], PRELOADS.hurry], { file, requests, cuts });
  assert(without.lost > 0, 'a build that does not sync each commit passes: this row sees nothing');
  return `${whole.tried} power failures, ${whole.samples} samples, none lost; with synchronous=NORMAL ${without.lost} of ${without.tried} lose some`;
}

async function loseAfter(name, preload, { file, requests, cuts }) {
  const folder = file(name);
  mkdirSync(folder);
  const database = `${folder}/metrics.db`;
  for (const one of readdirSync(file('new'))) copyFileSync(`${file('new')}/${one}`, `${folder}/${one}`);
  const trace = file(`${name}.strace`);
  const api = await startApi(database, {}, { preload, under: tracing(trace) });
  const sent = [];
  const start = Date.now() - 6 * 3_600_000;
  for (let number = 0; number < requests; number += 1) {
    const batch = runOf(`pc-${number % 3}`, start + number * 30_000, 200);
    assert.equal((await post(api.url, [batch])).status, 200);
    sent.push(batch);
  }
  process.kill(childOf(api.pid), 'SIGKILL');
  await api.ended;

  const disk = new Disk(file('new'));
  disk.folder = folder;
  const pick = random(99);
  const result = { tried: 0, lost: 0, samples: requests * 200, why: '' };
  const at = new Set(Array.from({ length: cuts }, () => 1 + pick(requests)));
  const answers = await replay(
    trace,
    disk,
    (text) => text.startsWith('HTTP/1.1 200'),
    async (count) => {
      if (!at.has(count)) return;
      const failed = file('failed');
      rmSync(failed, { recursive: true, force: true });
      mkdirSync(failed);
      disk.fail(failed, pick);
      result.tried += 1;
      const problem = await problemOf(`${failed}/metrics.db`, sent.slice(0, count));
      if (problem) {
        result.lost += 1;
        result.why = problem;
      }
    },
  );
  rmSync(trace);
  assert.equal(answers, requests, 'the trace does not show every answer');
  return result;
}

/** What is not as it was acknowledged; undefined where all is. */
async function problemOf(path, sent) {
  const dataSource = new DataSource(dataSourceOptions(path));
  try {
    await dataSource.initialize();
    const store = await openSampleStore(dataSource, { sealInterval: 0, onProblem: () => undefined });
    const stored = new Map();
    for await (const one of store.readSamples(await store.findSeries({}), { start: 0, end: 8e15 })) {
      const times = new Set(Array.from(one.timestamps));
      stored.set(one.series.deviceName, times);
      for (let index = 0; index < one.timestamps.length; index += 1) {
        if (one.values[index] !== valueOf(one.series.deviceName, one.timestamps[index])) return 'a wrong number';
      }
    }
    await store.close();
    for (const { device_name: device, samples } of sent) {
      for (const [time] of samples)
        if (!stored.get(device)?.has(time)) return `${device} lacks ${new Date(time).toISOString()}`;
    }
    return undefined;
  } catch (error) {
    return String(error);
  } finally {
    if (dataSource.isInitialized) await dataSource.destroy();
  }
}
