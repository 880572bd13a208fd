/**
 * The same workload over HTTP, four connections, into this api and into the peers that are on the PATH (Debian:
 * victoria-metrics, influxdb): CPU of each server's process, bytes on its disk, the time of a summary of 24 hours over all
 * series, and that of one device by the minute over an hour, all its metrics. Linux only.
 *
 * That of one device is there twice. First: the median of the first 31 after all has come in, as who opens a page once sees it; a
 * server whose code is compiled as it runs has compiled little of it by then. Again: the median of 101 after 300, as who has a
 * dashboard open sees it, on a server that runs for years. The servers are asked in turn: each once, then each once more.
 *
 * Usage: npm run build && node tools/bench/peers.mjs [--samples 1800000] [--per-request 5000]
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { START, Workload } from './dist/workload.js';
import { deviceMetrics, influxdb, isThere, sendAll, victoriaMetrics, withServer } from './servers.mjs';

const { values: options } = parseArgs({
  options: { samples: { type: 'string', default: '1800000' }, 'per-request': { type: 'string', default: '5000' } },
});
const SAMPLES = Number(options.samples);
const BATCH = Number(options['per-request']);
const DAY = 86_400_000;
const END = new Date(START + DAY).toISOString();
const HOUR = 3_600_000;
const DEVICE = 'bench-pc-7';
/** Requests for one device that are looked at first, those from the first on that are looked at again, and how many of these. */
const [FIRST, AGAIN_FROM, AGAIN] = [31, 300, 101];
const SUMMARIES = 5;

const lines = (samples) =>
  samples.map((s) => `${s.metricName},device=${s.deviceName} value=${s.value} ${s.timestamp}`).join('\n');

const STORES = [
  {
    ...deviceMetrics,
    write: '/api/v1/aggregator/metrics/batch',
    body: (samples) => JSON.stringify(readings(samples)),
    headers: { 'content-type': 'application/json' },
    summary: [`/api/v1/reports/summary?start_time=${START}&end_time=${START + DAY}`],
    minutes: `/api/v1/reports/metrics/${DEVICE}?step=1m&start_time=${START}&end_time=${START + HOUR}`,
  },
  {
    ...victoriaMetrics,
    write: '/write?precision=ms',
    body: lines,
    summary: ['count', 'min', 'max', 'avg', 'last'].map((f) => {
      const query = `${f}_over_time({__name__=~"bench.*"}[1d]) keep_metric_names`;
      return `/api/v1/query?time=${(START + DAY) / 1000}&nocache=1&query=${encodeURIComponent(query)}`;
    }),
    minutes:
      `/api/v1/query_range?start=${START / 1000 + 60}&end=${(START + HOUR) / 1000}&step=60&nocache=1&query=` +
      encodeURIComponent(`avg_over_time({__name__=~"bench.*",device="${DEVICE}"}[1m]) keep_metric_names`),
  },
  {
    ...influxdb,
    write: '/write?db=bench&precision=ms',
    body: lines,
    summary: [
      `/query?db=bench&q=${encodeURIComponent(
        `SELECT count(value), min(value), max(value), mean(value), last(value) FROM /bench.*/ WHERE time < '${END}' GROUP BY device`,
      )}`,
    ],
    minutes: `/query?db=bench&q=${encodeURIComponent(
      `SELECT mean(value) FROM /bench.*/ WHERE device = '${DEVICE}' AND time >= ${START}ms AND time < ${START + HOUR}ms GROUP BY time(1m)`,
    )}`,
  },
];

/** Samples of one tick and device, one behind the other, as readings of one device. */
function readings(samples) {
  const items = [];
  let item;
  for (const { deviceName, metricName, timestamp, value } of samples) {
    if (item?.device_name !== deviceName || item.timestamp !== timestamp) {
      items.push((item = { device_name: deviceName, timestamp, values: {} }));
    }
    item.values[metricName] = value;
  }
  return items;
}

/** Loads one store after the other, then asks all of them in turn, so that what slows the machine down slows them all down. */
async function measure([store, ...others], loaded = []) {
  if (!store) return ask(loaded);
  let spent;
  const { result, finished, bytes } = await withServer(store, async (send, cpu) => {
    const before = cpu();
    await sendAll(bodiesOf(store), (body) => send('POST', store.write, body, store.headers));
    await sleep(20_000);
    spent = cpu() - before;
    return measure(others, [...loaded, { store, send }]);
  });
  Object.assign(result.get(store), { perCpuSecond: SAMPLES / (spent + finished), bytes: bytes / SAMPLES });
  return result;
}

function* bodiesOf(store) {
  const workload = new Workload();
  for (let sent = 0; sent < SAMPLES; sent += BATCH) yield store.body(workload.next(Math.min(BATCH, SAMPLES - sent)));
}

/** Of each store how long its answers take, ms. */
async function ask(loaded) {
  const summaries = await timesOf(loaded, SUMMARIES, ({ summary }) => summary);
  const minutes = await timesOf(loaded, AGAIN_FROM + AGAIN, ({ minutes }) => [minutes]);
  const of = (store) => ({
    summary: median(summaries.get(store)),
    first: median(minutes.get(store).slice(0, FIRST)),
    again: median(minutes.get(store).slice(AGAIN_FROM)),
  });
  return new Map(loaded.map(({ store }) => [store, of(store)]));
}

async function timesOf(loaded, runs, pathsOf) {
  const times = new Map(loaded.map(({ store }) => [store, []]));
  for (let run = 0; run < runs; run += 1) {
    for (const { store, send } of loaded) {
      const start = performance.now();
      for (const path of pathsOf(store)) await send('GET', path);
      times.get(store).push(performance.now() - start);
    }
  }
  return times;
}

const median = (times) => times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)];

console.log(`${SAMPLES} samples over HTTP, ${BATCH} a request; disk and CPU 20 s after the last\n`);
console.log(
  'store              k samples/CPU-s   bytes/sample   24 h summary          a device by the minute: first, and again',
);
for (const store of STORES) if (!isThere(store)) console.log(`${store.name.padEnd(18)} is not on the PATH`);
const found = await measure(STORES.filter(isThere));
const own = found.get(STORES[0]);
for (const [store, measured] of found) {
  const ratio = (ours, theirs) => `(${(ours / theirs).toFixed(2)}x)`.padEnd(8);
  const time = (name) => `${measured[name].toFixed(2)} ms`.padStart(10) + ` ${ratio(measured[name], own[name])}`;
  console.log(
    store.name.padEnd(18),
    String(Math.round(measured.perCpuSecond / 1000)).padStart(6),
    ratio(own.perCpuSecond, measured.perCpuSecond),
    measured.bytes.toFixed(2).padStart(8),
    ratio(measured.bytes, own.bytes),
    ...['summary', 'first', 'again'].map(time),
  );
}
console.log('\nIn brackets: how many times better this api is in the same run.');
