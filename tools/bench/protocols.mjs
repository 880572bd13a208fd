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
import { ProtoWriter } from '@device-metrics/formats';
import { compress } from 'snappyjs';
import { METRICS, Workload } from './dist/workload.js';
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

const PROTOBUF = { 'content-type': 'application/x-protobuf' };
const REMOTE_WRITE = { ...PROTOBUF, 'content-encoding': 'snappy', 'x-prometheus-remote-write-version': '0.1.0' };

const labelled = new Map();

/** The labels of a series, as they stand in a write request. */
function labelsOf({ deviceName, metricName }) {
  const key = `${deviceName}\n${metricName}`;
  let labels = labelled.get(key);
  if (!labels) {
    const writer = new ProtoWriter();
    const pairs = [
      ['__name__', metricName.replaceAll('.', '_')],
      ['instance', `${deviceName}:9100`],
      ['job', 'node'],
      ['rack', 'r1'],
    ];
    for (const [name, value] of pairs) writer.message(1, (label) => label.text(1, name).text(2, value));
    labelled.set(key, (labels = writer.finish()));
  }
  return labels;
}

function writeRequest(samples) {
  const request = new ProtoWriter();
  for (const sample of samples) {
    const value = new ProtoWriter().double(1, sample.value).varint(2, sample.timestamp).finish();
    request.data(1, Buffer.concat([labelsOf(sample), new ProtoWriter().data(2, value).finish()]));
  }
  return compress(request.finish());
}

/** A resource for each device and tick, with a gauge of one point for each metric. */
function metricsRequest(samples) {
  const request = new ProtoWriter();
  for (let start = 0; start < samples.length; start += METRICS) {
    const some = samples.slice(start, start + METRICS);
    request.message(1, (ofDevice) => {
      ofDevice.message(1, (resource) =>
        resource.message(1, (pair) =>
          pair.text(1, 'host.name').message(2, (value) => value.text(1, some[0].deviceName)),
        ),
      );
      ofDevice.message(2, (scope) => {
        for (const { metricName, timestamp, value } of some) {
          scope.message(2, (metric) =>
            metric
              .text(1, metricName)
              .message(5, (gauge) =>
                gauge.message(1, (point) => point.fixed64(3, BigInt(timestamp) * 1_000_000n).double(4, value)),
              ),
          );
        }
      });
    });
  }
  return request.finish();
}

function readings(samples) {
  const items = [];
  for (let start = 0; start < samples.length; start += METRICS) {
    const some = samples.slice(start, start + METRICS);
    const values = Object.fromEntries(some.map(({ metricName, value }) => [metricName, value]));
    items.push({ device_name: some[0].deviceName, timestamp: some[0].timestamp, values });
  }
  return JSON.stringify(items);
}

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

const remoteWrite = { path: '/api/v1/write', headers: REMOTE_WRITE, body: writeRequest };
const GROUPS = {
  'remote-write': [
    ['device-metrics', deviceMetrics, remoteWrite],
    ['prometheus', prometheus, remoteWrite],
    ['victoria-metrics', victoriaMetrics, remoteWrite],
  ],
  otlp: [
    ['OTLP', deviceMetrics, { path: '/v1/metrics', headers: PROTOBUF, body: metricsRequest }],
    [
      'JSON readings',
      deviceMetrics,
      {
        path: '/api/v1/aggregator/metrics/batch',
        headers: { 'content-type': 'application/json' },
        body: readings,
      },
    ],
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
