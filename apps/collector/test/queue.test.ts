import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import type { SpoolTotals } from '../src/upload/spool.js';
import { answer, LONG, pause, until, World } from './harness.js';

const COUNTERS = 10;

/** A third-party device of counters that grow together: each round must arrive whole, and once. */
class Counters {
  rounds = 0;

  constructor(
    private readonly world: World,
    private readonly counters = COUNTERS,
  ) {}

  async start(): Promise<this> {
    const { url } = await this.world.serve((_request, response) => {
      this.rounds += 1;
      const all = Array.from({ length: this.counters }, (_, counter) => {
        return { metric_name: 'count', value: this.rounds, labels: { counter: `${counter}` } };
      });
      answer(response, 200, all);
    });
    // What was answered is read, however busy the machine: the queue is what is tested.
    this.world.configure(`{ protocol: http-json, device: counters, url: '${url}', mapping: $, timeout: 60s }`);
    return this;
  }

  /** The rounds that have arrived: all of their counters, none twice. */
  get arrived(): number[] {
    const byCounter = new Map<string, number[]>();
    const counts = this.world.api.samples.filter(({ metric_name }) => metric_name === 'count');
    for (const { labels, value } of counts.sort((a, b) => a.timestamp - b.timestamp)) {
      const counter = labels?.['counter'] ?? '';
      const values = byCounter.get(counter);
      if (values) values.push(value);
      else byCounter.set(counter, [value]);
    }
    const [first = [], ...others] = [...byCounter.values()];
    expect(byCounter.size).toBe(this.counters);
    for (const values of others) expect(values).toEqual(first);
    expect(first).toEqual([...new Set(first)].sort((a, b) => a - b));
    return first;
  }

  /** How many rounds before the last that arrived did not. */
  get missing(): number {
    const { arrived } = this;
    return (arrived.at(-1) ?? 0) - arrived.length;
  }
}

const adds = ({ sent, evicted, dropped, pendingSamples, quarantinedSamples }: SpoolTotals): number =>
  sent + evicted + dropped + pendingSamples + quarantinedSamples;

describe('the queue', () => {
  it.concurrent(
    `does not change in ${LONG ? 50 : 3} SIGTERMs with the api away`,
    World.test(async (world) => {
      const counters = await new Counters(world).start();
      await world.api.stop();
      let before = 0;
      const stops = LONG ? 50 : 3;
      for (let stop = 0; stop < stops; stop += 1) {
        const seen = counters.rounds;
        const collector = world.collector();
        await until(() => counters.rounds > seen + 2);
        expect(await collector.stop()).toBe(0);
        const now = world.totals();
        expect(adds(now)).toBe(now.generated);
        expect(now).toMatchObject({ pendingSamples: now.generated, sent: 0, evicted: 0, quarantinedSamples: 0 });
        expect(now.generated).toBeGreaterThan(before);
        before = now.generated;
      }
      await world.api.start();
      await world.drain();
      // A reading that is on its way when the signal comes is not taken.
      expect(counters.missing).toBeLessThanOrEqual(stops);
    }),
  );

  it.concurrent(
    'arrives once through a connection that is cut after a random number of bytes',
    World.test(async (world) => {
      const counters = await new Counters(world).start();
      const proxy = await new CuttingProxy(() => world.api.port).start();
      const collector = world.collector({ API_URL: proxy.url });
      await until(() => proxy.cutCount >= (LONG ? 100 : 5));
      await collector.stop();
      await proxy.stop();
      await world.drain();
      expect(counters.missing).toBe(0);
      expect(world.totals()).toMatchObject({ quarantinedSamples: 0, evicted: 0 });
    }),
  );

  it.concurrent(
    'arrives once though every tenth acknowledgement is lost',
    World.test(async (world) => {
      const { api } = world;
      const counters = await new Counters(world).start();
      let lost = 0;
      api.instead = (metrics, response) => {
        if (api.requests % 10 !== 0) return false;
        api.store(metrics);
        lost += 1;
        response.destroy();
        return true;
      };
      const collector = world.collector();
      await until(() => lost >= (LONG ? 50 : 3));
      await collector.stop();
      api.instead = () => false;
      await world.drain();
      expect(counters.missing).toBe(0);
      const { generated, sent } = world.totals();
      expect(sent).toBe(generated);
    }),
  );

  it.concurrent(
    `sends 999 of 1,000 and keeps one in quarantine where the api answers 400 for that, ${LONG ? 200 : 3} times`,
    World.test(async (world) => {
      const { api } = world;
      const counters = await new Counters(world, 1_000).start();
      const isBad = ({ labels }: { labels?: Readonly<Record<string, string>> }): boolean =>
        labels?.['counter'] === '617';
      api.instead = (metrics, response) => {
        const bad = metrics.some(isBad);
        if (bad) answer(response, 400, { detail: 'counter 617 is cursed' });
        return bad;
      };
      const collector = world.collector();
      // Live, while the collector runs: what is good does not wait for what is bad.
      await until(() => api.valuesOf('count').length >= (LONG ? 200 : 3) * 999);
      await collector.stop();
      await world.drain();
      const good = api.samples.filter(({ metric_name }) => metric_name === 'count');
      expect(good.some(isBad)).toBe(false);
      const { generated, sent, quarantinedSamples } = world.totals();
      expect(good.length).toBe(999 * quarantinedSamples);
      expect(sent + quarantinedSamples).toBe(generated);
      expect(api.stored.size).toBe(sent);
      expect(await world.command('quarantine', 'list')).toContain('400 counter 617 is cursed');
      expect(counters.rounds - quarantinedSamples).toBeLessThanOrEqual(1);
    }),
  );

  it.concurrent(
    `adds up when it is full: sent + evicted + quarantined + pending = generated, ${LONG ? '10 minutes' : 'seconds'} away`,
    World.test(async (world) => {
      const { api } = world;
      const counters = await new Counters(world).start();
      const collector = world.collector({ SPOOL_MAX_BYTES: '6KiB' });
      await until(() => counters.rounds > 5 && api.requests > 0);
      await api.stop();
      await collector.says('The spool is full');
      if (LONG) await pause(600_000);
      let refusals = 0;
      api.instead = (metrics, response) => {
        const index = metrics.findIndex(({ labels }) => labels?.['counter'] === '7');
        if (index < 0 || refusals >= 3) return false;
        refusals += 1;
        api.store(metrics.filter((_metric, other) => other !== index));
        answer(response, 200, { accepted: metrics.length - 1, rejected: [{ index, field: 'value', reason: 'is 7' }] });
        return true;
      };
      await api.start();
      await collector.says('The api answers again');
      // The gap is a metric too.
      await until(() => refusals >= 3 && api.valuesOf('collector.spool.evicted').some((samples) => samples > 0));
      await collector.stop();
      const now = world.totals();
      expect(now.evicted).toBeGreaterThan(0);
      expect(now.sent).toBeGreaterThan(0);
      expect(now.quarantinedSamples).toBeGreaterThan(0);
      expect(adds(now)).toBe(now.generated);
      expect(api.stored.size).toBe(now.sent);
    }),
  );

  it.concurrent(
    'stops growing where the disk has less free than it must leave',
    World.test(async (world) => {
      const counters = await new Counters(world).start();
      await world.api.stop();
      const collector = world.collector({ SPOOL_MIN_FREE_BYTES: '8000TiB' });
      await collector.says('The spool is full');
      const seen = counters.rounds;
      await until(() => counters.rounds > seen + 5);
      await collector.stop();
      const now = world.totals();
      expect(now.pendingBatches).toBeLessThanOrEqual(2);
      expect(adds(now)).toBe(now.generated);
    }),
  );
});

if (LONG) {
  it(
    'nothing is lost and nothing is double in 200 SIGKILLs during a million samples',
    World.test(async (world) => {
      const counters = await new Counters(world, 1_000).start();
      for (let kill = 0; kill < 200; kill += 1) {
        const seen = counters.rounds;
        const collector = world.collector();
        await until(() => counters.rounds > seen + 5);
        await pause(Math.random() * 200);
        await collector.stop('SIGKILL');
      }
      await world.drain();
      expect(counters.arrived.length * 1_000).toBeGreaterThan(1_000_000);
      // At most the readings on their way into the spool at each kill.
      expect(counters.missing).toBeLessThanOrEqual(2 * 200);
    }),
  );
}

/** Passes bytes on to the api and ends each connection after a random number of them. */
class CuttingProxy {
  cutCount = 0;
  private readonly server: Server = createServer((client) => this.pass(client));

  constructor(private readonly port: () => number) {}

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async start(): Promise<this> {
    this.server.listen(0, '127.0.0.1');
    await once(this.server, 'listening');
    return this;
  }

  async stop(): Promise<void> {
    this.server.close();
    await pause(10);
  }

  private pass(client: Socket): void {
    const upstream = connect(this.port(), '127.0.0.1');
    let left = Math.floor(Math.random() * 2_000);
    const both = [client, upstream] as const;
    const cut = (): void => both.forEach((socket) => void socket.destroy());
    for (const [from, to] of [both, [upstream, client] as const]) {
      from.on('error', cut);
      from.on('close', cut);
      from.on('data', (bytes: Buffer) => {
        to.write(bytes.subarray(0, left));
        left -= bytes.length;
        if (left > 0) return;
        this.cutCount += 1;
        setImmediate(cut);
      });
    }
  }
}
