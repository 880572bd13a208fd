/** What every row needs: a real api process, samples whose values can be foretold, and what a client sees. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { clearTimeout, setTimeout } from 'node:timers';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

/** Processes that run; those of a row that broke end with this process. */
export const running = new Set();
export const endAll = () => running.forEach((child) => child.kill('SIGKILL'));
/** Far more than a start takes on a busy machine, ms. */
const PATIENCE = 300_000;

/** What can be loaded into an api before its own code. */
export const PRELOADS = Object.fromEntries(
  ['hurry', 'watch-loop', 'without-sync'].map((name) => [name, fileURLToPath(new URL(`${name}.mjs`, import.meta.url))]),
);
const ROOT = fileURLToPath(new URL('../../', import.meta.url));
/** As tsc has made it, whose modules can be changed before they are used: `main.js` beside it runs a pack of them, where there is one. */
const MODULES = join(ROOT, 'apps/api/dist/api.js');
/** As the packages bring it, which is up in half the time. */
const PROGRAMS = resolve(process.env.DEVICE_METRICS_PROGRAMS ?? ROOT);
export const mainOf = (app, root = PROGRAMS) => join(root, `apps/${app}/dist/main.js`);
const BATCH = '/api/v1/aggregator/metrics/batch';
const MB = 2 ** 20;

/**
 * An api on a free port. `log` grows while it runs.
 *
 * @param preload modules that are loaded into it first, of `PRELOADS`.
 * @param hear hears what they tell.
 * @param under a command that starts it, with its arguments.
 * @param main of another build.
 * @param spawned gets the process before it is ready.
 */
export async function startApi(
  database,
  settings = {},
  { preload = [], hear, under = [], main = preload.length > 0 ? MODULES : mainOf('api'), spawned } = {},
) {
  const [program, ...flags] = [...under, process.execPath, ...preload.flatMap((path) => ['--import', path]), main];
  const child = spawn(program, flags, {
    env: { PATH: process.env.PATH, NO_COLOR: '1', PORT: '0', DATABASE_PATH: database, ...settings },
    stdio: ['ignore', 'pipe', 'pipe', ...(hear ? ['ipc'] : [])],
  });
  if (hear) child.on('message', hear);
  spawned?.(child);
  running.add(child);
  child.once('exit', () => running.delete(child));
  const log = [];
  const exited = once(child, 'exit');
  let waiting;
  const url = await new Promise((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      createInterface(stream).on('line', (line) => {
        log.push(line);
        const found = /Listening on (\S+);/.exec(line)?.[1];
        if (found) resolve(found);
      });
    }
    child.once('exit', (code) => reject(new NoStart(code, log)));
    waiting = setTimeout(() => {
      reject(new Error(`no start within ${PATIENCE / 1_000} s: ${log.join(' ')}`));
      child.kill('SIGKILL');
    }, PATIENCE);
  }).finally(() => clearTimeout(waiting));
  const end = async (signal) => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal);
    await exited;
  };
  return {
    url,
    log,
    pid: child.pid,
    port: Number(new URL(url).port),
    ended: exited,
    send: (message) => child.send(message),
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
  };
}

/** The api ended before it listened; its log is the message. */
export class NoStart extends Error {
  constructor(code, log) {
    super(log.join('\n'));
    this.code = code;
  }
}

/** Runs a command of the api; gives what it printed. */
export async function command(database, ...args) {
  const env = { PATH: process.env.PATH, NO_COLOR: '1', DATABASE_PATH: database };
  const child = spawn(process.execPath, [mainOf('api'), ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (text += data));
  const [code] = await once(child, 'exit');
  return { code, text };
}

/** The only value that a series may have at a time: any other is a wrong number. */
export const valueOf = (device, time) =>
  Math.round(Math.sin(Number(/\d+$/.exec(device)[0]) * 7919 + (time % 1e7)) * 1e9) / 1e3;

/** A run of samples, `every` ms apart. */
export const runOf = (device, start, count, every = 10) => ({
  device_name: device,
  metric_name: 'm',
  samples: Array.from({ length: count }, (_, index) => {
    const time = start + index * every;
    return [time, valueOf(device, time)];
  }),
});

export async function post(url, items) {
  const started = performance.now();
  const answer = await fetch(url + BATCH, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: typeof items === 'string' ? items : JSON.stringify({ metrics: items }),
  });
  return {
    status: answer.status,
    headers: answer.headers,
    body: await answer.text(),
    took: performance.now() - started,
  };
}

export async function get(url, path) {
  const started = performance.now();
  const answer = await fetch(url + path);
  const text = await answer.text();
  return { status: answer.status, text, took: performance.now() - started };
}

/** Every sample of a device, by time; fails at the first number that is wrong. */
export async function samplesOf(url, device) {
  const query = 'start_time=2020-01-01&end_time=2100-01-01&format=ndjson';
  const { status, text } = await get(url, `/api/v1/reports/metrics/${device}?${query}`);
  if (status === 404) return new Set();
  assert.equal(status, 200, text.slice(0, 300));
  const times = new Set();
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const { timestamp, value } = JSON.parse(line);
    const time = Date.parse(timestamp);
    assert.equal(value, valueOf(device, time), `a wrong number of ${device} at ${timestamp}`);
    times.add(time);
  }
  return times;
}

/** A connection that sends what it is given and reads what comes. */
export function client(port, ...parts) {
  const socket = connect(port, '127.0.0.1');
  const seen = { text: '', closed: false };
  socket.on('data', (data) => (seen.text = (seen.text + data.toString('latin1')).slice(-100_000)));
  socket.on('error', () => undefined);
  socket.on('close', () => (seen.closed = true));
  for (const part of parts) socket.write(part);
  return { socket, seen };
}

export const head = (length, extra = '') =>
  `POST ${BATCH} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\n${extra}\r\n`;

/** Resident memory of a process, MB; undefined where the system does not tell. */
export function memoryOf(pid) {
  try {
    return Math.round(Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024);
  } catch {
    return undefined;
  }
}

/** The one process that another one has started. */
export const childOf = (pid) => Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ')[0]);

/** Watches a process while `act` goes on: its largest memory, and how long a small request takes. */
export async function watching(api, act) {
  let most = 0;
  const took = [];
  let going = true;
  const watch = (async () => {
    while (going) {
      most = Math.max(most, memoryOf(api.pid) ?? 0);
      took.push((await get(api.url, '/healthz')).took);
      await sleep(20);
    }
  })();
  try {
    await act();
  } finally {
    going = false;
    await watch;
  }
  return { memory: most, p50: quantile(took, 0.5), p99: quantile(took, 0.99), worst: quantile(took, 1) };
}

export function quantile(values, share) {
  const sorted = [...values].sort((a, b) => a - b);
  return Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0);
}

/** Numbers that come again in the same order for a seed. */
export function random(seed) {
  let state = seed >>> 0 || 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

export { assert, BATCH, MB, sleep };
