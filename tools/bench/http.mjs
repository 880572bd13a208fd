/**
 * Ingest over HTTP through the built api, against a bare node:http server that only runs JSON.parse on the same bodies, and
 * the api's event-loop delay under a steady load. Prints a table; everything is bounded by counts.
 *
 * Usage: npm run build && node tools/bench/http.mjs [--requests 200] [--seconds 20]
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { Agent, createServer, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values: options } = parseArgs({
  options: {
    requests: { type: 'string', default: '200' },
    seconds: { type: 'string', default: '20' },
    bare: { type: 'boolean', default: false },
  },
});
const REQUESTS = Number(options.requests);
const SECONDS = Number(options.seconds);
const CONNECTIONS = 4;
const SAMPLES_PER_REQUEST = 5_000;
const DEVICES = 100;
const METRICS = 50;
const BATCH = '/api/v1/aggregator/metrics/batch/';

/** The least that a server of JSON can do: reads the body, parses it, answers. */
function serveBare() {
  const server = createServer((req, res) => {
    if (req.method === 'GET') return void res.end(`process_cpu_seconds_total ${cpuSeconds()}\n`);
    const chunks = [];
    req.on('data', (chunk) => chunks.push(chunk));
    req.on('end', () => {
      const items = JSON.parse(Buffer.concat(chunks).toString()).metrics.length;
      res.setHeader('content-type', 'application/json');
      res.end(JSON.stringify({ accepted: items, rejected: [] }));
    });
  });
  server.listen(0, '127.0.0.1', () => console.log(`Listening on http://127.0.0.1:${server.address().port};`));
}

function cpuSeconds() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

async function main() {
  const folder = await mkdtemp(join(tmpdir(), 'device-metrics-bench-'));
  try {
    console.log(`${REQUESTS} requests of ${SAMPLES_PER_REQUEST} samples over ${CONNECTIONS} connections\n`);
    console.log('form      bare µs/sample   api µs/sample   ratio');
    for (const form of ['values', 'single']) {
      const bare = await costOf(await start([fileURLToPath(import.meta.url), '--bare']), form);
      const api = await costOf(await startApi(join(folder, `${form}.db`)), form);
      console.log(`${form.padEnd(9)} ${micro(bare)} ${micro(api)}   ${(api / bare).toFixed(2)}`);
    }
    await eventLoopDelay(await startApi(join(folder, 'delay.db')));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const micro = (seconds) => (seconds * 1e6).toFixed(3).padStart(15);
const startApi = (DATABASE_PATH) =>
  start([fileURLToPath(new URL('../../apps/api/dist/main.js', import.meta.url))], { DATABASE_PATH });

async function start(args, settings = {}) {
  const child = spawn(process.execPath, args, { env: { ...process.env, PORT: '0', ...settings } });
  child.stderr.pipe(process.stderr);
  for await (const line of createInterface(child.stdout)) {
    const url = /Listening on (\S+);/.exec(line)?.[1];
    if (url) return { child, url, agent: new Agent({ keepAlive: true, maxSockets: CONNECTIONS }) };
  }
  throw new Error(`${args[0]} ended before it listened`);
}

async function stop({ child, agent }) {
  agent.destroy();
  child.kill();
  await once(child, 'exit');
}

/** CPU seconds of the server's process for each sample. */
async function costOf(server, form) {
  const bodies = Array.from({ length: 20 + REQUESTS }, (_, turn) => bodyOf(form, turn));
  await sendAll(server, bodies.splice(0, 20));
  const before = await cpuOf(server);
  await sendAll(server, bodies);
  const cost = ((await cpuOf(server)) - before) / (REQUESTS * SAMPLES_PER_REQUEST);
  await stop(server);
  return cost;
}

async function sendAll(server, bodies) {
  const queue = bodies.values();
  await Promise.all(
    Array.from({ length: CONNECTIONS }, async () => {
      for (const body of queue) await send(server, 'POST', BATCH, body);
    }),
  );
}

async function cpuOf(server) {
  return Number(/^process_cpu_seconds_total ([\d.e-]+)/m.exec(await send(server, 'GET', '/metrics'))[1]);
}

async function send({ url, agent }, method, path, body) {
  const req = request(url + path, { method, agent, headers: body ? { 'content-type': 'application/json' } : {} });
  req.end(body);
  const [response] = await once(req, 'response');
  const text = (await response.setEncoding('utf8').toArray()).join('');
  if (response.statusCode !== 200) throw new Error(`${method} ${path}: ${response.statusCode} ${text}`);
  return text;
}

/** One turn of all devices and metrics, ten seconds after the turn before. */
function bodyOf(form, turn) {
  const timestamp = Math.floor(Date.now() / 3_600_000) * 3_600_000 - 3_600_000 + turn * 10_000;
  const metrics = [];
  for (let device = 0; device < DEVICES; device += 1) {
    const device_name = `bench-${device}`;
    const values = {};
    for (let metric = 0; metric < METRICS; metric += 1) {
      const metric_name = `bench.metric.${metric}`;
      const value = Math.round(5_000 + 4_000 * Math.sin(turn / 50 + device + metric) + 100 * Math.random()) / 100;
      if (form === 'values') values[metric_name] = value;
      else metrics.push({ device_name, metric_name, value, timestamp });
    }
    if (form === 'values') metrics.push({ device_name, timestamp, values });
  }
  return JSON.stringify({ metrics });
}

/** 100,000 samples/s in readings of one device, and the summary each second. */
async function eventLoopDelay(server) {
  const perSecond = 100_000 / SAMPLES_PER_REQUEST;
  await sendAll(
    server,
    Array.from({ length: 20 }, (_, turn) => bodyOf('values', turn)),
  );
  await send(server, 'GET', '/metrics');
  const begin = Date.now();
  for (let turn = 0; turn < SECONDS * perSecond; turn += 1) {
    const due = begin + (turn * 1000) / perSecond;
    await sleep(Math.max(0, due - Date.now()));
    await send(server, 'POST', BATCH, bodyOf('values', turn));
    if (turn % perSecond === 0) void send(server, 'GET', '/api/v1/reports/summary').catch(() => undefined);
  }
  const seconds = (Date.now() - begin) / 1000;
  const metrics = await send(server, 'GET', '/metrics');
  const lag = (name) =>
    Number(new RegExp(`^nodejs_eventloop_lag_${name}_seconds ([\\d.e-]+)`, 'm').exec(metrics)[1]) * 1000;
  const rate = (SECONDS * 100_000) / seconds;
  console.log(
    `\nevent-loop delay at ${Math.round(rate)} samples/s and a summary a second (of which 10 ms are the probe's own interval): ` +
      `p50 ${lag('p50').toFixed(1)} ms, p99 ${lag('p99').toFixed(1)} ms, max ${lag('max').toFixed(1)} ms`,
  );
  await stop(server);
}

if (options.bare) serveBare();
else await main();
