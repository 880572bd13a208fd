/**
 * Influx lines of 50 fields, the same bodies into this api and into the peers that are on the PATH (Debian: victoria-metrics,
 * influxdb), over four connections: thousand samples for each CPU second of the server's whole process, with whatever it puts
 * off. Linux only.
 *
 * Usage: npm run build && node tools/bench/lines.mjs [--samples 1800000] [--per-request 5000,500] [--settle 10] [--only name]
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { influxLines } from './bodies.mjs';
import { METRICS, Workload } from './dist/workload.js';
import { deviceMetrics, influxdb, isThere, sendAll, victoriaMetrics, withServer } from './servers.mjs';

const { values: options } = parseArgs({
  options: {
    samples: { type: 'string', default: '1800000' },
    'per-request': { type: 'string', default: '5000,500' },
    settle: { type: 'string', default: '10' },
    only: { type: 'string' },
  },
});
const SAMPLES = Number(options.samples);
const SETTLE = Number(options.settle) * 1_000;

const { path, headers, body } = influxLines;

async function measure(server, perRequest) {
  const { result, finished, bytes } = await withServer(server, async (send, cpu) => {
    const workload = new Workload();
    const before = cpu();
    const bodies = function* () {
      for (let sent = 0; sent < SAMPLES; sent += perRequest) yield body(workload.next(perRequest));
    };
    await sendAll(bodies(), (lines) => send('POST', path, lines, headers));
    await sleep(SETTLE);
    return cpu() - before;
  });
  return { perCpuSecond: SAMPLES / (result + finished), bytes: bytes / SAMPLES };
}

const servers = [deviceMetrics, victoriaMetrics, influxdb].filter(({ name }) => !options.only || name === options.only);
console.log(`${SAMPLES} samples in lines of ${METRICS} fields; CPU until ${options.settle} s after the last\n`);
console.log('samples a request   store              k samples/CPU-s   bytes/sample');
for (const perRequest of options['per-request'].split(',').map(Number)) {
  let own;
  for (const server of servers) {
    if (!isThere(server)) {
      console.log(`${String(perRequest).padEnd(19)} ${server.name.padEnd(18)} is not on the PATH`);
      continue;
    }
    const { perCpuSecond, bytes } = await measure(server, perRequest);
    own ??= perCpuSecond;
    const thousands = String(Math.round(perCpuSecond / 1000)).padStart(6);
    const ratio = `(${(own / perCpuSecond).toFixed(2)}x)`.padEnd(8);
    console.log(String(perRequest).padEnd(19), server.name.padEnd(18), thousands, ratio, bytes.toFixed(2).padStart(10));
  }
}
console.log('\nIn brackets: how many times as many samples this api takes for a CPU second, in the same run.');
