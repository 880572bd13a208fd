import { expect, it } from '@jest/globals';
import { HOUR } from '@device-metrics/domain';
import { answer, until, World, clientOf } from '../../test/harness.js';
import { SourceRunner } from './run-source.js';
import { Timestamps } from './timestamps.js';
import { Uploader } from '../upload/uploader.js';

const START = Date.parse('2026-01-15T10:00:00Z');
const TEN_MINUTES = 600_000;

const silent = { log: (): void => undefined, warn: (): void => undefined };

it(
  'a clock that is set an hour back or forward loses and doubles nothing',
  World.test(async (world) => {
    const { api } = world;
    let [wall, truth, elapsed] = [START, START, 0];
    const pass = (duration: number): void => {
      wall += duration;
      truth += duration;
      elapsed += duration;
    };
    // As the real api: nothing more than 10 minutes ahead of its own clock, which nobody sets.
    api.instead = (metrics, response) => {
      response.setHeader('date', new Date(truth).toUTCString());
      const early = metrics.flatMap(({ timestamp }, index) => (timestamp > truth + TEN_MINUTES ? [index] : []));
      api.store(metrics.filter((_metric, index) => !early.includes(index)));
      const rejected = early.map((index) => ({ index, field: 'timestamp', reason: 'is too far ahead' }));
      if (early.length === metrics.length) answer(response, 400, { detail: 'nothing was stored' });
      else answer(response, 200, { accepted: metrics.length - early.length, rejected });
      return true;
    };

    const spool = world.spool();
    const client = clientOf(api.url, undefined, 5_000);
    const options = { backlogPerSecond: Infinity, stopWithin: 50, elapsed: () => elapsed };
    const uploader = new Uploader(spool, (payload, signal) => client.send(payload, signal), options, silent);
    uploader.start();
    let count = 0;
    const counter = { name: 'counter', read: () => Promise.resolve([{ metricName: 'count', value: (count += 1) }]) };
    const runner = new SourceRunner(counter, { deviceName: 'pc', timeout: 1_000 }, silent);
    const timestamps = new Timestamps(
      () => wall,
      () => elapsed,
    );
    const collect = async (runs: number): Promise<void> => {
      for (let run = 0; run < runs; run += 1) {
        spool.add((await runner.run(timestamps.next())) ?? [], wall);
        uploader.wake();
        pass(10_000);
      }
    };

    await collect(50);
    wall -= HOUR;
    await collect(50);
    wall += 2 * HOUR;
    await collect(50);
    wall -= HOUR;
    await collect(50);
    await until(() => spool.totals().sent >= 150);
    expect(spool.totals()).toMatchObject({ generated: 200, quarantinedSamples: 0, evicted: 0 });
    pass(HOUR);
    uploader.wake();
    await until(() => spool.totals().sent === 200);
    await uploader.stop();
    spool.close();

    expect(api.samples.map(({ value }) => value).sort((a, b) => a - b)).toEqual(
      Array.from({ length: 200 }, (_, i) => i + 1),
    );
  }),
);
