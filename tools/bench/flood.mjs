/**
 * What others notice of one sender whose label has a random value: honest requests alone and beside it, in turns. It sends batches
 * of new series as fast as `--series` of them come in a minute, and goes on though it is refused. The time is told by the clock, and by
 * the CPU that the api's event loop took meanwhile, which other work on the machine does not change; what a flush of the disk took by
 * itself is told beside it. The turns are short, so that what else happens on the machine meets both alike. Linux only.
 *
 * Usage: npm run build && node tools/bench/flood.mjs [--seconds 5] [--pairs 8] [--series 200000]
 */
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { BATCH, honest, loopTime, post, quantile, say, start } from './honest.mjs';

const count = (standard) => ({ type: 'string', default: String(standard) });
const { values: options } = parseArgs({ options: { seconds: count(5), pairs: count(8), series: count(200_000) } });
const [SECONDS, PAIRS, SERIES] = [Number(options.seconds), Number(options.pairs), Number(options.series)];
/** Series of one request. */
const AT_ONCE = 5_000;

/** Sends new series until it is told to end, and says then how often it got which answer. */
async function flood({ port, run }) {
  let isOver = false;
  parentPort.once('message', () => (isOver = true));
  const statuses = {};
  let last = '';
  const every = 60_000 / (SERIES / AT_ONCE);
  const began = performance.now();
  for (let n = 0; !isOver; n += 1) {
    const items = Array.from({ length: AT_ONCE }, (_, at) => ({
      device_name: 'flood',
      metric_name: 'bench.request',
      value: at,
      labels: { path: '/', request: `${run}-${n}-${at}` },
    }));
    const { status, text } = await post(port, BATCH, JSON.stringify({ metrics: items }));
    statuses[status] = (statuses[status] ?? 0) + 1;
    if (status !== 200) last = text;
    await sleep(Math.max(0, began + (n + 1) * every - performance.now()));
  }
  parentPort.postMessage({ statuses, last });
}

async function beside(api, run) {
  let worker;
  const before = loopTime(api.pid);
  const found = await honest(api, SECONDS, () => {
    worker = new Worker(new URL(import.meta.url), { workerData: { port: api.port, run }, argv: process.argv.slice(2) });
  });
  const took = loopTime(api.pid) - before;
  const answer = once(worker, 'message');
  worker.postMessage('end');
  const [told] = await answer;
  return { ...found, ...told, took };
}

async function main() {
  const folder = await mkdtemp(join(tmpdir(), 'device-metrics-bench-'));
  // What limits it is how many come in a minute.
  const api = await start(folder, { MAX_SERIES_PER_DEVICE: '0' });
  try {
    const alone = { times: [], loop: [], flushes: [], most: 0, took: 0 };
    const together = { times: [], loop: [], flushes: [], most: 0, took: 0, statuses: {}, last: '' };
    // The first turns warm up, and use up what series the flood may make.
    await honest(api, SECONDS);
    await beside(api, 'first');
    for (let pair = 0; pair < PAIRS; pair += 1) {
      const before = loopTime(api.pid);
      const quiet = await honest(api, SECONDS);
      alone.took += loopTime(api.pid) - before;
      const flooded = await beside(api, pair);
      together.took += flooded.took;
      for (const [sum, one] of [
        [alone, quiet],
        [together, flooded],
      ]) {
        sum.times.push(...one.times);
        sum.loop.push(...one.loop);
        sum.flushes.push(...one.flushes);
        sum.most = Math.max(sum.most, one.most);
      }
      for (const [status, times] of Object.entries(flooded.statuses)) {
        together.statuses[status] = (together.statuses[status] ?? 0) + times;
      }
      together.last = flooded.last || together.last;
    }
    for (const [name, of] of [
      ['by the clock', ({ times }) => times],
      ['in CPU of the loop', ({ loop }) => loop],
      ['of a flush by itself', ({ flushes }) => flushes],
    ]) {
      for (const [part, q] of [
        ['p50', 0.5],
        ['p99', 0.99],
      ]) {
        const [a, b] = [alone, together].map((one) => quantile(of(one), q));
        say(`${part} ${name}: alone, beside`, `${a.toFixed(1)}, ${b.toFixed(1)} ms, ${(b / a).toFixed(2)} times`);
      }
    }
    const answers = Object.values(together.statuses).reduce((sum, one) => sum + one, 0);
    say('the flood was answered', JSON.stringify(together.statuses));
    say('CPU of the loop for one of its requests', `${((together.took - alone.took) / answers).toFixed(0)} ms`);
    say('most memory: alone, beside', `${(alone.most / 1e6).toFixed(0)}, ${(together.most / 1e6).toFixed(0)} MB`);
    console.log(together.last.slice(0, 400));
  } finally {
    api.child.kill();
    await once(api.child, 'exit');
    await rm(folder, { recursive: true, force: true });
  }
}

await (isMainThread ? main() : flood(workerData));
