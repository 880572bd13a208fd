/**
 * What the store costs on PostgreSQL, with PostgreSQL's own processor time counted in, against the same store on SQLite and
 * against narrow rows by COPY in the same PostgreSQL. It starts a PostgreSQL of its own.
 *
 *     node tools/bench/postgres.mjs [--samples 1.8M] [--only store,catching,processes,narrow]
 */
import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { dataSourceOptions, openDataSource, openSampleStore } from '@device-metrics/storage';
import pg from 'pg';

const { values } = parseArgs({
  options: {
    samples: { type: 'string', default: '1.8M' },
    only: { type: 'string', default: 'store,catching,processes,narrow' },
    member: { type: 'string' },
    sender: { type: 'string' },
  },
});
const isAsked = (part) => values.only.split(',').includes(part);
const SAMPLES = Number.parseFloat(values.samples) * (values.samples.endsWith('M') ? 1e6 : 1);
const [DEVICES, METRICS, STEP, HOUR] = [100, 50, 10_000, 3_600_000];
const BATCH = 5_000;
const START = Math.floor(Date.now() / HOUR) * HOUR - 48 * HOUR;
const TICKS = 100;
/**
 * Requests that come to each process first, of a tenth of the size: they make the series, and what they use is compiled. With fewer V8
 * still compiles in each of the three while they are measured.
 */
const WARM = 500;
/** Requests that are on their way at a time, to all processes together. */
const TOGETHER = 12;
/** Rows of others that a process leaves unread at most while nobody asks. */
const MOST_UNREAD = 512;

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

function* batches(total = SAMPLES) {
  const names = Array.from({ length: DEVICES }, (_, device) => `pc-${device}`);
  const metrics = Array.from({ length: METRICS }, (_, metric) => `bench.metric.${metric}`);
  for (let sent = 0, step = 0; sent < total; step += 1) {
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

const ownCpu = () => (process.cpuUsage().user + process.cpuUsage().system) / 1e6;
/** Processor seconds of a process with all its threads, to the nanosecond: a look at it costs less than a tick. */
function cpuOf(pid) {
  let nanoseconds = 0;
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    nanoseconds += Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]);
  }
  return nanoseconds / 1e9;
}
/** The same with the children of a process, those that have ended too. */
function treeCpu(root) {
  let seconds = 0;
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
      if (Number(pid) === root) seconds += (Number(stat[13]) + Number(stat[14])) / TICKS;
      if (Number(pid) === root || Number(stat[1]) === root) seconds += cpuOf(pid);
    } catch {
      // It has ended meanwhile.
    }
  }
  return seconds;
}

if (values.member !== undefined) await beMember(values.member);
if (values.sender !== undefined) await beSender(JSON.parse(values.sender));

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
    const spent = stopwatch();
    for (let round = 0; round < 40; round += 1) {
      const began = performance.now();
      await act();
      times.push(performance.now() - began);
    }
    const cpu = ((spent() / times.length) * 1000).toFixed(1);
    return `${times.sort((x, y) => x - y)[20].toFixed(1)} ms, ${cpu} ms of CPU`;
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

/** A process of its own with a store: it takes so many batches and then reads, or only reads, and says its processor time for that. */
async function beMember(address) {
  const dataSource = await openDataSource(dataSourceOptions(address));
  const store = await openSampleStore(dataSource, {
    ...{ rawRetention: 0, hourlyRetention: 0, sealInterval: 0 },
    now: () => START,
    onProblem: console.error,
  });
  const coming = batches(Infinity);
  process.on('message', async (count) => {
    if (count === 'end') process.exit(0);
    // To make them costs some too. Very many are not kept.
    const kept = count === MOST_UNREAD ? [] : Array.from({ length: count }, () => coming.next().value);
    const before = ownCpu();
    for (let at = 0; at < count; at += 1) await store.append(kept[at] ?? coming.next().value);
    const began = performance.now();
    await store.findSeries({ devices: ['pc-1'] });
    process.send({ own: ownCpu() - before, waited: performance.now() - began });
  });
  process.send('ready');
  await new Promise(() => undefined);
}

/** A process that takes and one that reads, on a database of their own, for as long as `use` takes. */
async function withMembers(name, use) {
  await query(`CREATE DATABASE ${name}`);
  const members = [];
  for (let at = 0; at < 2; at += 1) {
    const member = fork(import.meta.filename, ['--member', urlOf(name), '--samples', values.samples]);
    await once(member, 'message');
    members.push(async (count) => {
      const before = treeCpu(server.pid);
      member.send(count);
      if (count === 'end') return void (await once(member, 'exit'));
      const [{ own, waited }] = await once(member, 'message');
      return { cost: own + treeCpu(server.pid) - before, waited };
    });
  }
  await use(...members);
  for (const member of members) await member('end');
}

/** What another process pays for what one takes, when it reads after so many commits. */
async function catchingUp(commits) {
  const spent = [0, 0];
  const rounds = Math.floor(Math.min(SAMPLES, 3e6) / BATCH / commits);
  await withMembers(`catching_${commits}`, async (write, read) => {
    for (let round = 0; round < rounds; round += 1) {
      const both = [await write(commits), await read(0)];
      // What comes first makes the series, and is compiled.
      if (round >= rounds / 4) both.forEach(({ cost }, at) => (spent[at] += cost));
    }
  });
  const samples = (rounds - Math.ceil(rounds / 4)) * commits * BATCH;
  show(
    `catching up after ${commits} commits, against the ingest of the same samples`,
    `${(spent[1] / spent[0]).toFixed(2)} (${((spent[1] / samples) * 1e6).toFixed(2)} µs of ${((spent[0] / samples) * 1e6).toFixed(2)} µs)`,
  );
}

/** How long the first answer takes after as much has come as lies unread at most. */
async function firstAnswer() {
  await withMembers('first_answer', async (write, read) => {
    await write(20);
    await read(0);
    await write(MOST_UNREAD);
    const { waited } = await read(0);
    show(`first answer after ${MOST_UNREAD} commits of ${BATCH} samples that others took`, `${Math.round(waited)} ms`);
  });
}

/** So many api processes for as long as `use` takes: on one database of their own, or each on another, where they share nothing. */
async function withApis(name, count, use, share = true) {
  const databases = Array.from({ length: share ? 1 : count }, (_, at) => `${name}_${at}`);
  for (const database of databases) await query(`CREATE DATABASE ${database}`);
  const main = new URL('../../apps/api/dist/main.js', import.meta.url).pathname;
  const folder = mkdtempSync(join(tmpdir(), 'bench-'));
  const env = { ...process.env, PORT: '0', RETENTION_RAW: '0', RETENTION_HOURLY: '0' };
  const apis = [];
  try {
    for (let at = 0; at < count; at += 1) {
      const api = spawn(process.execPath, [main], {
        cwd: folder,
        env: { ...env, DATABASE_URL: urlOf(databases[at % databases.length]) },
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      for await (const line of createInterface(api.stdout)) {
        const url = /Listening on (\S+);/.exec(line)?.[1];
        if (!url) continue;
        apis.push({ api, url });
        break;
      }
      api.stdout.resume();
    }
    return await use(apis);
  } finally {
    for (const { api } of apis) {
      api.kill();
      await once(api, 'exit');
    }
    rmSync(folder, { recursive: true });
  }
}

/** Processor seconds of PostgreSQL, and of these processes. */
const spentBy = (apis) => ({
  database: treeCpu(server.pid),
  apis: apis.reduce((sum, { api }) => sum + cpuOf(api.pid), 0),
});
const spentSince = (apis, before, after = spentBy(apis)) => ({
  database: after.database - before.database,
  apis: after.apis - before.apis,
});

/**
 * What processes do for themselves each second, processor seconds: of some seconds that in the middle. Once all is quiet V8 looks
 * through its heap, which takes most of one of them.
 */
async function idleOf(apis) {
  const seconds = [];
  for (let at = 0; at < 11; at += 1) {
    const before = spentBy(apis);
    await sleep(1_000);
    seconds.push(spentSince(apis, before));
  }
  const middle = (part) => seconds.map((one) => one[part]).sort((x, y) => x - y)[5];
  return { database: middle('database'), apis: middle('apis') };
}

/** CPU seconds of the api and of PostgreSQL for a sample in JSON, beyond what they cost idle, taken in by so many processes in turn. */
async function costOfProcesses(count, round, share = true) {
  const use = async (apis) => {
    const requests = Math.floor(SAMPLES / BATCH);
    const work = { urls: apis.map(({ url }) => url), warm: count * WARM, requests };
    const sender = fork(import.meta.filename, ['--sender', JSON.stringify(work)]);
    const sendAll = async () => {
      sender.send('go');
      const [{ busy }] = await once(sender, 'message');
      // All have read what the others took; to answer costs nothing then.
      for (const { url } of apis) await (await fetch(`${url}/api/v1/reports/metrics/nobody`)).arrayBuffer();
      if (busy > 0) show(`${count} api processes: requests that were told to come again`, busy);
    };
    try {
      await sendAll();
      // What a process does for itself each second counts apart: how long the requests take is up to the machine.
      const idle = await idleOf(apis);
      const before = spentBy(apis);
      const began = performance.now();
      await sendAll();
      const seconds = (performance.now() - began) / 1_000;
      const used = spentSince(apis, before);
      const perSample = (part) => ((used[part] - idle[part] * seconds) / (requests * BATCH)) * 1e6;
      return { database: perSample('database'), apis: perSample('apis'), idle: (idle.database + idle.apis) / count };
    } finally {
      sender.kill();
    }
  };
  return withApis(`processes_${count}_${share ? 'one' : 'each'}_${round}`, count, use, share);
}

/**
 * What a process pays to read what another one took over HTTP, as readings in JSON, when it is asked for a report after so many
 * requests, against what the other paid: beyond what the same report costs that is asked for once more, and with it.
 */
const catchingUpOverHttp = (commits) =>
  withApis(`catching_http_${commits}`, 2, async (apis) => {
    const [{ url: taker }, { url: reader }] = apis;
    const rounds = Math.floor(Math.min(SAMPLES, 3e6) / BATCH / commits);
    const shift = Math.floor(Date.now() / STEP) * STEP - rounds * commits * STEP - START;
    const coming = batches(Infinity);
    const report = async () => {
      const answer = await fetch(`${reader}/api/v1/reports/metrics/pc-1?metric_name=bench.metric.1&limit=1`);
      if (answer.status !== 200) throw new Error(`${answer.status} ${await answer.text()}`);
      await answer.arrayBuffer();
    };
    const take = async (bodies) => {
      for (const body of bodies) await post(taker, body);
    };
    // What is taken, the report after it, and the same report with nothing to catch up.
    const costs = [[], [], []];
    for (let round = 0; round < rounds; round += 1) {
      const bodies = Array.from({ length: commits }, () => bodyOf(coming.next().value, shift));
      for (const [at, act] of [() => take(bodies), report, report].entries()) {
        const before = spentBy(apis);
        await act();
        const { database, apis: own } = spentSince(apis, before);
        // What comes first makes the series, and is compiled.
        if (round >= rounds / 4) costs[at].push(database + own);
      }
    }
    const [own, first, again] = costs.map(
      (all) => (all.reduce((sum, cost) => sum + cost, 0) / all.length / commits / BATCH) * 1e6,
    );
    const caught = first - again;
    show(
      'the same over HTTP: beyond the report; with the report itself',
      `${(caught / own).toFixed(2)}; ${(first / own).toFixed(2)} (${caught.toFixed(2)}; ${first.toFixed(2)} µs of ${own.toFixed(2)} µs)`,
    );
  });

/** A request of readings of devices, whose times are so much later. */
function bodyOf(batch, shift) {
  const metrics = [];
  for (const { deviceName, metricName, timestamp, value } of batch) {
    if (metrics.at(-1)?.device_name !== deviceName) {
      metrics.push({ device_name: deviceName, timestamp: timestamp + shift, values: {} });
    }
    metrics.at(-1).values[metricName] = value;
  }
  return JSON.stringify({ metrics });
}

/** Sends a request until it is taken, and gives how often it was told to come again: a process may have as much as it can hold. */
async function post(url, body) {
  for (let busy = 0; ; busy += 1) {
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch(`${url}/api/v1/aggregator/metrics/batch/`, { method: 'POST', headers, body });
    const text = await answer.text();
    if (answer.status === 200) return busy;
    if (answer.status !== 503) throw new Error(`${answer.status} ${text}`);
    await sleep(Number(answer.headers.get('retry-after')) * 1_000);
  }
}

/** A process of its own that sends: first what warms the processes up, then what is measured. */
async function beSender({ urls, warm, requests }) {
  const parts = 10;
  const batchCount = Math.ceil(warm / parts) + requests;
  const shift = Math.floor(Date.now() / STEP) * STEP - batchCount * STEP - START;
  const coming = batches(batchCount * BATCH);
  function* small() {
    for (let left = warm; left > 0; left -= parts) {
      const batch = coming.next().value;
      for (let part = 0; part < parts; part += 1) {
        yield bodyOf(batch.slice((part * BATCH) / parts, ((part + 1) * BATCH) / parts), shift);
      }
    }
  }
  function* large() {
    for (let left = requests; left > 0; left -= 1) yield bodyOf(coming.next().value, shift);
  }
  let [sent, busy] = [0, 0];
  const send = async (bodies) => {
    for (let body = bodies.next(); !body.done; body = bodies.next()) {
      busy += await post(urls[sent++ % urls.length], body.value);
    }
  };
  for (const bodies of [small(), large()]) {
    await once(process, 'message');
    await Promise.all(Array.from({ length: TOGETHER }, () => send(bodies)));
    process.send({ busy });
    busy = 0;
  }
  await new Promise(() => undefined);
}

async function severalProcesses() {
  const [one, three, apart] = [[], [], []];
  for (let round = 0; round < 2; round += 1) {
    one.push(await costOfProcesses(1, round));
    three.push(await costOfProcesses(3, round));
    apart.push(await costOfProcesses(3, round, false));
  }
  const mean = (costs, part) => costs.reduce((sum, cost) => sum + cost[part], 0) / costs.length;
  const all = (costs) => mean(costs, 'apis') + mean(costs, 'database');
  const told = (costs) =>
    `${all(costs).toFixed(2)}, ${mean(costs, 'database').toFixed(2)} of it PostgreSQL; idle ${(mean(costs, 'idle') * 1e3).toFixed(0)} ms a second each`;
  show('one api process: CPU-microseconds for a sample in JSON', told(one));
  show('three api processes', told(three));
  show('three that share nothing, each on a database of its own', told(apart));
  const against = (costs) => (all(costs) / all(one)).toFixed(2);
  show('three against one; that share nothing, against one', `${against(three)}; ${against(apart)}`);
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
  let postgres = NaN;
  if (isAsked('store')) {
    const sqlite = await run('SQLite', join(folder, 'metrics.db'));
    await query('CREATE DATABASE metrics');
    postgres = await run('PostgreSQL', urlOf('metrics'));
    show('PostgreSQL against SQLite', (postgres / sqlite).toFixed(2));
  }
  if (isAsked('catching')) {
    for (const commits of [1, 10]) {
      await catchingUp(commits);
      await catchingUpOverHttp(commits);
    }
    await firstAnswer();
  }
  if (isAsked('processes')) await severalProcesses();
  if (isAsked('narrow')) {
    const narrow = await narrowRows();
    if (!Number.isNaN(postgres)) show('PostgreSQL against narrow rows', (postgres / narrow).toFixed(1));
  }
} finally {
  child.stdin.end();
  rmSync(folder, { recursive: true });
}
