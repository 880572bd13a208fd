/**
 * The same workload over HTTP into this api and into the peers that are on the PATH (Debian: victoria-metrics, influxdb):
 * CPU of each server's process, bytes on its disk, and the time of a summary of 24 hours over all series. Linux only.
 *
 * Usage: npm run build && node tools/bench/peers.mjs [--samples 1800000]
 */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { dataSourceOptions, openSampleStore } from '@device-metrics/storage';
import { DataSource } from 'typeorm';
import { START, Workload } from './dist/workload.js';

const { values: options } = parseArgs({ options: { samples: { type: 'string', default: '1800000' } } });
const SAMPLES = Number(options.samples);
const BATCH = 5_000;
const DAY = 86_400_000;
const END = new Date(START + DAY).toISOString();
/** Of /proc/<pid>/stat. */
const TICKS_PER_SECOND = 100;

const lines = (samples) =>
  samples.map((s) => `${s.metricName},device=${s.deviceName} value=${s.value} ${s.timestamp}`).join('\n');

const STORES = [
  {
    name: 'device-metrics',
    program: process.execPath,
    start: (folder, port) => ({
      args: [fileURLToPath(new URL('../../apps/api/dist/main.js', import.meta.url))],
      env: { PORT: String(port), DATABASE_PATH: join(folder, 'metrics.db'), RETENTION_RAW: '0', RETENTION_HOURLY: '0' },
    }),
    ready: '/readyz',
    write: '/api/v1/aggregator/metrics/batch',
    body: (samples) => JSON.stringify(readings(samples)),
    contentType: 'application/json',
    summary: [`/api/v1/reports/summary?start_time=${START}&end_time=${START + DAY}`],
    finish: seal,
  },
  {
    name: 'victoria-metrics',
    program: 'victoria-metrics',
    start: (folder, port) => ({
      args: [`-storageDataPath=${folder}`, `-httpListenAddr=127.0.0.1:${port}`, '-retentionPeriod=100y'],
    }),
    ready: '/health',
    write: '/write?precision=ms',
    body: lines,
    summary: ['count', 'min', 'max', 'avg', 'last'].map((f) => {
      const query = `${f}_over_time({__name__=~"bench.*"}[1d]) keep_metric_names`;
      return `/api/v1/query?time=${(START + DAY) / 1000}&nocache=1&query=${encodeURIComponent(query)}`;
    }),
  },
  {
    name: 'influxdb',
    program: 'influxd',
    start: (folder, port, other) => ({
      args: [],
      env: {
        HOME: folder,
        INFLUXDB_REPORTING_DISABLED: 'true',
        INFLUXDB_BIND_ADDRESS: `127.0.0.1:${other}`,
        INFLUXDB_HTTP_BIND_ADDRESS: `127.0.0.1:${port}`,
        INFLUXDB_HTTP_LOG_ENABLED: 'false',
        INFLUXDB_META_DIR: join(folder, 'meta'),
        INFLUXDB_DATA_DIR: join(folder, 'data'),
        INFLUXDB_DATA_WAL_DIR: join(folder, 'wal'),
        INFLUXDB_MONITOR_STORE_ENABLED: 'false',
      },
    }),
    ready: '/ping',
    prepare: '/query?q=CREATE+DATABASE+bench',
    write: '/write?db=bench&precision=ms',
    body: lines,
    summary: [
      `/query?db=bench&q=${encodeURIComponent(
        `SELECT count(value), min(value), max(value), mean(value), last(value) FROM /bench.*/ WHERE time < '${END}' GROUP BY device`,
      )}`,
    ],
  },
];

/** Samples of one tick and device, one behind the other, as readings of one device. */
function readings(samples) {
  const items = [];
  let item;
  for (const { deviceName, metricName, timestamp, value } of samples) {
    if (item?.device_name !== deviceName || item.timestamp !== timestamp) {
      items.push((item = { device_name: deviceName, timestamp, values: {} }));
    }
    item.values[metricName] = value;
  }
  return items;
}

async function measure(store) {
  const folder = mkdtempSync(join(tmpdir(), 'device-metrics-peer-'));
  mkdirSync(join(folder, 'data'));
  const port = await freePort();
  const { args, env } = store.start(join(folder, 'data'), port, await freePort());
  const child = spawn(store.program, args, { env: { ...process.env, ...env }, stdio: 'ignore' });
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const send = (method, path, body) => sendTo({ port, agent, method, path, body, contentType: store.contentType });
  try {
    for (let turn = 0; turn < 100 && !(await send('GET', store.ready).catch(() => false)); turn += 1) await sleep(100);
    if (store.prepare) await send('POST', store.prepare, '');
    const workload = new Workload();
    const before = cpuOf(child.pid);
    for (let sent = 0; sent < SAMPLES; sent += BATCH) {
      await send('POST', store.write, store.body(workload.next(Math.min(BATCH, SAMPLES - sent))));
    }
    await sleep(20_000);
    let cpu = cpuOf(child.pid) - before;
    const times = [];
    for (let run = 0; run < 5; run += 1) {
      const start = performance.now();
      for (const path of store.summary) await send('GET', path);
      times.push(performance.now() - start);
    }
    child.kill('SIGTERM');
    await once(child, 'exit');
    cpu += (await store.finish?.(folder)) ?? 0;
    const bytes = Number(execFileSync('du', ['-sb', folder], { encoding: 'utf8' }).split('\t')[0]);
    return { perCpuSecond: SAMPLES / cpu, bytes: bytes / SAMPLES, summary: times.sort((a, b) => a - b)[2] };
  } finally {
    child.kill('SIGKILL');
    agent.destroy();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Seals now what the api would seal some minutes later; the CPU that it takes, seconds. */
async function seal(folder) {
  const dataSource = await new DataSource(dataSourceOptions(join(folder, 'data', 'metrics.db'))).initialize();
  const store = await openSampleStore(dataSource, {
    sealDelay: 0,
    sealInterval: 0,
    rawRetention: 0,
    hourlyRetention: 0,
  });
  const before = process.cpuUsage();
  await store.maintain();
  const { user, system } = process.cpuUsage(before);
  await store.close();
  await dataSource.destroy();
  return (user + system) / 1e6;
}

/** User and system time of a process, seconds. */
function cpuOf(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

async function sendTo({ port, agent, method, path, body, contentType = 'text/plain' }) {
  const headers = body === undefined ? {} : { 'content-type': contentType };
  const req = request({ host: '127.0.0.1', port, path, method, agent, headers });
  req.end(body);
  const [response] = await once(req, 'response');
  const text = (await response.setEncoding('utf8').toArray()).join('');
  if (response.statusCode >= 300) throw new Error(`${method} ${path}: ${response.statusCode} ${text.slice(0, 300)}`);
  return text;
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  return port;
}

function isThere(program) {
  try {
    execFileSync('which', [program]);
    return true;
  } catch {
    return false;
  }
}

console.log(`${SAMPLES} samples over HTTP, ${BATCH} a request; disk and CPU 20 s after the last\n`);
console.log('store              k samples/CPU-s   bytes/sample   24 h summary');
let own;
for (const store of STORES) {
  if (store.program !== process.execPath && !isThere(store.program)) {
    console.log(`${store.name.padEnd(18)} is not on the PATH`);
    continue;
  }
  const { perCpuSecond, bytes, summary } = await measure(store);
  own ??= { perCpuSecond, bytes, summary };
  const ratio = (ours, theirs) => `(${(ours / theirs).toFixed(1)}x)`.padEnd(8);
  console.log(
    store.name.padEnd(18),
    String(Math.round(perCpuSecond / 1000)).padStart(6),
    ratio(own.perCpuSecond, perCpuSecond),
    bytes.toFixed(2).padStart(8),
    ratio(bytes, own.bytes),
    `${summary.toFixed(1)} ms`.padStart(10),
    ratio(summary, own.summary),
  );
}
console.log('\nIn brackets: how many times better this api is in the same run.');
