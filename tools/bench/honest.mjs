/** Honest senders for benchmarks of what others do to them: an api, small batches at a steady pace, and what each took. Linux only. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

export const BATCH = '/api/v1/aggregator/metrics/batch';
/** Of each honest request. */
const SAMPLES = 100;
const HONEST_EVERY = 20;
/** After so many of them the disk is asked what a flush takes by itself. */
const FLUSH_EVERY = 5;
/** What a commit writes, about. */
const FLUSHED = Buffer.alloc(8192, 1);

export const say = (what, value) => console.log(`${what.padEnd(52)} ${value}`);
const sorted = (numbers) => numbers.toSorted((a, b) => a - b);
export const quantile = (numbers, q) => sorted(numbers)[Math.min(numbers.length - 1, Math.floor(numbers.length * q))];
const agent = new Agent({ keepAlive: true, maxSockets: 8 });

let time = Date.now() - 3_600_000;
export const batch = (samples) => {
  time += 100;
  const values = Object.fromEntries(Array.from({ length: samples / 10 }, (_, n) => [`bench.m${n}`, n + (time % 97)]));
  return JSON.stringify({
    metrics: Array.from({ length: 10 }, (_, n) => ({ device_name: `bench-${n}`, timestamp: time, values })),
  });
};

export function post(port, path, body, headers = {}, through = agent) {
  return new Promise((resolve, reject) => {
    const options = { port, host: '127.0.0.1', path, method: 'POST', agent: through };
    const sent = request({ ...options, headers: { 'content-type': 'application/json', ...headers } }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (chunk) => (text += chunk));
      answer.once('end', () => resolve({ status: answer.statusCode, text }));
    });
    sent.once('error', reject).end(body);
  });
}

const memory = (pid) => Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) * 1024;
/** CPU of the thread with the event loop, ms. */
export const loopTime = (pid) => Number(readFileSync(`/proc/${pid}/task/${pid}/schedstat`, 'utf8').split(' ')[0]) / 1e6;

/** What it takes to have a few pages of a file on the disk, in which nothing but them is written, ms. */
async function flush(file) {
  const start = performance.now();
  await file.write(FLUSHED, 0, FLUSHED.length, 0);
  await file.sync();
  return performance.now() - start;
}

/**
 * Times of honest requests and what the event loop took meanwhile, ms, what a flush of the same disk took by itself, and the most
 * memory that the api took. They are connected before, as collectors are; then `begin` is called.
 */
export async function honest({ port, pid, folder }, seconds, begin = () => undefined) {
  const times = [];
  const loop = [];
  const flushes = [];
  const file = await open(join(folder, 'flush'), 'w');
  await flush(file);
  let most = 0;
  const pending = [];
  await Promise.all(Array.from({ length: agent.maxSockets }, () => post(port, BATCH, batch(SAMPLES))));
  begin();
  for (let n = 0; n < (seconds * 1_000) / HONEST_EVERY; n += 1) {
    const start = performance.now();
    const before = loopTime(pid);
    pending.push(
      post(port, BATCH, batch(SAMPLES)).then(({ status, text }) => {
        if (status !== 200) throw new Error(`an honest request got ${status}: ${text}`);
        times.push(performance.now() - start);
        loop.push(loopTime(pid) - before);
      }),
    );
    most = Math.max(most, memory(pid));
    if (n % FLUSH_EVERY === 0) pending.push(flush(file).then((took) => flushes.push(took)));
    await sleep(HONEST_EVERY);
  }
  await Promise.all(pending);
  await file.close();
  return { times, loop, flushes, most };
}

/** @param more settings of the api. */
export async function start(folder, more = {}) {
  const main = fileURLToPath(new URL('../../apps/api/dist/main.js', import.meta.url));
  const env = { PATH: process.env.PATH, PORT: '0', DATABASE_PATH: join(folder, 'metrics.db'), NO_COLOR: '1', ...more };
  const child = spawn(process.execPath, [main, '--new'], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  for await (const line of createInterface(child.stdout)) {
    const [, port] = /Listening on \S+:(\d+);/.exec(line) ?? [];
    if (port === undefined) continue;
    child.stdout.resume();
    return { child, pid: child.pid, port: Number(port), folder };
  }
  throw new Error('the api did not start');
}
