/** A device with numbers that can be foretold, an api that misbehaves, and a real collector between the two. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { gunzipSync } from 'node:zlib';
import { Spool } from '../../apps/collector/dist/upload/spool.js';
import { assert, mainOf, running, sleep } from './kit.mjs';

const COUNTERS = 10;

async function listen(handle) {
  const server = createServer(handle);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** Ten counters that grow together: each reading must arrive whole. */
export async function startDevice() {
  const device = { rounds: 0 };
  const server = await listen((_, response) => {
    device.rounds += 1;
    response.end(JSON.stringify(Array.from({ length: COUNTERS }, (_, counter) => ({ counter, value: device.rounds }))));
  });
  return Object.assign(device, server);
}

/**
 * Stores what comes by series and time, as the api does.
 *
 * @param mood of each request: `take`, `lose` (stored, but the answer is lost), `cut`, or a status to answer.
 */
export async function startStore(mood = () => 'take') {
  const store = { values: new Map(), mood };
  const server = await listen(async (request, response) => {
    const chunks = [];
    try {
      for await (const chunk of request) chunks.push(chunk);
    } catch {
      return;
    }
    if (request.method !== 'POST') return response.writeHead(404).end('{}');
    const what = store.mood();
    if (what === 'cut') return response.destroy();
    if (typeof what === 'number') return response.writeHead(what, { 'retry-after': '1' }).end('{}');
    const body = Buffer.concat(chunks);
    const json = request.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body;
    const { metrics } = JSON.parse(json.toString());
    for (const { device_name, metric_name, labels, timestamp, value } of metrics) {
      const key = JSON.stringify([device_name, metric_name, labels ?? {}, timestamp]);
      const before = store.values.get(key);
      assert(before === undefined || before === value, `${key} came as ${before} and as ${value}`);
      store.values.set(key, value);
    }
    if (what === 'lose') return response.destroy();
    response.writeHead(200, { 'content-type': 'application/json' });
    return response.end(JSON.stringify({ accepted: metrics.length, rejected: [] }));
  });
  return Object.assign(store, server);
}

/**
 * A collector that reads the device ten times a second.
 *
 * @param main of another build.
 * @param more sources, as its configuration has them.
 */
export function startCollector(folder, device, store, env = {}, main = mainOf('collector'), more = []) {
  mkdirSync(folder, { recursive: true });
  const config = `${folder}/collector.yaml`;
  const mapping = '$.{"metric_name": "count", "value": value, "labels": {"counter": $string(counter)}}';
  writeFileSync(
    config,
    `pc: false\napi: false\nthird_party:\n  - { protocol: http-json, device: counters, url: '${device.url}', mapping: '${mapping}' }\n${more.map((one) => `  - ${one}\n`).join('')}`,
  );
  const child = spawn(process.execPath, [main], {
    cwd: folder,
    env: {
      ...{ PATH: process.env.PATH, NO_COLOR: '1', DEVICE_NAME: 'pc', COLLECT_INTERVAL: '100ms', API_URL: store.url },
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  const exited = once(child, 'exit').finally(() => running.delete(child));
  const log = [];
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => log.push(text));
  const end = async (signal) => {
    child.kill(signal);
    await exited;
  };
  return { log, ended: exited, stop: () => end('SIGTERM'), kill: () => end('SIGKILL'), pid: child.pid };
}

export function totalsOf(path) {
  const spool = new Spool(path, { maxBytes: Infinity, minFreeBytes: 0 }, () => undefined);
  try {
    return spool.totals();
  } finally {
    spool.close();
  }
}

/**
 * Lets a collector send what is left, and gives how what it counted and what was stored compare.
 *
 * @param haveFuture samples of a time that has not come yet wait in the spool: only the others are sent.
 */
export async function settle(folder, device, store, spool, env = {}, haveFuture = false) {
  store.mood = () => 'take';
  const collector = startCollector(folder, device, store, env);
  for (const end = performance.now() + 60_000; ;) {
    await sleep(200);
    const { pendingSamples } = totalsOf(spool);
    if (pendingSamples <= 2 * COUNTERS) break;
    if (haveFuture && performance.now() > end - 55_000) break;
    assert(performance.now() < end, `${pendingSamples} samples still wait`);
  }
  await collector.stop();
  const { generated, sent, evicted, dropped, quarantinedSamples, pendingSamples } = totalsOf(spool);
  assert.equal(generated, sent + evicted + dropped + quarantinedSamples + pendingSamples, 'the totals do not add up');
  const counts = [...store.values].filter(([key]) => key.includes('"count"'));
  const rounds = new Map();
  for (const [key, value] of counts)
    rounds.set(JSON.parse(key)[3], (rounds.get(JSON.parse(key)[3]) ?? []).concat(value));
  for (const [time, values] of rounds) {
    const isWhole = values.length === COUNTERS && values.every((value) => value === values[0]);
    assert(isWhole, `the reading of ${new Date(time).toISOString()} is not whole: ${values}`);
  }
  return { generated, evicted, quarantinedSamples, pendingSamples, stored: store.values.size };
}
