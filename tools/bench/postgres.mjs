/**
 * What the store costs on PostgreSQL, with PostgreSQL's own processor time counted in, against the same store on SQLite and
 * against narrow rows by COPY in the same PostgreSQL. It starts a PostgreSQL of its own.
 *
 *     node tools/bench/postgres.mjs [--samples 1.8M]
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { dataSourceOptions, openDataSource, openSampleStore } from '@device-metrics/storage';
import pg from 'pg';

const { values } = parseArgs({ options: { samples: { type: 'string', default: '1.8M' } } });
const SAMPLES = Number.parseFloat(values.samples) * (values.samples.endsWith('M') ? 1e6 : 1);
const [DEVICES, METRICS, STEP, HOUR] = [100, 50, 10_000, 3_600_000];
const BATCH = 5_000;
const START = Math.floor(Date.now() / HOUR) * HOUR - 48 * HOUR;
const TICKS = 100;

/** Constants, counters, slow temperatures and noise, as devices send them. */
function valueOf(metric, step, device) {
  switch (metric % 5) {
    case 0:
      return 100 + device;
    case 1:
      return step * 17 + metric;
    case 2:
      return Math.round((40 + 5 * Math.sin(step / 300 + device)) * 10) / 10;
    case 3:
      return Math.round(Math.abs(Math.sin(step * 12.9898 + metric)) * 1e4) / 1e4;
    default:
      return (step * 7 + device) % 4 === 0 ? 1 : 0;
  }
}

function* batches() {
  const names = Array.from({ length: DEVICES }, (_, device) => `pc-${device}`);
  const metrics = Array.from({ length: METRICS }, (_, metric) => `bench.metric.${metric}`);
  for (let sent = 0, step = 0; sent < SAMPLES; step += 1) {
    for (let from = 0; from < DEVICES * METRICS; from += BATCH) {
      const batch = [];
      for (let at = from; at < from + BATCH; at += 1) {
        const [device, metric] = [Math.floor(at / METRICS), at % METRICS];
        batch.push({
          deviceName: names[device],
          metricName: metrics[metric],
          unit: undefined,
          labels: {},
          timestamp: START + step * STEP,
          value: valueOf(metric, step, device),
        });
      }
      sent += batch.length;
      yield batch;
    }
  }
}

/** Processor seconds of this process, and of PostgreSQL with all its processes, those that have ended too. */
const ownCpu = () => (process.cpuUsage().user + process.cpuUsage().system) / 1e6;
function treeCpu(root) {
  let ticks = 0;
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
      if (Number(pid) === root) ticks += stat.slice(11, 15).reduce((sum, one) => sum + Number(one), 0);
      else if (Number(stat[1]) === root) ticks += Number(stat[11]) + Number(stat[12]);
    } catch {
      // It has ended meanwhile.
    }
  }
  return ticks / TICKS;
}

const script = new URL('../../libs/storage/src/testing/postgres-server.mjs', import.meta.url).pathname;
const child = spawn(process.execPath, [script, 'shared_buffers=256MB', 'max_wal_size=4GB'], {
  stdio: ['pipe', 'pipe', 'inherit'],
});
const server = JSON.parse(await new Promise((resolve) => createInterface(child.stdout).once('line', resolve)));
if (server.missing) throw new Error(server.missing);
const urlOf = (name) => `postgres://postgres@127.0.0.1:${server.port}/${name}`;
const query = async (sql, name = 'postgres') => {
  const client = new pg.Client(urlOf(name));
  await client.connect();
  const { rows } = await client.query(sql);
  await client.end();
  return rows;
};
/** Gives a function that says the processor seconds since: to look through all processes costs some itself, and is left out. */
function stopwatch() {
  const tree = treeCpu(server.pid);
  const own = ownCpu();
  return () => {
    const spent = ownCpu() - own;
    return spent + treeCpu(server.pid) - tree;
  };
}
const show = (name, value) => console.log(`${name.padEnd(62)} ${value}`);
const folder = mkdtempSync(join(tmpdir(), 'bench-'));
const settings = { rawRetention: 0, hourlyRetention: 0 };

async function run(name, address) {
  let now = START;
  const dataSource = await openDataSource(dataSourceOptions(address));
  const open = () => openSampleStore(dataSource, { ...settings, now: () => now, onProblem: console.error });
  const store = await open();
  let spent = stopwatch();
  let waiting = [];

  for (const batch of batches()) {
    now = batch[0].timestamp + STEP;
    waiting.push(store.append(batch));

    if (waiting.length === 2) await Promise.all(waiting.splice(0));
  }
  await Promise.all(waiting);
  const ingest = spent();
  spent = stopwatch();
  now += 24 * HOUR;
  await store.maintain();
  const sealing = spent();
  show(`${name}: thousand samples per CPU-second, ${BATCH} a request`, Math.round(SAMPLES / (ingest + sealing) / 1000));
  const series = await store.findSeries({});
  const range = { start: START, end: START + (SAMPLES / (DEVICES * METRICS)) * STEP };
  const time = async (act) => {
    await act();
    const times = [];
    for (let round = 0; round < 5; round += 1) {
      const began = performance.now();
      await act();
      times.push(performance.now() - began);
    }
    return `${times.sort((a, b) => a - b)[2].toFixed(1)} ms`;
  };
  show(`${name}: summary of ${series.length} series`, await time(() => store.summarize(series, range)));
  const one = series.filter(({ deviceName }) => deviceName === 'pc-1');
  show(
    `${name}: one device by the minute`,
    await time(async () => {
      let steps = 0;
      for await (const { starts } of store.readSteps(one, { range, step: 60_000, aggregates: ['sum', 'count'] }))
        steps += starts.length;
      return steps;
    }),
  );
  if (name !== 'SQLite') {
    // Journal rows stay for 30 seconds.
    await sleep(31_000);
    await store.maintain();
  }
  const { bytes, journalRows } = await store.health();
  show(`${name}: bytes per sample (${journalRows} journal rows)`, (bytes / SAMPLES).toFixed(2));
  await store.close();
  await dataSource.destroy();
  return SAMPLES / (ingest + sealing);
}

/** What another process pays for what this one takes. */
async function catchingUp() {
  await query('CREATE DATABASE catching');
  const dataSource = await openDataSource(dataSourceOptions(urlOf('catching')));
  const quiet = { ...settings, now: () => START, sealInterval: 0 };
  const [store, other] = [await openSampleStore(dataSource, quiet), await openSampleStore(dataSource, quiet)];
  let [own, others, count] = [0, 0, 0];
  for (const batch of batches()) {
    let spent = stopwatch();
    await store.append(batch);
    await store.findSeries({ devices: ['pc-1'] });
    own += spent();
    spent = stopwatch();
    await other.findSeries({ devices: ['pc-1'] });
    others += spent();
    if ((count += batch.length) >= 1e6) break;
  }
  show('catching up, against the ingest of the same samples', (others / own).toFixed(2));
  await other.close();
  await store.close();
  await dataSource.destroy();
}

async function narrowRows() {
  await query('CREATE DATABASE narrow');
  await query(
    'CREATE TABLE sample (series_id integer, ts bigint, value double precision, PRIMARY KEY (series_id, ts))',
    'narrow',
  );
  const psql = join(server.bin, 'psql');
  const before = treeCpu(server.pid);
  let count = 0;
  const limit = Math.min(SAMPLES, 1e6);
  for (const batch of batches()) {
    const rows = batch.map(({ timestamp, value }, at) => `${at}\t${timestamp}\t${value}`).join('\n');
    await new Promise((resolve, reject) => {
      const copy = spawn(psql, ['-qX', urlOf('narrow'), '-c', 'COPY sample FROM STDIN'], {
        stdio: ['pipe', 'ignore', 'inherit'],
      });
      copy.once('exit', (code) => (code === 0 ? resolve() : reject(new Error(`psql ended with ${code}`))));
      copy.stdin.end(`${rows}\n`);
    });
    if ((count += batch.length) >= limit) break;
  }
  const rate = count / (treeCpu(server.pid) - before);
  const [{ bytes }] = await query(`SELECT pg_total_relation_size('sample')::float8 AS bytes`, 'narrow');
  show('narrow rows by COPY: thousand samples per CPU-second', Math.round(rate / 1000));
  show('narrow rows: bytes per sample', (bytes / count).toFixed(1));
  return rate;
}

try {
  const sqlite = await run('SQLite', join(folder, 'metrics.db'));
  await query('CREATE DATABASE metrics');
  const postgres = await run('PostgreSQL', urlOf('metrics'));
  show('PostgreSQL against SQLite', (postgres / sqlite).toFixed(2));
  await catchingUp();
  show('PostgreSQL against narrow rows', (postgres / (await narrowRows())).toFixed(1));
} finally {
  child.stdin.end();
  rmSync(folder, { recursive: true });
}
