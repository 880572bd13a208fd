/**
 * What reports cost ingest and what ingest costs reports, through the built api: the summary over 5,000 series and the
 * report of one device by the minute over a day, idle and while 100,000 samples/s come in; and that ingest with and
 * without the reports. Prints two tables; everything is bounded by counts and times.
 *
 * Usage: npm run build && node tools/bench/reports.mjs [--seconds 15] [--profile folder]
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { dataSourceOptions, openSampleStore } from '@device-metrics/storage';
import { DataSource } from 'typeorm';

const { values: options } = parseArgs({
  options: {
    seconds: { type: 'string', default: '15' },
    profile: { type: 'string' },
    // How this file starts itself to send samples from a process of its own.
    send: { type: 'string' },
  },
});
const SECONDS = Number(options.seconds);
const DEVICES = 100;
const METRICS = 50;
const MINUTE = 60_000;
const MINUTES = 24 * 60;
const SAMPLES_PER_REQUEST = DEVICES * METRICS;
const PER_SECOND = 100_000 / SAMPLES_PER_REQUEST;
const BATCH = '/api/v1/aggregator/metrics/batch/';
const REPORTS = {
  'summary of 5,000 series': '/api/v1/reports/summary?group_by=device,label',
  'device report by the minute': '/api/v1/reports/metrics/bench-7?step=1m',
};
/** How often a report is asked for, ms: like dashboards that refresh, with time for ingest between. */
const REPORT_EVERY = 250;

async function main() {
  const folder = await mkdtemp(join(tmpdir(), 'device-metrics-bench-'));
  const path = join(folder, 'metrics.db');
  try {
    await withApi(path, [], loadDay);
    await seal(path);
    await withApi(path, options.profile ? ['--cpu-prof', `--cpu-prof-dir=${options.profile}`] : [], measure);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function measure(url) {
  const idle = await measureReports(url);
  const alone = await ingest(url);
  const [beside, loaded] = await Promise.all([ingest(url), measureReports(url)]);
  print(idle, loaded, alone, beside);
}

async function withApi(path, flags, act) {
  const main = fileURLToPath(new URL('../../apps/api/dist/main.js', import.meta.url));
  const child = spawn(process.execPath, [...flags, main], { env: { ...process.env, PORT: '0', DATABASE_PATH: path } });
  try {
    child.stderr.pipe(process.stderr);
    await act(await listening(child));
  } finally {
    child.kill();
    await once(child, 'exit');
  }
}

/** Makes chunks of what was loaded, as a running api does some minutes after an hour. */
async function seal(path) {
  const dataSource = await new DataSource(dataSourceOptions(path)).initialize();
  const store = await openSampleStore(dataSource, { sealInterval: 0, sealDelay: 0 });
  await store.maintain();
  await store.close();
  await dataSource.destroy();
}

async function listening(child) {
  for await (const line of createInterface(child.stdout)) {
    const url = /Listening on (\S+);/.exec(line)?.[1];
    if (url) return url;
  }
  throw new Error('the api ended before it listened');
}

/** A day of a sample a minute of each series, in runs, oldest first. */
async function loadDay(url) {
  const agent = new Agent({ keepAlive: true, maxSockets: 2 });
  const start = Math.floor(Date.now() / MINUTE) * MINUTE - (MINUTES + 2) * MINUTE;
  const began = performance.now();
  for (let hour = 0; hour < 24; hour += 1) {
    for (let first = 0; first < DEVICES; first += 20) {
      const metrics = [];
      for (let device = first; device < first + 20; device += 1) {
        for (let metric = 0; metric < METRICS; metric += 1) {
          const samples = Array.from({ length: 60 }, (_, minute) => {
            const turn = hour * 60 + minute;
            return [start + turn * MINUTE, valueOf(turn, device, metric)];
          });
          metrics.push({ device_name: `bench-${device}`, metric_name: `bench.metric.${metric}`, samples });
        }
      }
      await send(url, agent, 'POST', BATCH, JSON.stringify({ metrics }));
    }
  }
  agent.destroy();
  const samples = DEVICES * METRICS * MINUTES;
  const seconds = (performance.now() - began) / 1000;
  console.log(
    `${(samples / 1e6).toFixed(1)} M samples of ${DEVICES * METRICS} series loaded in ${seconds.toFixed(0)} s\n`,
  );
}

const valueOf = (turn, device, metric) =>
  Math.round(5_000 + 4_000 * Math.sin(turn / 50 + device + metric) + 100 * Math.random()) / 100;

/** Milliseconds of each report, asked for in turn for so many seconds. */
async function measureReports(url) {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const times = Object.fromEntries(Object.keys(REPORTS).map((name) => [name, []]));
  const end = performance.now() + SECONDS * 1000;
  while (performance.now() < end) {
    for (const [name, path] of Object.entries(REPORTS)) {
      const began = performance.now();
      await send(url, agent, 'GET', path);
      times[name].push(performance.now() - began);
      await sleep(REPORT_EVERY);
    }
  }
  agent.destroy();
  return times;
}

/** Runs `sendSamples` in a process of its own, and gives what it measured. */
async function ingest(url) {
  const child = spawn(process.execPath, [fileURLToPath(import.meta.url), '--send', url, '--seconds', options.seconds]);
  child.stderr.pipe(process.stderr);
  return JSON.parse((await child.stdout.setEncoding('utf8').toArray()).join(''));
}

/** 100,000 samples/s as readings of devices, or as near to it as the api lets; prints milliseconds of each request. */
async function sendSamples(url) {
  const agent = new Agent({ keepAlive: true, maxSockets: 4 });
  const bodies = Array.from({ length: 20 }, (_, turn) => readings(turn));
  const times = [];
  const began = performance.now();
  const turns = SECONDS * PER_SECOND;
  for (let turn = 0; turn < turns; turn += 1) {
    const due = began + (turn * 1000) / PER_SECOND;
    await sleep(Math.max(0, due - performance.now()));
    const body = bodies[turn % bodies.length].replaceAll('"timestamp":0', `"timestamp":${Date.now() - 1}`);
    const sent = performance.now();
    await send(url, agent, 'POST', BATCH, body);
    times.push(performance.now() - sent);
  }
  const rate = (turns * SAMPLES_PER_REQUEST * 1000) / (performance.now() - began);
  agent.destroy();
  console.log(JSON.stringify({ times, rate }));
}

function readings(turn) {
  const metrics = Array.from({ length: DEVICES }, (_, device) => ({
    device_name: `bench-${device}`,
    timestamp: 0,
    values: Object.fromEntries(
      Array.from({ length: METRICS }, (_, metric) => [`bench.metric.${metric}`, valueOf(turn, device, metric)]),
    ),
  }));
  return JSON.stringify({ metrics });
}

async function send(url, agent, method, path, body) {
  const req = request(url + path, { method, agent, headers: body ? { 'content-type': 'application/json' } : {} });
  req.end(body);
  const [response] = await once(req, 'response');
  const chunks = await response.toArray();
  if (response.statusCode !== 200) throw new Error(`${method} ${path}: ${response.statusCode}`);
  return Buffer.concat(chunks);
}

function quantile(times, q) {
  return times.toSorted((a, b) => a - b)[Math.min(times.length - 1, Math.floor(times.length * q))];
}

function print(idle, loaded, alone, beside) {
  const row = (name, before, after) => {
    const numbers = [0.5, 0.9].flatMap((q) => {
      const [a, b] = [quantile(before, q), quantile(after, q)];
      return [a.toFixed(1).padStart(10), b.toFixed(1).padStart(10), (b / a).toFixed(2).padStart(7)];
    });
    console.log(name.padEnd(30) + numbers.join(''));
  };
  console.log(`${''.padEnd(30)}  ms p50 alone   with  ratio   p90 alone  with  ratio`);
  for (const name of Object.keys(REPORTS)) row(name, idle[name], loaded[name]);
  row('ingest, 5,000 samples', alone.times, beside.times);
  console.log(`ingest, samples/s: ${Math.round(alone.rate)} alone, ${Math.round(beside.rate)} with reports`);
  console.log('bars: reports within 3 times of idle, ingest within 1.3 times of its own');
}

if (options.send) await sendSamples(options.send);
else await main();
