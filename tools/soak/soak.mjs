/**
 * Does the api live through hours of everything that makes and drops objects of SQLite? A built api gets ingest, reports,
 * backups and deletes, and collects garbage each second. Prints a line a minute, and ends with 1 where the api ended by
 * itself or refused what it should take.
 *
 *   node tools/soak/soak.mjs [--minutes 60] [--pause 200]
 *
 * `--pause` is the time between two rounds, ms. Runs on the Node that runs this; a temporary folder, a free port.
 */
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '60' }, pause: { type: 'string', default: '200' } },
});
const end = Date.now() + Number(values.minutes) * 60_000;
const pause = Number(values.pause);

const folder = await mkdtemp(join(tmpdir(), 'soak-'));
const api = spawn(
  process.execPath,
  [
    '--expose-gc',
    '--import',
    new URL('collect-garbage.mjs', import.meta.url).href,
    new URL('../../apps/api/dist/main.js', import.meta.url).pathname,
  ],
  {
    env: { PATH: process.env.PATH, NO_COLOR: '1', PORT: '0', DATABASE_PATH: join(folder, 'metrics.db') },
    stdio: ['ignore', 'pipe', 'inherit'],
  },
);
let ended;
api.once('exit', (code, signal) => (ended = signal ?? `exit code ${code}`));
const url = await new Promise((resolve, reject) => {
  createInterface(api.stdout).on('line', (line) => {
    const [, address] = /Listening on (\S+);/.exec(line) ?? [];
    if (address) resolve(address);
  });
  api.once('exit', () => reject(new Error(`the api ended before it listened: ${ended}`)));
});

const done = { rounds: 0, samples: 0, reports: 0, backups: 0, deletes: 0 };
const unexpected = [];

async function call(method, path, body) {
  const answer = await fetch(url + path, {
    method,
    ...(body ? { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) } : {}),
  });
  const { length } = Buffer.from(await answer.arrayBuffer());
  if (!answer.ok) unexpected.push(`${method} ${path}: ${answer.status}`);
  return length;
}

/** A minute of ten metrics of a device, its newest sample of now. */
function minuteOf(device) {
  const now = Date.now();
  const seconds = Array.from({ length: 60 }, (_, second) => now - second * 1000);
  return Array.from({ length: 10 }, (_, metric) => ({
    device_name: device,
    metric_name: `soak.metric_${metric}`,
    samples: seconds.map((time) => [time, Math.sin(time / 1e4) * metric]),
  }));
}

async function round(number) {
  const device = `soak-${number % 50}`;
  await call('POST', '/api/v1/aggregator/metrics/batch', { metrics: minuteOf(device) });
  done.samples += 600;
  await call('GET', '/api/v1/reports/summary?time_range=1');
  await call('GET', `/api/v1/reports/metrics/${device}?step=1m&aggregation=mean,p95`);
  done.reports += 2;
  if (number % 20 === 19) {
    await call('GET', '/api/v1/admin/backup');
    done.backups += 1;
  }
  if (number % 7 === 6) {
    await call('DELETE', `/api/v1/devices/${device}`);
    done.deletes += 1;
  }
  done.rounds += 1;
}

let nextLine = Date.now() + 60_000;
try {
  while (!ended && Date.now() < end && unexpected.length === 0) {
    await round(done.rounds);
    if (Date.now() >= nextLine) {
      console.log(`${process.version}: ${JSON.stringify(done)}`);
      nextLine += 60_000;
    }
    await sleep(pause);
  }
} catch (error) {
  // A connection that breaks off: the exit that follows tells why.
  await sleep(1000);
  if (!ended) unexpected.push(String(error.cause ?? error));
}
const failure = ended ? `the api ended by itself: ${ended}` : unexpected[0];
if (!ended) {
  api.kill('SIGTERM');
  await new Promise((resolve) => api.once('exit', resolve));
}
await rm(folder, { recursive: true });
console.log(`${process.version}: ${failure ?? 'lived to the end'}; ${JSON.stringify(done)}`);
process.exitCode = failure ? 1 : 0;
