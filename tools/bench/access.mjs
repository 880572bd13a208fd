/**
 * What access costs, and what senders notice of others who mean harm: requests with a token and without, to two servers in turns; and
 * the time of honest requests, and the memory of the api, while bombs, connections that drip and live readers are there. The time is told by
 * the clock, and by the CPU that the api's event loop took meanwhile, which other work on the machine does not change. Turns alone and
 * beside those who mean harm follow each other, so that what else happens on the machine meets both alike. Who means harm is a thread of
 * its own. Prints a table; everything is bounded by counts. Linux only.
 *
 * Usage: npm run build && node tools/bench/access.mjs [--seconds 20] [--turns 3] [--pairs 40] [--drips 2000] [--bombs 50]
 *   [--readers 500]
 */
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
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
  options: {
    seconds: count(20),
    turns: count(3),
    pairs: count(40),
    drips: count(2_000),
    bombs: count(50),
    readers: count(500),
  },
});
const [SECONDS, TURNS_OF_HARM, PAIRS] = [options.seconds, options.turns, options.pairs].map(Number);
const [DRIPS, BOMBS, READERS] = [Number(options.drips), Number(options.bombs), Number(options.readers)];
const GIB = 2 ** 30;
/** Samples of each request of the comparisons with and without a token, and requests in each turn. */
const TURNS = { large: { samples: 1_000, requests: 20 }, small: { samples: 10, requests: 200 } };

/** CPU of all threads of a process, ms. */
function cpu(pid) {
  let sum = 0;
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    sum += Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]) / 1e6;
  }
  return sum;
}

/**
 * CPU of one request without a token and with one, ms. Two servers take turns: in each pair both get both, so that what tells the
 * two apart, and which comes first, weighs nothing.
 */
async function compare(servers, { samples, requests }) {
  const turn = async ({ pid, port }, headers) => {
    const before = cpu(pid);
    for (let n = 0; n < requests; n += 1) await post(port, BATCH, batch(samples), headers);
    return (cpu(pid) - before) / requests;
  };
  const bearers = [];
  for (const { port } of servers) {
    const wish = JSON.stringify({ kind: 'ingest', name: 'bench' });
    const { token } = JSON.parse((await post(port, '/api/v1/tokens', wish)).text);
    bearers.push({ authorization: `Bearer ${token}` });
  }
  const found = [];
  // The first pair warms up.
  for (let pair = 0; pair <= PAIRS; pair += 1) {
    const got = { without: 0, with: 0 };
    for (let run = 0; run < 4; run += 1) {
      const at = (run + pair) % 2;
      const isWith = run === 1 || run === 2;
      got[isWith ? 'with' : 'without'] += (await turn(servers[at], isWith ? bearers[at] : {})) / 2;
    }
    if (pair > 0) found.push(got);
  }
  return found;
}

async function costOfToken() {
  const folders = [];
  const servers = [];
  try {
    for (let n = 0; n < 2; n += 1) {
      folders.push(await mkdtemp(join(tmpdir(), 'device-metrics-bench-')));
      servers.push(await start(folders[n]));
    }
    for (const size of Object.values(TURNS)) {
      const found = await compare(servers, size);
      const spread = (numbers, unit, digits) =>
        [0.5, 0.25, 0.75].map((q) => `${quantile(numbers, q).toFixed(digits)} ${unit}`).join(', ');
      say(`CPU of a request of ${size.samples} samples, ${PAIRS} pairs: median, quartiles`, '');
      say(
        '  without a token',
        `${quantile(
          found.map((one) => one.without),
          0.5,
        ).toFixed(3)} ms`,
      );
      say(
        '  with a token, of that',
        spread(
          found.map((one) => (one.with / one.without) * 100),
          '%',
          1,
        ),
      );
      say(
        '  more',
        spread(
          found.map((one) => (one.with - one.without) * 1_000),
          'µs',
          0,
        ),
      );
    }
  } finally {
    for (const { child } of servers) {
      child.kill();
      await once(child, 'exit');
    }
    for (const folder of folders) await rm(folder, { recursive: true, force: true });
  }
}

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

async function withHarm(api, packed) {
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
  if (PAIRS > 0) await costOfToken();
  if (SECONDS > 0) await withAndWithoutHarm();
}

async function withAndWithoutHarm() {
  const folder = await mkdtemp(join(tmpdir(), 'device-metrics-bench-'));
  const api = await start(folder);
  try {
    const packed = await bomb();
    say('a bomb', `${(packed.length / 1e6).toFixed(2)} MB, ${(GIB / 1e9).toFixed(2)} GB unpacked`);
    // The first turn warms up: what grows by itself is none of those who mean harm.
    await honest(api, SECONDS);
    const turns = [];
    for (let turn = 0; turn < TURNS_OF_HARM; turn += 1) {
      turns.push([await honest(api, SECONDS), await withHarm(api, packed)]);
    }
    const [quiet, beside] = [0, 1].map((at) => {
      const its = turns.map((turn) => turn[at]);
      const [times, loop, flushes] = ['times', 'loop', 'flushes'].map((what) => its.flatMap((one) => one[what]));
      return { ...its.at(-1), times, loop, flushes, most: Math.max(...its.map(({ most }) => most)) };
    });
    const p99 = [quiet, beside].map(({ times }) => quantile(times, 0.99));
    const loop = [quiet, beside].map((one) => quantile(one.loop, 0.99));
    say('honest requests: p50, p99 alone', `${quantile(quiet.times, 0.5).toFixed(1)}, ${p99[0].toFixed(1)} ms`);
    say('  with those who mean harm', `${quantile(beside.times, 0.5).toFixed(1)}, ${p99[1].toFixed(1)} ms`);
    say('  p99, of that alone', `${(p99[1] / p99[0]).toFixed(2)} times`);
    say(
      '  p99 in CPU of the loop: alone, with them',
      `${loop[0].toFixed(1)}, ${loop[1].toFixed(1)} ms, ${(loop[1] / loop[0]).toFixed(2)} times`,
    );
    const flushes = [quiet, beside].map((one) => quantile(one.flushes, 0.99).toFixed(1));
    say('  p99 of a flush of the disk by itself: alone, with them', `${flushes.join(', ')} ms`);
    say(`${BOMBS} bombs were answered, the last time`, JSON.stringify(beside.statuses));
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
