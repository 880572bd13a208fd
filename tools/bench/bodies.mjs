/** What senders of each protocol send of samples: those of a device and a time, METRICS of them, stand together. */
import { ProtoWriter } from '@device-metrics/formats';
import { compress } from 'snappyjs';
import { METRICS } from './dist/workload.js';

const PROTOBUF = { 'content-type': 'application/x-protobuf' };

export const influxLines = { path: '/write?db=bench', headers: { 'content-type': 'text/plain' }, body: linesOf };
export const remoteWrite = {
  path: '/api/v1/write',
  headers: { ...PROTOBUF, 'content-encoding': 'snappy', 'x-prometheus-remote-write-version': '0.1.0' },
  body: writeRequest,
};
export const otlp = { path: '/v1/metrics', headers: PROTOBUF, body: metricsRequest };
export const jsonReadings = {
  path: '/api/v1/aggregator/metrics/batch',
  headers: { 'content-type': 'application/json' },
  body: readings,
};

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

/** A line for each device and tick: its metrics are fields, and each has its own place in the name of the field. */
function linesOf(samples) {
  const lines = [];
  for (let start = 0; start < samples.length; start += METRICS) {
    const fields = samples
      .slice(start, start + METRICS)
      .map(({ metricName, value }) => `${metricName.slice(6)}=${value}`);
    const { deviceName, timestamp } = samples[start];
    lines.push(`bench,host=${deviceName},rack=r1 ${fields.join(',')} ${timestamp}000000\n`);
  }
  return lines.join('');
}
