/**
 * What a fleet costs: readings of 50 metrics every 10 s go over HTTP into the built api, first of 100 devices and then of
 * 5,000; then the api, packed as `npm run build` leaves it, is started again with a full journal and asked for what people
 * look at. CPU and memory are those of the api's process alone, from /proc. Linux only.
 *
 * Both send as many samples: 100 devices take hours for what 5,000 send in minutes. Of both counts all that it takes until
 * each sample is in the chunk of its hour: to take it in, with the parts that are written meanwhile, and to make the chunks.
 * The hours are over by the clock, but so freshly opened that the api makes no chunks: they are made afterwards, in one go.
 *
 *     npm run bench:fleet                     5,000 devices for 10 minutes, 15 million samples
 *     npm run bench:fleet -- --long           the same for an hour, 90 million samples
 */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import '../packaging/pack-api.mjs';
import { agentOf, cpuOf, freePort, profiling, seal, sendTo, API } from './servers.mjs';

const { values: options } = parseArgs({
  options: {
    devices: { type: 'string', default: '5000' },
    minutes: { type: 'string', default: '10' },
    long: { type: 'boolean', default: false },
    'no-few': { type: 'boolean', default: false },
    'no-reads': { type: 'boolean', default: false },
  },
});
const DEVICES = Number(options.devices);
const MINUTES = options.long ? 60 : Number(options.minutes);
const FEW = 100;
const METRICS = 50;
const INTERVAL = 10_000;
/** Readings of so many devices come in one request: 5,000 samples. */
const TOGETHER = 100;
const HOUR = 3_600_000;
/** What comes ends within the hour that begins here, or with it. */
const START = Math.floor(Date.now() / HOUR) * HOUR - HOUR;
const RANGE = `start_time=${START - HOUR}&end_time=${START + MINUTES * 60_000}`;
const BATCH = '/api/v1/aggregator/metrics/batch';
const JSON_TYPE = { 'content-type': 'application/json' };

const say = (figure, measured, bar = '') => console.log(`${figure.padEnd(64)} ${measured.padStart(16)} ${bar}`);

/** A third of the metrics never changes, the others wander by hundredths. */
const WAVE = Array.from({ length: 1024 }, (_, at) =>
  String(Math.round(2000 + 100 * Math.sin((at / 1024) * 2 * Math.PI)) / 100),
);
const wave = (turn) => WAVE[Math.round((turn / (2 * Math.PI)) * 1024) & 1023];

function reading(device, tick, start) {
  let text = `{"device_name":"pc-${device}","timestamp":${start + tick * INTERVAL},"values":{`;
  for (let metric = 0; metric < METRICS; metric += 1) {
    const value = metric % 3 === 0 ? metric : wave(tick / 30 + metric + device);
    text += `${metric === 0 ? '' : ','}"gauge_${metric}":${value}`;
  }
  return `${text}}}`;
}

function bodyOf(from, to, tick, start = START) {
  const items = [];
  for (let device = from; device < to; device += 1) items.push(reading(device, tick, start));
  return `{"metrics":[${items.join()}]}`;
}

class Api {
  static async start(folder) {
    const began = performance.now();
    const port = await freePort();
    const env = {
      ...process.env,
      PORT: String(port),
      DATABASE_PATH: join(folder, 'data', 'metrics.db'),
      NO_COLOR: '1',
    };
    const child = spawn(process.execPath, [...profiling(), API, '--new'], {
      cwd: folder,
      env: { ...env, RETENTION_RAW: '0', RETENTION_HOURLY: '0' },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    const api = new Api(child, port);
    while (!(await api.send('GET', '/readyz').catch(() => false))) await sleep(20);
    return Object.assign(api, { startedIn: (performance.now() - began) / 1000 });
  }

  constructor(child, port) {
    Object.assign(this, { child, port, agent: agentOf() });
  }

  send(method, path, body) {
    return sendTo({ port: this.port, agent: this.agent, method, path, body, headers: body ? JSON_TYPE : {} });
  }

  cpu() {
    return cpuOf(this.child.pid);
  }

  /** Of what it has in memory and of the most that it had, MB. */
  memory() {
    const status = readFileSync(`/proc/${this.child.pid}/status`, 'utf8');
    const of = (name) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)[1]) / 1024;
    return { now: of('VmRSS'), most: of('VmHWM') };
  }

  async timed(path) {
    const [began, before] = [performance.now(), this.cpu()];
    await this.send('GET', path);
    return { seconds: (performance.now() - began) / 1000, cpu: this.cpu() - before };
  }

  async stop() {
    const ended = once(this.child, 'exit');
    this.child.kill('SIGTERM');
    await ended;
    this.agent.destroy();
  }
}

/** Sends so many samples of devices; gives the CPU-seconds per million of them of each third. */
async function fill(api, devices, samples) {
  const ticks = Math.floor(samples / (devices * METRICS));
  const start = START - Math.floor(((ticks - 1) * INTERVAL) / HOUR) * HOUR;
  const thirds = [];
  for (let third = 0; third < 3; third += 1) {
    const [first, last] = [Math.floor((ticks * third) / 3), Math.floor((ticks * (third + 1)) / 3)];
    const bodies = (function* () {
      for (let tick = first; tick < last; tick += 1) {
        for (let from = 0; from < devices; from += TOGETHER) {
          yield bodyOf(from, Math.min(devices, from + TOGETHER), tick, start);
        }
      }
    })();
    const before = api.cpu();
    const each = async () => {
      for (const body of bodies) await api.send('POST', BATCH, body);
    };
    await Promise.all([each(), each(), each(), each()]);
    thirds.push(((api.cpu() - before) / ((last - first) * devices * METRICS)) * 1e6);
    if (process.env['VERBOSE']) await tellMemory(api);
  }
  return thirds;
}

async function tellMemory(api) {
  const text = await api.send('GET', '/metrics');
  const of = (name) => (Number(new RegExp(`^${name} ([\\d.e+]+)`, 'm').exec(text)?.[1]) / 2 ** 20).toFixed(0);
  const names = ['heap_size_used', 'heap_size_total', 'external_memory'].map((n) => `nodejs_${n}_bytes`);
  const { now, most } = api.memory();
  console.log(
    `   rss ${now.toFixed(0)} most ${most.toFixed(0)}; ${names.map((n) => `${n} ${of(n)}`).join(', ')}; head samples ${of('device_metrics_store_head_samples')} Mi`,
  );
}

const quantile = (times, q) =>
  times.toSorted((a, b) => a - b)[Math.min(times.length - 1, Math.floor(times.length * q))];

/** Times of small requests at a steady pace, 20 a second, while `meanwhile` goes on, ms. */
async function paced(api, seconds, tick, meanwhile) {
  const times = [];
  const pending = [];
  let isOver = false;
  const other = meanwhile?.(() => isOver);
  for (let n = 0; n < seconds * 20; n += 1) {
    const began = performance.now();
    const from = (n * 10) % DEVICES;
    pending.push(
      api
        .send('POST', BATCH, bodyOf(from, from + 10, tick + Math.floor((n * 10) / DEVICES)))
        .then(() => times.push(performance.now() - began)),
    );
    await sleep(50);
  }
  await Promise.all(pending);
  isOver = true;
  await other;
  return times;
}

const READS = [
  ['first GET /devices', '/api/v1/devices', '<= 0.15 s'],
  ['GET /devices again', '/api/v1/devices', '<= 0.15 s'],
  ['summary of all series, first page by name', `/api/v1/reports/summary?${RANGE}&limit=10`, '<= 0.3 s'],
  [
    'the 10 largest of one metric',
    `/api/v1/reports/summary?${RANGE}&metric_name=gauge_0&sort=-max&limit=10`,
    '<= 0.5 s',
  ],
  ['… again, of another', `/api/v1/reports/summary?${RANGE}&metric_name=gauge_1&sort=-max&limit=10`, '<= 0.5 s'],
  ['all series grouped by metric', `/api/v1/reports/summary?${RANGE}&group_by=metric`, '<= 2.5 s'],
  ['compare one metric of all devices', `/api/v1/reports/compare?metric_name=gauge_1&${RANGE}`, '<= 0.3 s'],
  ['… again, of another', `/api/v1/reports/compare?metric_name=gauge_2&${RANGE}`, '<= 0.3 s'],
  ['latest of one metric', '/api/v1/reports/latest?metric_name=gauge_1', '<= 0.1 s'],
  [
    'one device by the minute, an hour, 50 metrics',
    `/api/v1/reports/metrics/pc-7?step=1m&start_time=${START}&end_time=${START + HOUR}`,
    '',
  ],
];

const root = mkdtempSync(join(tmpdir(), 'bench-fleet-'));
process.on('exit', () => rmSync(root, { recursive: true, force: true }));
const folderOf = (name) => {
  const folder = join(root, name);
  execFileSync('mkdir', ['-p', join(folder, 'data')]);
  return folder;
};

const total = DEVICES * METRICS * MINUTES * (60_000 / INTERVAL);
const perMillion = (seconds) => (seconds / total) * 1e6;

/** Says what samples cost that were taken in by thirds, and are to be made chunks now; gives it, CPU-seconds per million. */
async function sayCosts(devices, thirds, folder) {
  const sealing = perMillion(await seal(folder));
  const all = thirds.reduce((sum, third) => sum + third / 3, sealing);
  say(
    `${devices} devices, ${(total / 1e6).toFixed(1)} M samples: CPU-s per million, by thirds`,
    thirds.map((each) => each.toFixed(2)).join(' '),
  );
  say('… chunks of all parts', sealing.toFixed(2));
  say('… all of it', all.toFixed(2));
  return all;
}

let fewCost = NaN;
if (!options['no-few']) {
  const folder = folderOf('few');
  const few = await Api.start(folder);
  const thirds = await fill(few, FEW, total);
  await few.stop();
  fewCost = await sayCosts(FEW, thirds, folder);
}

const folder = folderOf('many');
const many = await Api.start(folder);
let thirds;
try {
  thirds = await fill(many, DEVICES, total);
  say('memory, most so far, MB', many.memory().most.toFixed(0), '<= 500');
  if (!options['no-reads']) {
    const tick = MINUTES * (60_000 / INTERVAL);
    const grouped = READS.find(([, path]) => path.includes('group_by'))[1];
    const [alone, beside] = [[], []];
    const asks = async (isOver) => {
      while (!isOver()) await many.send('GET', grouped);
    };
    // In turns, so that what else happens on the machine and its disk meets both alike.
    for (let turn = 0; turn < 5; turn += 1) {
      alone.push(...(await paced(many, 6, tick + 4 * turn)));
      beside.push(...(await paced(many, 6, tick + 4 * turn + 2, asks)));
    }
    const [p, q] = [quantile(alone, 0.99), quantile(beside, 0.99)];
    say('p99 of small requests, alone and beside the grouped summary, ms', `${p.toFixed(0)} ${q.toFixed(0)}`, '<= 2 ×');
    say('memory, most so far, MB', many.memory().most.toFixed(0), '<= 500');
  }
} finally {
  await many.stop();
}

if (!options['no-reads']) {
  const again = await Api.start(folder);
  try {
    say('ready after the start', `${again.startedIn.toFixed(1)} s, CPU ${again.cpu().toFixed(1)}`, '<= 3 s');
    for (const [what, path, bar] of READS) {
      const { seconds, cpu } = await again.timed(path);
      say(what, `${seconds.toFixed(2)} s, CPU ${cpu.toFixed(2)}`, bar);
    }
    say('memory after all that, most, MB', again.memory().most.toFixed(0), '<= 500');
  } finally {
    await again.stop();
  }
}

const cost = await sayCosts(DEVICES, thirds, folder);
say('… against few devices', `${(cost / fewCost).toFixed(2)} ×`, '<= 1.3 ×');
say('… the last third against the first', `${(thirds[2] / thirds[0]).toFixed(2)} ×`, '<= 1.3 ×');
const bytes = Number(execFileSync('du', ['-sb', join(folder, 'data')], { encoding: 'utf8' }).split('\t')[0]);
say('bytes per sample after that', (bytes / total).toFixed(2), '<= 1.32');
