/**
 * A site of many series whose alerts change all the time, with a real outbox; the parent kills it.
 *
 * Usage: node site.mjs <database> <receiver> <start, Unix ms> <series> [drain]; with drain nothing changes any more, and it ends when every message is sent
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Arrivals } from '../../dist/live/arrivals.js';
import { DeviceRhythms } from '../../dist/devices/device-rhythms.js';
import { NO_FILE } from '../../dist/alerts/alerts-file.js';
import { Alerts } from '../../dist/alerts/alerts.js';
import { dataSourceOptions, openAlertStore, openSampleStore } from '@device-metrics/storage';
import { DataSource } from 'typeorm';

const [, , path, url, begun, count, drain] = process.argv;
const dataSource = await new DataSource(dataSourceOptions(path)).initialize();
const store = await openSampleStore(dataSource);
const alertStore = openAlertStore(dataSource);
const GRID = 15_000;
// Time runs fast, and goes on where it was.
let turn = Number((await alertStore.document('key', 'turn'))?.body ?? 0);
const start = Number(begun);
const now = () => start + turn * GRID;
const alerts = await Alerts.open({
  store,
  alertStore,
  rhythms: new DeviceRhythms(store),
  arrivals: new Arrivals(),
  server: { number: () => Promise.resolve(0) },
  clock: { now, elapsed: () => turn * GRID },
  file: NO_FILE,
  secrets: { environment: {}, folder: undefined },
  publicUrl: undefined,
  timeZone: 'UTC',
  retention: 0,
  onProblem: () => undefined,
  mostWaiting: Infinity,
});
if (turn === 0) {
  const off = alerts.rules.list().map(({ document }) => ({ ...document, enabled: false }));
  await alerts.rules.put([...off, { name: 'hot', select: { metric: 'm' }, condition: { above: 5 } }], now());
  await alerts.channels.put([{ name: 'hook', type: 'webhook', url }], now());
  const route = { name: 'r', channels: ['hook'], wait: '0s', repeat: '0s', group_by: ['device'] };
  await alerts.routes.put([route], now());
}
console.log('ready');
while (drain && (await alertStore.waiting()).size > 0) {
  turn += 1;
  await alerts.sendWaiting();
  await sleep(20);
}
while (!drain) {
  turn += 1;
  await alertStore.put([{ kind: 'key', name: 'turn', body: turn, changedAt: 0 }]);
  const samples = Array.from({ length: Number(count) }, (_, index) => ({
    deviceName: `d${index}`,
    metricName: 'm',
    unit: undefined,
    labels: {},
    timestamp: now(),
    value: (index * 7 + turn) % 10 < 5 ? 9 : 1,
  }));
  await store.append(samples);
  await alerts.look();
  await alerts.sendWaiting();
  console.log(`turn ${turn}`);
  await sleep(40);
}
await alerts.close();
await store.close();
await dataSource.destroy();
