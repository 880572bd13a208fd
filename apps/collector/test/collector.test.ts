import { existsSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { answer, LONG, pause, timeOf, until, World } from './harness.js';

/** A third-party device that counts its readings: each value must arrive exactly once. */
class Counter {
  count = 0;

  /** Its line in the configuration, once it is served. */
  line = '';

  constructor(private readonly world: World) {}

  async start(): Promise<this> {
    const { url } = await this.world.serve((_request, response) => answer(response, 200, { count: (this.count += 1) }));
    const mapping = '{"metric_name": "count", "value": count}';
    this.line = `{ protocol: http-json, device: counter, url: '${url}', mapping: '${mapping}', timeout: 60s }`;
    return this;
  }

  get arrived(): number[] {
    return this.world.api.valuesOf('count', 'counter');
  }

  /** Everything that was spooled arrives once; `lost` readings may have been on their way into the spool. */
  async arrivesWhole(lost = 0): Promise<void> {
    await this.world.drain();
    const { arrived } = this;
    expect(arrived).toEqual([...new Set(arrived)].sort((a, b) => a - b));
    expect((arrived.at(-1) ?? 0) - arrived.length).toBeLessThanOrEqual(lost);
    const { generated, sent } = this.world.totals();
    expect(sent).toBe(generated);
  }
}

describe('a collector', () => {
  it.concurrent(
    'sends this PC and the api itself with nothing configured',
    World.test(async (world) => {
      const { api } = world;
      const receive = api.handle;
      api.handle = (request, response) =>
        request.url === '/metrics' ? void response.end('# TYPE up gauge\nup 1\n') : receive(request, response);
      const collector = world.collector({ COLLECT_INTERVAL: '10s' });
      await until(() => ['up', 'system.cpu.utilization'].every((metric) => api.valuesOf(metric).length > 0));
      expect(await collector.stop()).toBe(0);
      const names = api.samples.filter(({ device_name }) => device_name === 'test-pc').map((one) => one.metric_name);
      expect(names).toEqual(expect.arrayContaining(['system.memory.usage', 'system.uptime', 'process.memory.usage']));
      expect(api.valuesOf('up', 'device-metrics-api')).toEqual([1]);
      expect(existsSync(world.folder.file('instance/spool.db'))).toBe(true);
    }),
  );

  it.concurrent(
    'loses nothing and doubles nothing while the api is away',
    World.test(async (world) => {
      const counter = await new Counter(world).start();
      world.configure(counter.line);
      const collector = world.collector();
      await until(() => counter.arrived.length > 2);
      await world.api.stop();
      await collector.says('The api does not take samples');
      const before = counter.count;
      await until(() => counter.count > before + 10);
      await world.api.start();
      await collector.says('The api answers again');
      expect(await collector.stop()).toBe(0);
      await counter.arrivesWhole();
      expect(counter.arrived.length).toBeGreaterThan(before + 8);
    }),
  );

  it.concurrent.each([1, 2])(`loses nothing and doubles nothing in ${LONG ? 100 : 5} SIGKILLs, %i`, (_lane) =>
    World.test(async (world) => {
      const counter = await new Counter(world).start();
      world.configure(counter.line);
      const kills = LONG ? 100 : 5;
      for (let kill = 0; kill < kills; kill += 1) {
        const before = counter.count;
        const collector = world.collector();
        // The first lives until there is something to lose, however slow it is.
        await until(() => counter.count > before + (kill === 0 ? 4 : 0));
        await pause(Math.random() * 300);
        await collector.stop('SIGKILL');
      }
      await counter.arrivesWhole(kills);
      // On a busy machine most are killed before they have written down what they read.
      expect(counter.arrived.length).toBeGreaterThan(2);
    })(),
  );

  it.concurrent(
    'is delayed by no device that hangs, fails or sends garbage, and tells of them in its own metrics',
    World.test(async (world) => {
      const { api } = world;
      const counter = await new Counter(world).start();
      const bad = await world.serve((request, response) => {
        if (request.url === '/500') response.writeHead(500).end();
        if (request.url === '/garbage') response.end('{"this": "is no exposition"');
      });
      const device = (name: string, url: string, timeout = '5s'): string =>
        `{ protocol: prometheus, device: ${name}, url: '${url}', timeout: ${timeout} }`;
      world.configure(
        device('hangs', bad.url, '100ms'),
        device('fails', `${bad.url}/500`),
        device('garbage', `${bad.url}/garbage`),
        device('away', 'http://127.0.0.1:1'),
        counter.line,
      );
      const success = (source: string): number[] =>
        api.samples
          .filter(
            ({ metric_name, labels }) => metric_name === 'collector.source.success' && labels?.['source'] === source,
          )
          .map(({ value }) => value);
      const collector = world.collector();
      const isTold = (name: string): boolean => success(name).length > 0;
      await until(
        () => counter.arrived.length > 5 && success('hangs').length > 3 && ['fails', 'garbage', 'away'].every(isTold),
      );
      expect(await collector.stop()).toBe(0);
      for (const name of ['hangs', 'fails', 'garbage', 'away']) {
        expect([name, new Set(success(name))]).toEqual([name, new Set([0])]);
      }
      expect(new Set(success('counter'))).toEqual(new Set([1]));
      const failures = collector.output.split('\n').filter((line) => / fails: /.test(line));
      expect(failures.map((line) => line.replace(/.*] /, '')).sort()).toEqual([
        expect.stringMatching(/^away fails: .*ECONNREFUSED/),
        'fails fails: answered 500',
        expect.stringMatching(/^garbage fails: line 1: , or } must follow the name of the metric/),
        'hangs fails: no answer within 100 ms',
      ]);
    }),
  );

  it.concurrent(
    'stops in seconds though api and device hang, and keeps its queue',
    World.test(async (world) => {
      const { api } = world;
      const counter = await new Counter(world).start();
      const hanging = await world.serve(() => undefined);
      world.configure(counter.line, `{ protocol: prometheus, device: hangs, url: '${hanging.url}', interval: 5s }`);
      api.instead = () => true;
      const collector = world.collector();
      await until(() => counter.count >= 4 && api.requests > 0);
      // The request under way would wait for 30 s.
      expect(await timeOf(async () => expect(await collector.stop()).toBe(0))).toBeLessThan(20_000);
      expect(world.totals()).toMatchObject({ sent: 0, evicted: 0, quarantinedSamples: 0 });
      api.instead = () => false;
      await counter.arrivesWhole(1);
      expect(counter.arrived.slice(0, 3)).toEqual([1, 2, 3]);
    }),
  );

  it.concurrent(
    'does not start with mistakes in its configuration',
    World.test(async (world) => {
      world.configure(`{ protocol: prometheus, device: a, ulr: '\${NOWHERE}' }`);
      const collector = world.collector({ COLLECT_INTERVAL: 'often' });
      expect(await collector.ended).toBe(1);
      expect(collector.output.split('\n')).toEqual([
        'The configuration has 3 mistakes:',
        '  COLLECT_INTERVAL: must be a duration from 100ms to 24h, as in 10s, got "often"',
        '  third_party[0].ulr: ${NOWHERE} is not set in the environment',
        '  third_party[0].url: is missing; it must be a URL that begins with http:// or https://',
        '',
      ]);
    }),
  );
});
