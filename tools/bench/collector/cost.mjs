/**
 * What a collector with nothing configured costs: processor milliseconds a cycle, its programs included, and resident
 * memory. Linux only.
 *
 *     npm run build && node tools/bench/collector/cost.mjs [interval, default 10s] [cycles, default 30]
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';

const MAIN = new URL('../../../apps/collector/dist/main.js', import.meta.url).pathname;
const MAX_SHARE = 0.0025;
const MAX_RSS = 70;
/** Cycles before the measurement: the first ones load and compile. */
const WARM_UP = 3;

const [interval = '10s', cycles = '30'] = process.argv.slice(2);
const seconds = Number(interval.replace(/s$/, ''));
const samples = [];

// An exposition of about the size that the api has.
const exposition = Array.from({ length: 100 }, (_, index) => `some_metric{label="value ${index}"} ${index}\n`).join('');
const api = createServer(async (request, response) => {
  if (request.url === '/metrics') return response.end(exposition);
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const { metrics } = JSON.parse(gunzipSync(Buffer.concat(chunks)).toString());
  samples.push(metrics.length);
  response
    .setHeader('content-type', 'application/json')
    .end(JSON.stringify({ accepted: metrics.length, rejected: [] }));
});
await new Promise((resolve) => api.listen(0, '127.0.0.1', resolve));

const folder = mkdtempSync(join(tmpdir(), 'collector-cost-'));
const collector = spawn(process.execPath, [MAIN], {
  cwd: folder,
  env: { PATH: process.env.PATH, API_URL: `http://127.0.0.1:${api.address().port}`, COLLECT_INTERVAL: interval },
  stdio: 'ignore',
});
try {
  await delay(seconds * WARM_UP * 1000 + 2_000);
  samples.length = 0;
  const before = processorMilliseconds(collector.pid);
  await delay(seconds * Number(cycles) * 1000);
  const perCycle = (processorMilliseconds(collector.pid) - before) / Number(cycles);
  const share = perCycle / (seconds * 1000);
  const { rss, peak } = memory(collector.pid);
  const perCycleSamples = samples.reduce((sum, count) => sum + count, 0) / Number(cycles);
  console.log(`${cpus()[0].model}, Node ${process.version}, every ${interval}, ${cycles} cycles`);
  console.log(
    `samples a cycle       ${perCycleSamples.toFixed(0)} in ${(samples.length / Number(cycles)).toFixed(1)} uploads`,
  );
  console.log(
    `processor a cycle     ${perCycle.toFixed(1)} ms = ${(share * 100).toFixed(2)}% of one core (bar: ${MAX_SHARE * 100}%)`,
  );
  console.log(`resident memory       ${rss} MB, at most ${peak} MB (bar: ${MAX_RSS} MB)`);
  process.exitCode = share <= MAX_SHARE && rss <= MAX_RSS ? 0 : 1;
} finally {
  collector.kill('SIGTERM');
  await new Promise((resolve) => collector.once('close', resolve));
  api.close();
  api.closeAllConnections();
  rmSync(folder, { recursive: true });
}

/** Of a process and of the programs that it has started and that have ended. */
function processorMilliseconds(pid) {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks) * 10, 0);
}

function memory(pid) {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const megabytes = (name) => Math.round(Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)[1]) / 1000);
  return { rss: megabytes('VmRSS'), peak: megabytes('VmHWM') };
}
