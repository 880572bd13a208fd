/**
 * A site to look at and to measure the page with: an api of its own with a fleet whose readings end now, this PC as its collector
 * reads it, devices that have gone silent, a source that fails, and alerts that somebody has answered.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { clearInterval, setInterval } from 'node:timers';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { dataSourceOptions, openDataSource, openSampleStore } from '@device-metrics/storage';
import { startApi } from '../../torture/kit.mjs';
import { describeFleet, FleetDevice, post, sendFleet } from './fleet.mjs';

const MINUTE = 60_000;
const DAY = 86_400_000;
const COLLECTOR = fileURLToPath(new URL('../../../apps/collector/dist/main.js', import.meta.url));

/** Starts the api; `end` stops it and removes its database. `sealed` is the same site, all of whose hours are sealed, at another address. */
export async function startSite(settings = {}, folder) {
  folder ??= await mkdtemp(join(tmpdir(), 'device-metrics-site-'));
  const database = join(folder, 'metrics.db');
  const api = await startApi(database, settings);
  return {
    api,
    url: api.url,
    folder,
    sealed: async () => {
      await api.stop();
      await seal(database);
      return startSite(settings, folder);
    },
    end: async () => {
      await api.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Seals now what an api would seal within some minutes. */
async function seal(database) {
  const dataSource = await openDataSource(dataSourceOptions(database));
  const store = await openSampleStore(dataSource, {
    sealDelay: 0,
    sealInterval: 0,
    rawRetention: 0,
    hourlyRetention: 0,
  });
  await store.maintain();
  await store.close();
  await dataSource.destroy();
}

/** Sends what there is to see. `hours` of the fleet; the first of its devices, lab-pc-001, has `days`. */
export async function fill(url, { devices = 500, hours = 2, days = 30 } = {}) {
  const fleet = Array.from({ length: devices }, (_, index) => new FleetDevice(index));
  const end = Math.floor(Date.now() / MINUTE) * MINUTE;
  const [first, ...others] = fleet;
  await sendFleet(url, { devices: [first], start: end - days * DAY, end, interval: 2 * MINUTE });
  // Three of them went silent at different times.
  const silent = others.splice(20, 3);
  await sendFleet(url, { devices: others, start: end - hours * 60 * MINUTE, end, interval: MINUTE });
  for (const [index, device] of silent.entries()) {
    await sendFleet(url, {
      devices: [device],
      start: end - hours * 60 * MINUTE,
      end: end - (index + 1) * 17 * MINUTE,
      interval: MINUTE,
    });
  }
  await describeFleet(url, fleet);
  return fleet;
}

/** Goes on sending what the fleet reads, those that are silent aside, until the function that comes back is called. */
export function goOn(url, fleet, interval = 10_000) {
  const timer = setInterval(() => {
    const start = Math.floor(Date.now() / interval) * interval;
    const awake = fleet.filter((_, index) => index < 21 || index >= 24);
    sendFleet(url, { devices: awake, start, end: start + interval, interval }).catch(() => undefined);
  }, interval);
  return () => clearInterval(timer);
}

/** Problems, people's answers to them, and what was set up for alerts. */
export async function fillAlerts(url) {
  await post(url, '/api/v1/aggregator/metrics/batch', {
    metrics: [
      { device_name: 'lab-pc-001', metric_name: 'collector.source.success', value: 0, labels: { source: 'rack-ups' } },
      { device_name: 'lab-pc-001', metric_name: 'hw.status', value: 1, labels: { 'hw.type': 'ups', 'hw.state': 'ok' } },
    ],
  });
  const put = (path, body) => call(url, 'PUT', `/api/v1/alerts/${path}`, body);
  await put('rules/Laboratory%20too%20warm', {
    select: { metric: 'hw.temperature', tag: 'room=lab' },
    condition: { above: 58 },
    for: '1m',
    clear: { level: 54, for: '5m' },
    text: 'Is the air conditioning on?',
  });
  await put('channels/phone', { type: 'ntfy', topic: 'lab-alerts', url: 'http://127.0.0.1:2' });
  await put('channels/on-call', { type: 'webhook', url: 'http://127.0.0.1:2/hook' });
  await put('routes/critical', { select: { severity: 'critical' }, channels: ['on-call', 'phone'], repeat: '1h' });
  await put('silences/fan', {
    select: { device: 'lab-nas-017', rule: 'Laboratory too warm' },
    for: '2d',
    comment: 'The new fan is ordered.',
  });
  await put('maintenance/updates', {
    select: { tag: 'room=office' },
    weekly: { days: ['tue'], at: '22:00' },
    duration: '3h',
    timezone: 'Europe/Berlin',
  });
}

/** A page for everybody, with an incident. */
export async function fillStatus(url) {
  await call(url, 'PUT', '/api/v1/status/page', {
    enabled: true,
    title: 'Institute of optics',
    text: 'Ask it@example.org.',
    tags: ['room=*'],
    names: 'tag:room',
  });
  await call(url, 'POST', '/api/v1/status/incidents', {
    title: 'The switch of the office is slow',
    state: 'identified',
    text: 'A new one is on its way.',
  });
}

/** Runs the collector of this PC for a while. */
export async function collect(url, folder, seconds) {
  const child = spawn(process.execPath, [COLLECTOR], {
    env: {
      PATH: process.env.PATH,
      NO_COLOR: '1',
      API_URL: url,
      DEVICE_NAME: 'this-pc',
      COLLECT_INTERVAL: '2s',
      SPOOL_PATH: join(folder, 'spool.db'),
      CREDENTIAL_PATH: join(folder, 'credential.json'),
    },
    cwd: folder,
    stdio: 'ignore',
  });
  await sleep(seconds * 1000);
  child.kill('SIGTERM');
  await once(child, 'exit');
}

export async function call(url, method, path, body) {
  const response = await fetch(url + path, {
    method,
    ...(body !== undefined && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
  return text === '' ? undefined : JSON.parse(text);
}
