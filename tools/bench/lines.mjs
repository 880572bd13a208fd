/**
 * Influx lines of 50 fields, the same bodies into this api and into the peers that are on the PATH (Debian: victoria-metrics,
 * influxdb), over four connections: thousand samples for each CPU second of the server's whole process, with whatever it puts
 * off. Linux only.
 *
 * Usage: npm run build && node tools/bench/lines.mjs [--samples 1800000] [--per-request 5000,500] [--settle 10] [--only name]
 *        … --memory: instead, the memory of this api with 5,000 devices of 50 metrics, sent as lines and as JSON
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { METRICS, Workload } from './dist/workload.js';
import { deviceMetrics, influxdb, isThere, sendAll, victoriaMetrics, withServer } from './servers.mjs';

const { values: options } = parseArgs({
  options: {
    samples: { type: 'string', default: '1800000' },
    'per-request': { type: 'string', default: '5000,500' },
    settle: { type: 'string', default: '10' },
    only: { type: 'string' },
    memory: { type: 'boolean', default: false },
  },
});
const SAMPLES = Number(options.samples);
const SETTLE = Number(options.settle) * 1_000;

/** A line for each device and tick: its metrics are fields, and each has its own place in the name of the field. */
function* lines(samples) {
  for (let start = 0; start < samples.length; start += METRICS) {
    const fields = samples
      .slice(start, start + METRICS)
      .map(({ metricName, value }) => `${metricName.slice(6)}=${value}`);
    const { deviceName, timestamp } = samples[start];
    yield `bench,host=${deviceName},rack=r1 ${fields.join(',')} ${timestamp}000000\n`;
  }
}

async function measure(server, perRequest) {
  const { result, finished, bytes } = await withServer(server, async (send, cpu) => {
    const workload = new Workload();
    const before = cpu();
    const bodies = function* () {
      for (let sent = 0; sent < SAMPLES; sent += perRequest) yield [...lines(workload.next(perRequest))].join('');
    };
    await sendAll(bodies(), (body) => send('POST', '/write?db=bench', body));
    await sleep(SETTLE);
    return cpu() - before;
  });
  return { perCpuSecond: SAMPLES / (result + finished), bytes: bytes / SAMPLES };
}

/** Bytes that the api has in memory after a few readings of a fleet. */
async function memory(path, bodyOf, type) {
  const [devices, rounds] = [5_000, 4];
  const { result } = await withServer(deviceMetrics, async (send, _cpu, rss) => {
    for (let device = 0; device < rounds * devices; device += 100) {
      const some = Array.from({ length: 100 }, (_, index) => `bench-pc-${(device + index) % devices}`);
      await send('POST', path, bodyOf(some, Math.floor(device / devices)), { 'content-type': type });
    }
    await sleep(SETTLE);
    return rss();
  });
  return result;
}

async function compareMemory() {
  const time = (round) => Math.floor(Date.now() / 10_000) * 10_000 - 60_000 + round * 10_000;
  const fields = Array.from({ length: METRICS }, (_, metric) => `bench.value.${metric}`);
  const json = await memory(
    '/api/v1/aggregator/metrics/batch',
    (names, round) =>
      JSON.stringify(
        names.map((device_name) => ({
          device_name,
          timestamp: time(round),
          values: Object.fromEntries(fields.map((field, index) => [field, index + round / 4])),
        })),
      ),
    'application/json',
  );
  const influx = await memory(
    '/write',
    (names, round) =>
      names
        .map((name) => {
          const pairs = fields.map((field, index) => `${field.slice(6)}=${index + round / 4}`);
          return `bench,host=${name} ${pairs.join(',')} ${time(round)}000000\n`;
        })
        .join(''),
    'text/plain',
  );
  const mebibytes = (bytes) => `${Math.round(bytes / 2 ** 20)} MiB`;
  console.log(
    `5,000 devices × ${METRICS}: ${mebibytes(influx)} by lines, ${mebibytes(json)} by JSON: ${(influx / json).toFixed(2)}×`,
  );
}

if (options.memory) {
  await compareMemory();
  process.exit(0);
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
