/** The servers that a benchmark compares, with what each one costs. Linux only. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { dataSourceOptions, openDataSource, openSampleStore } from '@device-metrics/storage';

/** How many requests are on their way at a time: a site's senders do not wait for each other. */
const CONNECTIONS = 4;

/** Of /proc/<pid>/stat. */
const TICKS_PER_SECOND = 100;

/** The built api. */
export const API = fileURLToPath(new URL('../../apps/api/dist/main.js', import.meta.url));

export const deviceMetrics = {
  name: 'device-metrics',
  program: process.execPath,
  start: (folder, port) => ({
    args: [...profiling(), API, '--new'],
    env: { PORT: String(port), DATABASE_PATH: join(folder, 'metrics.db'), RETENTION_RAW: '0', RETENTION_HOURLY: '0' },
  }),
  ready: '/readyz',
  finish: seal,
};

export const victoriaMetrics = {
  name: 'victoria-metrics',
  program: 'victoria-metrics',
  start: (folder, port) => ({
    args: [`-storageDataPath=${folder}`, `-httpListenAddr=127.0.0.1:${port}`, '-retentionPeriod=100y'],
  }),
  ready: '/health',
};

export const influxdb = {
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
};

/** PROFILE=folder has this project's process write a CPU profile there. */
export const profiling = () =>
  process.env['PROFILE'] ? ['--cpu-prof', `--cpu-prof-dir=${process.env['PROFILE']}`] : [];

/**
 * Starts a server in a folder of its own, lets `work` use it, and ends it.
 *
 * @param work gets what sends requests, and what says the CPU seconds of the server's process so far and the bytes of its
 *   memory.
 * @returns what `work` gave; the bytes that the server left on its disk; and the CPU seconds of whatever it had put off.
 */
export async function withServer(server, work) {
  const folder = mkdtempSync(join(tmpdir(), 'device-metrics-peer-'));
  mkdirSync(join(folder, 'data'));
  const port = await freePort();
  const { args, env } = server.start(join(folder, 'data'), port, await freePort());
  const child = spawn(server.program, args, { cwd: folder, env: { ...process.env, ...env }, stdio: 'ignore' });
  const agent = agentOf();
  const send = (method, path, body, headers) => sendTo({ port, agent, method, path, body, headers });
  try {
    for (let turn = 0; turn < 200 && !(await send('GET', server.ready).catch(() => false)); turn += 1) await sleep(100);
    if (server.prepare) await send('POST', server.prepare, '');
    const result = await work(
      send,
      () => cpuOf(child.pid),
      () => memoryOf(child.pid),
    );
    child.kill('SIGTERM');
    await once(child, 'exit');
    const finished = (await server.finish?.(folder)) ?? 0;
    const bytes = Number(execFileSync('du', ['-sb', folder], { encoding: 'utf8' }).split('\t')[0]);
    return { result, finished, bytes };
  } finally {
    child.kill('SIGKILL');
    agent.destroy();
    rmSync(folder, { recursive: true, force: true });
  }
}

export const agentOf = () => new Agent({ keepAlive: true, maxSockets: CONNECTIONS });

/** Sends bodies as they are made, over all connections. */
export async function sendAll(bodies, send) {
  const each = async () => {
    for (const body of bodies) await send(body);
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, each));
}

/** Seals now what the api would seal some minutes later; the CPU that it takes, seconds. */
export async function seal(folder) {
  const dataSource = await openDataSource(dataSourceOptions(join(folder, 'data', 'metrics.db')));
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
export function cpuOf(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

/** What a process has in memory, bytes. */
function memoryOf(pid) {
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) * 1024;
}

export async function sendTo({ port, agent, method, path, body, headers = {} }) {
  const type = body === undefined ? {} : { 'content-type': 'text/plain' };
  const req = request({ host: '127.0.0.1', port, path, method, agent, headers: { ...type, ...headers } });
  req.end(body);
  const [response] = await once(req, 'response');
  const text = (await response.setEncoding('utf8').toArray()).join('');
  if (response.statusCode >= 300) throw new Error(`${method} ${path}: ${response.statusCode} ${text.slice(0, 300)}`);
  return text;
}

export async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  return port;
}

export function isThere({ program }) {
  try {
    execFileSync('which', [program]);
    return true;
  } catch {
    return false;
  }
}
