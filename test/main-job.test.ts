import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { Server } from '../apps/api/test/server.js';
import {
  answer,
  CollectorProcess,
  LONG,
  pause,
  TestFolder,
  TestServer,
  until,
} from '../apps/collector/test/harness.js';
import { Spool } from '../apps/collector/src/upload/spool.js';
import { freePort } from '../libs/storage/src/testing/free-port.mjs';

const KILLS = LONG ? 200 : 3;
/** How long the api is away, ms. */
const AWAY = LONG ? 60_000 : 3_000;

let folder: TestFolder;
/** A third-party device that counts its answers, so that each number must arrive exactly once. */
let device: TestServer;
let counted = 0;
let settings: { PORT: string; DATABASE_PATH: string };
let api: Server;
let collector: CollectorProcess;

beforeEach(async () => {
  folder = new TestFolder();
  counted = 0;
  device = await new TestServer((_request, response) => answer(response, 200, { count: (counted += 1) })).start();
  settings = { PORT: String(await freePort()), DATABASE_PATH: folder.file('metrics.db') };
  // The api's own metrics, of which each turn has a hundred, are read beside it in the long form.
  folder.write(
    'collector.yaml',
    `pc: false\napi: ${LONG}\nthird_party:\n  - { protocol: http-json, device: counter, url: '${device.url}', mapping: '{"metric_name": "count", "value": count}', timeout: 60s }\n`,
  );
});
afterEach(async () => {
  await collector.stop('SIGKILL');
  await api.stop();
  await device.stop();
  folder.remove();
});

function startCollector(): void {
  collector = new CollectorProcess(folder, { API_URL: `http://127.0.0.1:${settings.PORT}`, COLLECT_INTERVAL: '100ms' });
}

async function counts(): Promise<number[]> {
  const { status, body } = await api.get('/api/v1/reports/metrics/counter?metric_name=count');
  return status === 404 ? [] : ((body.series[0]?.samples ?? []) as [string, number][]).map(([, value]) => value);
}

/** Silences the device and gives the report once the spool is empty: a new start sends what is left at once. */
async function drained(): Promise<number[]> {
  await device.stop();
  await collector.stop();
  startCollector();
  await until(
    () => pendingBatches() === 0,
    () => `${pendingBatches()} batches still wait; the collector says\n${collector.output}`,
  );
  return counts();
}

function pendingBatches(): number {
  const spool = new Spool(folder.file('instance/spool.db'), { maxBytes: Infinity, minFreeBytes: 0 }, () => undefined);
  try {
    return spool.totals().pendingBatches;
  } finally {
    spool.close();
  }
}

const oneTo = (last: number): number[] => Array.from({ length: last }, (_, index) => index + 1);

it(
  `collector and api lose nothing and double nothing in ${KILLS} SIGKILLs of the api, nor while it is away for ${AWAY / 1000} s`,
  async () => {
    api = await Server.start(settings);
    startCollector();
    await until(() => counted > 3);
    for (let kill = 1; kill < KILLS; kill += 1) {
      await pause(Math.random() * 200);
      await api.stop('SIGKILL');
      api = await Server.start(settings);
    }
    await api.stop('SIGKILL');
    const before = counted;
    await pause(AWAY);
    // It goes on reading, however slow the machine.
    await until(() => counted - before > AWAY / 200);
    api = await Server.start(settings);

    const values = await drained();
    expect(values).toEqual(oneTo(values.length));
    expect(values.length).toBeGreaterThanOrEqual(counted - 1);
  },
  AWAY + KILLS * 3_000 + 180_000,
);
