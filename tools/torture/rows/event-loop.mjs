import { readFileSync } from 'node:fs';
import { ProtoWriter } from '@device-metrics/formats';
import { dataSourceOptions, openSampleStore } from '@device-metrics/storage';
import { DataSource } from 'typeorm';
import { assert, PRELOADS, startApi } from '../kit.mjs';

export const name = 'No call holds the event loop: every route, with a large store';
export const measures = true;

export const missing = () => (process.platform === 'linux' ? undefined : 'processor time of a thread is read on Linux');

/** Processor time of the thread between two turns, ms; ten times as much where other tests keep the cores from collecting memory. */
const MOST = 50;
const LARGE = 'large-1';
const LARGEST_BODY = 8 * 2 ** 20 - 1_000;
const UNLIMITED = { MAX_SERIES_PER_DEVICE: '0', MAX_NEW_SERIES_PER_MINUTE: '0', QUERY_MAX_SAMPLES: '500000000' };

export async function run({ file, short }) {
  const [series, devices] = short ? [2_000, 40] : [20_000, 1_000];
  const openapi = JSON.parse(readFileSync(new URL('../../../apps/api/openapi.json', import.meta.url), 'utf8'));
  const own = short ? [] : hostile();
  const worst = await watch(file('metrics.db'), series, devices, [...own, ...callsOf(openapi, short, series)]);
  const calls = worst.length;
  // Of one device with more series than it may have by default, what holds most by itself.
  const many = short ? [] : await watch(file('many.db'), 120_000, 0, ofOneDevice);
  // Of a store of their own: they bring tens of thousands of series, which every report would tell of.
  const sent = short ? [] : await watch(file('messages.db'), 0, 0, messages());
  const all = [...worst, ...many, ...sent].sort((a, b) => b.held - a.held);
  const show = (some) => some.map(({ held, what }) => `${held} ms ${what}`).join(', ');
  const most = short ? 10 * MOST : MOST;
  assert(all[0].held <= most, `held: ${show(all.filter(({ held }) => held > most))}`);
  return `${calls} calls, ${series} series of one device, ${devices} devices of 20 series; longest: ${show(worst.slice(0, 3))}; of 120,000 series: ${show(many)}; of messages: ${show(sent.slice(0, 3))}`;
}

const ofOneDevice = [
  { method: 'GET', path: `/api/v1/reports/print?device=${LARGE}` },
  { method: 'DELETE', path: `/api/v1/devices/${LARGE}` },
];

/** Makes calls one after the other, and gives how long each held the event loop at a time, the longest first. */
async function watch(path, series, devices, calls) {
  await fill(path, series, devices);
  const detail = process.env.TORTURE_DETAIL;
  let held = 0;
  let answered;
  const hear = (hold) => {
    held = Math.max(held, hold.held);
    if (hold.answer) answered();
    if (hold.by) console.error(Math.round(hold.held), hold.by);
  };
  const settings = { ...UNLIMITED, ...(detail && { TORTURE_DETAIL: detail }) };
  const api = await startApi(path, settings, { preload: [PRELOADS['watch-loop']], hear });
  const told = async () => {
    const telling = new Promise((resolve) => (answered = resolve));
    api.send('ask');
    await telling;
    const longest = Math.round(held);
    held = 0;
    return longest;
  };
  await told();
  const found = [];
  for (const call of calls) {
    const began = performance.now();
    await ask(api.url, call).catch((error) => {
      const why = error.cause?.message ?? error.message;
      throw new Error(`${call.method} ${call.path}: ${why}; ${api.log.slice(-3).join(' ')}`, { cause: error });
    });
    const one = { held: await told(), what: `${call.method} ${call.path}${call.of ? ` of ${call.of}` : ''}` };
    if (detail) console.error(Math.round(performance.now() - began), 'ms', one.held, one.what);
    found.push(one);
  }
  await api.stop();
  return found.sort((a, b) => b.held - a.held);
}

/** One device with very many series of all kinds, and many devices; hours that are sealed, and one that is not. */
async function fill(path, series, devices) {
  const dataSource = await new DataSource(dataSourceOptions(path)).initialize();
  const store = await openSampleStore(dataSource, {
    sealInterval: 0,
    maxSeriesPerDevice: 0,
    maxNewSeriesPerMinute: 0,
  });
  const hour = Math.floor(Date.now() / 3_600_000) * 3_600_000;
  const times = [hour - 2 * 3_600_000, hour - 2 * 3_600_000 + 60_000, hour - 3_600_000 + 5, hour - 30_000, hour + 1];
  for (const [round, timestamp] of times.entries()) {
    if (round === 4) await store.maintain();
    let batch = [];
    for (let number = 0; number < series + devices * 20; number += 1) {
      const deviceName = number < series ? LARGE : `small-${Math.floor((number - series) / 20)}`;
      batch.push({ deviceName, ...kindOf(number), timestamp, value: (number % 97) + round });
      if (batch.length < 20_000) continue;
      await store.append(batch);
      batch = [];
    }
    await store.append(batch);
  }
  await store.close();
  await dataSource.destroy();
}

/** Gauges, counters, states of gauges and of counters, and metrics that the catalogue does not know. */
function kindOf(number) {
  const thing = Math.floor(number / 10);
  switch (number % 10) {
    case 0:
    case 1:
    case 2:
      return { metricName: 'hw.temperature', unit: 'Cel', labels: { id: String(number) } };
    case 3:
    case 4:
      return {
        metricName: 'system.network.io',
        unit: 'By',
        labels: {
          'network.interface.name': `eth${thing}`,
          'network.io.direction': number % 10 === 3 ? 'receive' : 'transmit',
        },
      };
    case 5:
    case 6:
      return {
        metricName: 'system.cpu.time',
        unit: 's',
        labels: { 'cpu.logical_number': String(thing), 'cpu.mode': number % 10 === 5 ? 'user' : 'idle' },
      };
    case 7:
    case 8:
      return {
        metricName: 'system.filesystem.usage',
        unit: 'By',
        labels: {
          'system.filesystem.mountpoint': `/m${thing}`,
          'system.filesystem.state': number % 10 === 7 ? 'used' : 'free',
        },
      };
    default:
      return { metricName: `own.metric.${number % 5_000}`, unit: '1', labels: { id: String(number) } };
  }
}

/** Each route, once as it is and once with each value that a parameter may have; what deletes comes last. */
function callsOf(openapi, short, series) {
  const calls = [];
  for (const [template, methods] of Object.entries(openapi.paths)) {
    for (const [method, { parameters = [], requestBody }] of Object.entries(methods)) {
      const kinds = parameters.find(({ name: one }) => one === 'kind')?.schema.enum ?? [''];
      for (const kind of kinds) {
        const path = template.replace(/\{(\w+)\}/g, (_, one) =>
          one === 'device_name' ? LARGE : one === 'kind' ? kind : 'x',
        );
        const query = parameters.filter((one) => one.in === 'query');
        const needed = query
          .filter(({ required }) => required)
          .map(({ name: one, example, schema }) => [one, valueOf(one, example ?? schema?.example)]);
        const choices = [[], ...(method === 'get' && !/print|backup/.test(path) ? query.flatMap(choicesOf) : [])];
        if (query.some(({ name: one }) => one === 'metric_name'))
          choices.push([['metric_name', 'system.cpu.time']], [['metric_name', 'own.*']]);
        for (const choice of short ? choices.slice(0, 1) : choices) {
          const parts = new globalThis.URLSearchParams([
            ...needed.filter(([one]) => choice[0]?.[0] !== one),
            ...choice,
          ]);
          calls.push({
            method: method.toUpperCase(),
            path: path + (parts.size > 0 ? `?${parts}` : ''),
            body: bodyOf(path, requestBody, series),
          });
        }
      }
    }
  }
  const order = ({ method }) => (method === 'GET' ? 0 : method === 'DELETE' ? 2 : 1);
  const deletesDevice = ({ path }) => path.endsWith(LARGE);
  return [...calls.sort((a, b) => order(a) - order(b) || Number(deletesDevice(a)) - Number(deletesDevice(b)))];
}

const valueOf = (parameter, example) =>
  parameter === 'device' ? LARGE : parameter === 'metric_name' ? 'hw.temperature' : String(example);

function choicesOf({ name: parameter, schema, example }) {
  if (parameter === 'cursor' || parameter === 'device_name') return [];
  const values = schema?.enum ?? schema?.items?.enum ?? [example ?? schema?.example].flat();
  return values.filter((one) => one !== undefined && one !== null).map((one) => [[parameter, String(one)]]);
}

function bodyOf(path, requestBody, series) {
  const { examples, example } = requestBody?.content?.['application/json'] ?? {};
  if (path.includes('batch')) {
    const item = (number) => ({ device_name: LARGE, ...wire(kindOf(number % series)), value: number });
    return JSON.stringify(Array.from({ length: 20_000 }, (_, number) => item(number)));
  }
  const found = example ?? Object.values(examples ?? {})[0]?.value;
  return requestBody ? JSON.stringify(found ?? {}) : undefined;
}

/** Bodies as large as they may be that are wrong, or right and in one piece. */
function hostile() {
  const now = Date.now();
  const most = LARGEST_BODY;
  const fill = (piece) => piece.repeat(Math.floor(most / piece.length));
  const run = (name) =>
    `[{"device_name":"${name}","metric_name":"m","samples":[${Array.from({ length: 200_000 }, (_, at) => `[${now - at * 10},${at % 97}]`)}]}]`;
  const json = [
    run('plain'),
    run('es\\u0063aped'),
    `[[${fill('1,')}1]]`,
    `[[${'{},'.repeat(499_990)}{}]]`,
    `["${fill('\\"')}"]`,
  ];
  const lines = [
    fill('x\n'),
    fill('\n'),
    `m${',t=v'.repeat(400_000)} v=1`,
    fill('m v="\n'),
    `m v=${fill('1')}`,
    `m ${fill('\\,')}=1`,
    `m,t=${fill('x')} v=1`,
  ];
  return [
    ...json.map((body) => ({ method: 'POST', path: '/api/v1/aggregator/metrics/batch', body })),
    ...lines.map((body) => ({ method: 'POST', path: '/api/v2/write', body, type: 'text/plain' })),
  ];
}

/** Messages of OpenTelemetry and of remote write as large as they may be: of nothing, of very many, and of what is too much. */
function messages() {
  const most = LARGEST_BODY;
  const message = (field, ...parts) => new ProtoWriter().data(field, Buffer.concat(parts)).finish();
  const text = (field, said) => new ProtoWriter().text(field, said).finish();
  const pair = (field, key, value) => message(field, text(1, key), message(2, text(1, value)));
  const many = (bytes, of) => {
    const parts = [];
    for (let [at, length] = [0, 0]; length < bytes; at += 1) {
      parts.push(of(at));
      length += parts[at].length;
    }
    return Buffer.concat(parts.slice(0, -1));
  };
  const same = (part) => Buffer.alloc(Math.floor(most / part.length) * part.length, part);
  const time = BigInt(Date.now()) * 1_000_000n;
  const host = message(1, pair(1, 'host.name', 'hostile'));
  const number = new ProtoWriter().fixed64(3, time).double(4, 1).finish();
  const point = (...attributes) => message(1, ...attributes, number);
  const gauge = (name, ...points) => message(2, text(1, name), message(5, ...points));
  const request = (...metrics) => message(1, host, message(2, ...metrics));
  const sample = message(2, new ProtoWriter().double(1, 1).varint(2, Date.now()).finish());
  const label = (name, value) => message(1, text(1, name), text(2, value));
  const series = (...parts) => message(1, label('__name__', 'm'), label('instance', 'hostile'), ...parts);
  const points = {
    'empty resources': same(message(1)),
    'empty scopes': message(1, host, same(message(2))),
    'empty metrics': request(same(message(2))),
    'empty points': request(gauge('m', same(message(1)))),
    'points of one time': request(gauge('m', same(point()))),
    'empty attributes': request(gauge('m', point(same(message(7))))),
    'many attributes': request(gauge('m', point(many(most, (at) => pair(7, `k${at}`, 'v'))))),
    'many series': request(
      gauge(
        'm',
        many(2 ** 20, (at) => point(pair(7, 'id', String(at)))),
      ),
    ),
    'many metrics': request(many(2 ** 20, (at) => gauge(`m${at}`, point()))),
  };
  const written = {
    'empty series': same(message(1)),
    'empty labels': series(same(message(1)), sample),
    'samples of one time': series(many(2 * 2 ** 20, () => sample)),
    'many series': many(2 ** 20, (at) => series(label('i', String(at)), sample)),
  };
  const type = 'application/x-protobuf';
  return [
    ...Object.entries(points).map(([of, body]) => ({ method: 'POST', path: '/v1/metrics', of, body, type })),
    ...Object.entries(written).map(([of, body]) => ({
      ...{ method: 'POST', path: '/api/v1/write', of, body: snap(body), type, encoding: 'snappy' },
    })),
  ];
}

/** Snappy's block format, as literals only. */
function snap(bytes) {
  const parts = [new ProtoWriter().packed(bytes.length).finish()];
  for (let at = 0; at < bytes.length; at += 2 ** 16) {
    const part = bytes.subarray(at, at + 2 ** 16);
    parts.push(Uint8Array.of(61 << 2, (part.length - 1) & 255, (part.length - 1) >> 8), part);
  }
  return Buffer.concat(parts);
}

const wire = ({ metricName, unit, labels }) => ({ metric_name: metricName, unit, labels });

async function ask(url, { method, path, body, type = 'application/json', encoding }) {
  const end = new globalThis.AbortController();
  try {
    const headers =
      body === undefined ? {} : { 'content-type': type, ...(encoding && { 'content-encoding': encoding }) };
    const answer = await fetch(url + path, { method, headers, body, signal: end.signal });
    // A stream of live samples has no end.
    if (/event-stream/.test(answer.headers.get('content-type') ?? '')) return;
    await answer.arrayBuffer();
    assert(answer.status < 500 || answer.status === 503, `${method} ${path} answers ${answer.status}`);
  } finally {
    end.abort();
  }
}
