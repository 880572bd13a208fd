/**
 * Prometheus remote write, the same bodies into this api and into the peers that are on the PATH (Debian: prometheus,
 * victoria-metrics), and OTLP in Protocol Buffers beside readings in JSON: thousand samples for each CPU second of the
 * server's whole process, with whatever it puts off. One request at a time, since Prometheus refuses what comes out of order.
 * Linux only.
 *
 * Usage: npm run build && node tools/bench/protocols.mjs [--samples 1800000] [--per-request 5000] [--settle 10] [--only remote-write]
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Workload } from './dist/workload.js';
import { jsonReadings, otlp, remoteWrite } from './bodies.mjs';
import { deviceMetrics, isThere, victoriaMetrics, withServer } from './servers.mjs';

const { values: options } = parseArgs({
  options: {
    samples: { type: 'string', default: '1800000' },
    'per-request': { type: 'string', default: '5000' },
    settle: { type: 'string', default: '10' },
    only: { type: 'string' },
  },
});
const SAMPLES = Number(options.samples);
const PER_REQUEST = Number(options['per-request']);
const SETTLE = Number(options.settle) * 1_000;

const prometheus = {
  name: 'prometheus',
  program: 'prometheus',
  start: (folder, port) => ({
    args: [
      '--config.file=/dev/null',
      `--storage.tsdb.path=${folder}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--web.enable-remote-write-receiver',
      '--log.level=error',
    ],
  }),
  ready: '/-/ready',
};

async function measure(server, { path, headers, body }) {
  const { result, finished } = await withServer(server, async (send, cpu) => {
    const workload = new Workload();
    const before = cpu();
    for (let sent = 0; sent < SAMPLES; sent += PER_REQUEST) {
      await send('POST', path, body(workload.next(PER_REQUEST)), headers);
    }
    await sleep(SETTLE);
    return cpu() - before;
  });
  return SAMPLES / (result + finished);
}

const GROUPS = {
  'remote-write': [
    ['device-metrics', deviceMetrics, remoteWrite],
    ['prometheus', prometheus, remoteWrite],
    ['victoria-metrics', victoriaMetrics, remoteWrite],
  ],
  otlp: [
    ['OTLP', deviceMetrics, otlp],
    ['JSON readings', deviceMetrics, jsonReadings],
  ],
};

console.log(`${SAMPLES} samples, ${PER_REQUEST} a request; CPU until ${options.settle} s after the last\n`);
for (const [group, rows] of Object.entries(GROUPS)) {
  if (options.only && options.only !== group) continue;
  console.log(`${group.padEnd(18)} k samples/CPU-s`);
  let own;
  for (const [name, server, protocol] of rows) {
    if (!isThere(server)) {
      console.log(name.padEnd(18), 'is not on the PATH');
      continue;
    }
    const perCpuSecond = await measure(server, protocol);
    own ??= perCpuSecond;
    console.log(
      name.padEnd(18),
      String(Math.round(perCpuSecond / 1000)).padStart(6),
      `(${(own / perCpuSecond).toFixed(2)}x)`,
    );
  }
}
console.log(
  '\nIn brackets: how many times as many samples the first of the group takes for a CPU second, in the same run.',
);
