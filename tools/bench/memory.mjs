/**
 * The memory of this api with 5,000 devices of 50 metrics, by the protocol that they are sent in: RSS right after so many rounds of all
 * of them, and once it has rested. Linux only.
 *
 * Usage: npm run build && node tools/bench/memory.mjs [--rounds 4] [--settle 10] [--times 1] [--only remote-write]
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { influxLines, jsonReadings, otlp, remoteWrite } from './bodies.mjs';
import { INTERVAL, METRICS } from './dist/workload.js';
import { deviceMetrics, withServer } from './servers.mjs';

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '4' },
    settle: { type: 'string', default: '10' },
    times: { type: 'string', default: '1' },
    only: { type: 'string' },
  },
});
const ROUNDS = Number(options.rounds);
const DEVICES = 5_000;
const PER_REQUEST = 100;

/** A reading of some devices. */
function samplesOf(firstDevice, timestamp, round) {
  return Array.from({ length: PER_REQUEST * METRICS }, (_, index) => ({
    deviceName: `bench-pc-${firstDevice + Math.floor(index / METRICS)}`,
    metricName: `bench.value.${index % METRICS}`,
    timestamp,
    value: (index % METRICS) + round / 4,
  }));
}

/** Bytes that the api has in memory after the last round, and once it has rested. */
async function measure({ path, headers, body }) {
  const start = Math.floor(Date.now() / INTERVAL - ROUNDS) * INTERVAL;
  const { result } = await withServer(deviceMetrics, async (send, _cpu, rss) => {
    for (let round = 0; round < ROUNDS; round += 1) {
      for (let device = 0; device < DEVICES; device += PER_REQUEST) {
        await send('POST', path, body(samplesOf(device, start + round * INTERVAL, round)), headers);
      }
    }
    const filled = rss();
    await sleep(Number(options.settle) * 1_000);
    return { filled, rested: rss() };
  });
  return result;
}

const PROTOCOLS = { 'JSON readings': jsonReadings, lines: influxLines, 'remote-write': remoteWrite, OTLP: otlp };
const protocols = Object.entries(PROTOCOLS).filter(
  ([name]) => !options.only || name === options.only || name === 'JSON readings',
);
/** One after the other each time: what the machine does besides is then the same for all. */
const measured = protocols.map(() => []);
for (let time = 0; time < Number(options.times); time += 1) {
  for (const [index, [, protocol]] of protocols.entries()) measured[index].push(await measure(protocol));
}

const mean = (results, of) => results.reduce((sum, result) => sum + result[of], 0) / results.length;
const column = (results, of) => {
  const bytes = mean(results, of);
  const ratio = `(${(bytes / mean(measured[0], of)).toFixed(2)}x)`;
  return `${String(Math.round(bytes / 2 ** 20)).padStart(4)} MiB ${ratio}`.padEnd(18);
};
console.log(`${DEVICES} devices × ${METRICS} metrics, ${ROUNDS} rounds\n`);
console.log(`protocol            right after       after ${options.settle} s`);
for (const [index, [name]] of protocols.entries()) {
  console.log(name.padEnd(18), column(measured[index], 'filled'), column(measured[index], 'rested').trimEnd());
}
console.log('\nIn brackets: against JSON readings, in the same run.');
