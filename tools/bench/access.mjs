/**
 * What access costs, and what senders notice of others who mean harm: ingest with a token and without, in turns; and the time of
 * honest requests, and the memory of the api, while bombs, connections that drip and live readers are there. The time is told by
 * the clock, and by the CPU that the api's event loop took meanwhile, which other work on the machine does not change. Who means
 * harm is a thread of its own. Prints a table; everything is bounded by counts. Linux only.
 *
 * Usage: npm run build && node tools/bench/access.mjs [--seconds 20] [--pairs 8] [--drips 2000] [--bombs 50] [--readers 500]
 */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { clearInterval, setInterval } from 'node:timers';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { createGzip } from 'node:zlib';
import { BATCH, batch, honest, post, quantile, say, start } from './honest.mjs';

const count = (standard) => ({ type: 'string', default: String(standard) });
const { values: options } = parseArgs({
  options: { seconds: count(20), pairs: count(8), drips: count(2_000), bombs: count(50), readers: count(500) },
});
const [SECONDS, PAIRS] = [Number(options.seconds), Number(options.pairs)];
const [DRIPS, BOMBS, READERS] = [Number(options.drips), Number(options.bombs), Number(options.readers)];
const GIB = 2 ** 30;
/** Of each request of the comparison with and without a token, and requests in each turn. */
const [LARGE, TURN] = [1_000, 200];

/** Of ratios: which of a pair came first weighs nothing. */
const mean = (ratios) => Math.exp(ratios.reduce((sum, one) => sum + Math.log(one), 0) / ratios.length);
/** Seconds of CPU of a process. */
const cpu = (pid) => {
  const [, rest] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ');
  const [user, system] = rest.split(' ').slice(11, 13).map(Number);
  return (user + system) / 100;
};

/** 1 GiB of JSON that takes 1 MB. */
async function bomb() {
  const gzip = createGzip({ level: 9 });
  const chunks = [];
  gzip.on('data', (chunk) => chunks.push(chunk));
  const spaces = Buffer.alloc(2 ** 20, ' ');
  for (let sent = 0; sent < GIB; sent += spaces.length) {
    if (!gzip.write(spaces)) await once(gzip, 'drain');
  }
  gzip.end();
  await once(gzip, 'end');
  return Buffer.concat(chunks);
}

/** Does harm until it is told to end, and says then what came of it. */
async function harm({ port, packed }) {
  const sockets = [];
  const open = (head) => {
    const socket = connect(port, '127.0.0.1').on('error', () => undefined);
    socket.write(head);
    sockets.push(socket);
    return socket;
  };
  const drip = `POST ${BATCH} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{`;
  const live = 'GET /api/v1/live HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n';
  let readers = 0;
  for (let n = 0; n < READERS; n += 1) {
    open(live).once('data', (chunk) => (readers += chunk.toString().startsWith('HTTP/1.1 200')));
  }
  const dripping = Array.from({ length: DRIPS }, () => open(drip).resume());
  const timer = setInterval(() => {
    for (const socket of dripping) if (socket.writable) socket.write(' ');
  }, 1_000);
  const end = once(parentPort, 'message');
  const statuses = {};
  for (let n = 0; n < BOMBS; n += 1) {
    const headers = { 'content-encoding': 'gzip', 'content-length': packed.length };
    const { status } = await post(port, BATCH, packed, headers, false).catch(({ code }) => ({ status: code }));
    statuses[status] = (statuses[status] ?? 0) + 1;
    await sleep((SECONDS * 1_000) / BOMBS / 2);
  }
  await end;
  clearInterval(timer);
  const closed = dripping.filter((socket) => !socket.writable).length;
  for (const socket of sockets) socket.destroy();
  parentPort.postMessage({ statuses, readers, closed });
}

async function withHarm(api) {
  const packed = await bomb();
  say('a bomb', `${(packed.length / 1e6).toFixed(2)} MB, ${(GIB / 1e9).toFixed(2)} GB unpacked`);
  let worker;
  const found = await honest(api, SECONDS, () => {
    worker = new Worker(new URL(import.meta.url), {
      workerData: { port: api.port, packed },
      argv: process.argv.slice(2),
    });
  });
  const answer = once(worker, 'message');
  worker.postMessage('end');
  const [told] = await answer;
  return { ...found, ...told };
}

async function main() {
  const folder = await mkdtemp(join(tmpdir(), 'device-metrics-bench-'));
  const api = await start(folder);
  try {
    const wish = JSON.stringify({ kind: 'ingest', name: 'bench' });
    const { token } = JSON.parse((await post(api.port, '/api/v1/tokens', wish)).text);
    const turn = async (headers) => {
      const before = cpu(api.pid);
      for (let n = 0; n < TURN; n += 1) await post(api.port, BATCH, batch(LARGE), headers);
      return cpu(api.pid) - before;
    };
    const bearer = { authorization: `Bearer ${token}` };
    await turn({});
    const ratios = [];
    for (let pair = 0; pair < PAIRS; pair += 1) {
      const first = await turn(pair % 2 === 0 ? {} : bearer);
      const second = await turn(pair % 2 === 0 ? bearer : {});
      ratios.push(pair % 2 === 0 ? second / first : first / second);
    }
    say(`CPU of ingest with a token, of that without, ${PAIRS} pairs`, `${(mean(ratios) * 100).toFixed(1)} %`);

    // The first turn warms up: what grows by itself is none of those who mean harm.
    await honest(api, SECONDS);
    const quiet = await honest(api, SECONDS);
    const beside = await withHarm(api);
    const p99 = [quiet, beside].map(({ times }) => quantile(times, 0.99));
    const loop = [quiet, beside].map((one) => quantile(one.loop, 0.99));
    say('honest requests: p50, p99 alone', `${quantile(quiet.times, 0.5).toFixed(1)}, ${p99[0].toFixed(1)} ms`);
    say('  with those who mean harm', `${quantile(beside.times, 0.5).toFixed(1)}, ${p99[1].toFixed(1)} ms`);
    say('  p99, of that alone', `${(p99[1] / p99[0]).toFixed(2)} times`);
    say(
      '  p99 in CPU of the loop: alone, with them',
      `${loop[0].toFixed(1)}, ${loop[1].toFixed(1)} ms, ${(loop[1] / loop[0]).toFixed(2)} times`,
    );
    say(`${BOMBS} bombs were answered`, JSON.stringify(beside.statuses));
    say(`${DRIPS} connections that drip: closed meanwhile`, beside.closed);
    say(`${READERS} live readers: let in`, beside.readers);
    const [before, most] = [quiet.most, beside.most].map((bytes) => bytes / 1e6);
    say(
      'memory of the api: alone, most, more',
      `${before.toFixed(0)}, ${most.toFixed(0)}, ${(most - before).toFixed(0)} MB`,
    );
  } finally {
    api.child.kill();
    await once(api.child, 'exit');
    await rm(folder, { recursive: true, force: true });
  }
}

await (isMainThread ? main() : harm(workerData));
