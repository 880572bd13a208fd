import { existsSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Spool, type SpoolTotals } from '../src/upload/spool.js';
import { answer, CollectorProcess, LONG, pause, TestApi, TestFolder, TestServer, until } from './harness.js';

let folder: TestFolder;
let api: TestApi;
/** Counts its readings, so that each value must arrive exactly once. */
let device: TestServer;
let counted = 0;
let running: CollectorProcess[];

beforeEach(async () => {
  folder = new TestFolder();
  api = await new TestApi().start();
  counted = 0;
  device = await new TestServer((_request, response) => answer(response, 200, { count: (counted += 1) })).start();
  running = [];
});
afterEach(async () => {
  for (const collector of running) await collector.stop('SIGKILL');
  await api.stop();
  await device.stop();
  folder.remove();
});

const counter = (): string => `
  - protocol: http-json
    device: counter
    url: ${device.url}
    mapping: '{"metric_name": "count", "value": count}'`;
const ofWeb = (name: string, url: string): string => `
  - { protocol: prometheus, device: ${name}, url: '${url}', timeout: 100ms }`;

function start(thirdParty: string, environment: Record<string, string> = {}): CollectorProcess {
  folder.write('collector.yaml', `pc: false\nthird_party:${thirdParty}\n`);
  const collector = new CollectorProcess(folder, { API_URL: api.url, COLLECT_INTERVAL: '100ms', ...environment });
  running.push(collector);
  return collector;
}

function totals(): SpoolTotals {
  const spool = new Spool(folder.file('instance/spool.db'), { maxBytes: Infinity, minFreeBytes: 0 }, () => undefined);
  try {
    return spool.totals();
  } finally {
    spool.close();
  }
}

const counts = (): number[] => api.valuesOf('count', 'counter');
const oneTo = (last: number): number[] => Array.from({ length: last }, (_, index) => index + 1);

describe('a collector', () => {
  it('sends this PC and a third-party device with nothing configured', async () => {
    const receive = api.handle;
    api.handle = (request, response) => {
      return request.url === '/metrics' ? void response.end('# TYPE up gauge\nup 1\n') : receive(request, response);
    };
    const collector = new CollectorProcess(folder, { API_URL: api.url });
    running.push(collector);
    await until(() => ['up', 'system.cpu.utilization'].every((metric) => api.valuesOf(metric).length > 0));
    const names = new Set(
      api.samples.filter(({ device_name }) => device_name === 'test-pc').map((one) => one.metric_name),
    );
    expect([...names]).toEqual(
      expect.arrayContaining(['system.memory.usage', 'system.uptime', 'system.filesystem.usage', 'system.network.io']),
    );
    expect(await collector.stop()).toBe(0);
    expect(existsSync(folder.file('instance/spool.db'))).toBe(true);
  });

  it('loses nothing and doubles nothing while the api is away', async () => {
    const collector = start(counter());
    await until(() => counts().length > 2);
    await api.stop();
    await collector.says('The api does not take samples');
    const before = counted;
    await until(() => counted > before + 10);
    await api.start();
    await collector.says('The api answers again');
    expect(await collector.stop()).toBe(0);
    const last = start(counter());
    await until(() => totals().pendingBatches === 0 && counts().length > before + 10);
    await last.stop();
    expect(totals().quarantinedSamples).toBe(0);
    await finished();
  });

  it(`loses nothing and doubles nothing in ${LONG ? 200 : 20} SIGKILLs`, async () => {
    const kills = LONG ? 200 : 20;
    for (let kill = 0; kill < kills; kill += 1) {
      const before = counted;
      const collector = start(counter());
      await until(() => counted > before);
      await pause(Math.random() * 300);
      await collector.stop('SIGKILL');
    }
    const collector = start(counter());
    const before = counted;
    await until(() => counted > before + 2 && totals().pendingBatches <= 1);
    await collector.stop();
    await finished(kills);
  });

  it('is delayed by no device that hangs, fails or sends garbage, and tells of them in its own metrics', async () => {
    const bad = await new TestServer((request, response) => {
      if (request.url === '/500') response.writeHead(500).end();
      if (request.url === '/garbage') response.end('{"this": "is no exposition"');
    }).start();
    const others = ofWeb('hangs', bad.url) + ofWeb('fails', `${bad.url}/500`) + ofWeb('garbage', `${bad.url}/garbage`);
    const collector = start(others + ofWeb('away', 'http://127.0.0.1:1') + counter());
    await until(() => counts().length > 5);
    await until(() => success('hangs').length > 3);
    expect(await collector.stop()).toBe(0);
    await bad.stop();
    for (const name of ['hangs', 'fails', 'garbage', 'away']) expect(success(name)).toEqual(success(name).map(() => 0));
    expect(success('counter')).toEqual(success('counter').map(() => 1));
    const failures = collector.output.split('\n').filter((line) => / fails: /.test(line));
    expect(failures.map((line) => line.replace(/.*] /, '')).sort()).toEqual([
      expect.stringMatching(/^away fails: .*ECONNREFUSED/),
      'fails fails: answered 500',
      expect.stringMatching(/^garbage fails: line 1: must begin with the name of a metric/),
      'hangs fails: no answer within 100 ms',
    ]);
  });

  it('stops within 6 s though api and device hang, and keeps its queue', async () => {
    api.instead = () => true;
    device.handle = (_request, response) => {
      counted += 1;
      if (counted < 5) answer(response, 200, { count: counted });
    };
    const collector = start(counter(), { COLLECT_INTERVAL: '200ms' });
    await until(() => counted >= 5 && api.requests > 0);
    const asked = performance.now();
    expect(await collector.stop()).toBe(0);
    expect(performance.now() - asked).toBeLessThan(6_000);
    expect(totals()).toMatchObject({ sent: 0, evicted: 0, quarantinedSamples: 0 });
    api.instead = () => false;
    const next = start(counter());
    await until(() => counts().length >= 4);
    await next.stop();
    expect(counts().slice(0, 4)).toEqual([1, 2, 3, 4]);
  });

  it('does not start with mistakes in its configuration', async () => {
    const collector = start(`\n  - { protocol: prometheus, device: a, ulr: "\${NOWHERE}" }`, {
      COLLECT_INTERVAL: 'often',
    });
    expect(await collector.ended).toBe(1);
    expect(collector.output.split('\n')).toEqual([
      'The configuration has 3 mistakes:',
      '  COLLECT_INTERVAL: must be a duration from 100ms to 24h, as in 10s, got "often"',
      '  third_party[0].ulr: ${NOWHERE} is not set in the environment',
      '  third_party[0].url: is missing; it must be a URL that begins with http:// or https://',
      '',
    ]);
  });

  const success = (source: string): number[] =>
    api.samples
      .filter(({ metric_name, labels }) => metric_name === 'collector.source.success' && labels?.['source'] === source)
      .map(({ value }) => value);

  /** Everything that was spooled has arrived once; `lost` readings may have been in flight when the process was killed. */
  async function finished(lost = 0): Promise<void> {
    const collector = start(' []');
    await until(() => totals().pendingBatches === 0);
    await collector.stop();
    const { generated, sent } = totals();
    expect(sent).toBeGreaterThan(generated - 20);
    const arrived = counts();
    expect(arrived).toEqual([...new Set(arrived)].sort((a, b) => a - b));
    const missing = oneTo(arrived.at(-1) ?? 0).filter((value) => !arrived.includes(value));
    expect(missing.length).toBeLessThanOrEqual(lost);
  }
});
