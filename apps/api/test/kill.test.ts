import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { Server, temporaryFolder } from './server.js';

const KILLS = process.env['DEVICE_METRICS_LONG'] ? 200 : 20;

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeAll(async () => {
  folder = await temporaryFolder();
});
afterAll(() => folder.remove());

it(
  `every acknowledged sample survives ${KILLS} SIGKILLs at random moments of an upload, once`,
  async () => {
    const settings = { DATABASE_PATH: join(folder.path, 'metrics.db') };
    const begin = Date.now() - 3_600_000;
    let next = 0;
    const acknowledged = new Set<number>();
    for (let kill = 0; kill < KILLS; kill += 1) {
      const server = await Server.start(settings);
      const killed = sleep(Math.random() * 120).then(() => server.stop('SIGKILL'));
      for (let alive = true; alive;) {
        const ticks = Array.from({ length: 50 }, () => next++);
        // The tick is in the time and in the value, so that a lost or a doubled one shows.
        const metrics = ticks.map((t) => ({ device_name: 'd', metric_name: 'm', value: t, timestamp: begin + t }));
        try {
          const { status } = await server.post('/api/v1/aggregator/metrics/batch/', { metrics });
          expect(status).toBe(200);
          for (const tick of ticks) acknowledged.add(tick);
        } catch (error) {
          // What fetch says when nobody answers.
          if ((error as Error).name !== 'TypeError') throw error;
          alive = false;
        }
      }
      await killed;
    }

    const server = await Server.start(settings);
    const { body } = await server.get(`/api/v1/reports/metrics/d?start_time=${begin}`);
    await server.stop();
    const samples = body.series[0].samples as [string, number][];
    const ticks = samples.map(([, value]) => value);
    const stored = new Set(ticks);
    expect(samples.map(([time]) => Date.parse(time) - begin)).toEqual(ticks);
    expect(stored.size).toBe(ticks.length);
    expect([...acknowledged].filter((tick) => !stored.has(tick))).toEqual([]);
    expect(acknowledged.size).toBeGreaterThan(KILLS * 50);
  },
  KILLS * 5_000,
);
