import 'reflect-metadata';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  dataSourceOptions,
  openAlertStore,
  openDataSource,
  openSampleStore,
  type AlertStore,
  type Store,
} from '@device-metrics/storage';
import type { DataSource } from 'typeorm';
import { whyNoPostgres } from '../../../../libs/storage/src/testing/postgres.js';
import { giveBack, takeDatabase } from '../../../../libs/storage/src/testing/postgres-databases.js';
import type { Alerts } from '../../src/alerts/alerts.js';
import { Arrivals } from '../../src/live/arrivals.js';
import { GRID, linesOf, openAlerts, T0 } from './world.js';

const describeIf = whyNoPostgres === undefined ? describe : describe.skip;

describeIf('of two processes that share a database, one looks at the rules', () => {
  let url: string;
  let dataSource: DataSource;
  let alertStore: AlertStore;
  const clock = { now: T0, elapsed: 1_000_000 };
  let processes: { store: Store; arrivals: Arrivals; alerts: Alerts }[];

  beforeEach(async () => {
    url = await takeDatabase();
    dataSource = await openDataSource(dataSourceOptions(url));
    alertStore = openAlertStore(dataSource);
    processes = [];
    for (let process = 0; process < 2; process += 1) {
      const store = await openSampleStore(dataSource, { now: () => clock.now, sealInterval: 0, connections: 3 });
      const arrivals = new Arrivals();
      const world = {
        store,
        alertStore,
        arrivals,
        get now() {
          return clock.now;
        },
        get elapsed() {
          return clock.elapsed;
        },
      };
      processes.push({ store, arrivals, alerts: await openAlerts(world) });
    }
    const { alerts } = processes[0] as (typeof processes)[0];
    await alerts.rules.put(
      alerts.rules.list().map(({ document }) => ({ ...document, enabled: false })),
      clock.now,
    );
    await alerts.rules.put([{ name: 'hot', select: { metric: 'm' }, condition: { above: 5 }, for: '2m' }], clock.now);
    await alerts.channels.put([{ name: 'hook', type: 'webhook', url: 'http://127.0.0.1:2/' }], clock.now);
  });
  afterEach(async () => {
    for (const { store } of processes) await store.close();
    await dataSource.destroy();
    giveBack(url);
  });

  /** Looks on the grid, with readings that come to the last process; gives how many processes looked. */
  async function looks(count: number, values: Record<string, number>): Promise<number> {
    let looked = 0;
    for (let index = 0; index < count; index += 1) {
      clock.now += GRID;
      clock.elapsed += GRID;
      const samples = Object.entries(values).map(([deviceName, value]) => ({
        ...{ deviceName, metricName: 'm', unit: undefined, labels: {} },
        ...{ timestamp: clock.now, value },
      }));
      await processes.at(-1)?.store.append(samples);
      for (const { alerts, arrivals } of processes) {
        arrivals.note(samples, clock.elapsed, clock.now);
        // Each second it is asked whether messages wait, too.
        for (let second = 0; second < 3; second += 1) await alerts.isMine();
        if (!(await alerts.isMine())) continue;
        looked += 1;
        await alerts.look();
      }
    }
    return looked;
  }

  it('tells each change once, takes in what the other was told, and the other goes on where it stopped', async () => {
    const [first, second] = processes as [(typeof processes)[0], (typeof processes)[0]];
    expect(await looks(8, { a: 9, b: 1 })).toBe(8);
    expect(second.alerts.current()).toMatchObject([{ phase: 'pending' }]);
    expect(await looks(5, { a: 9, b: 1 })).toBe(5);
    expect((await linesOf(alertStore)).lines).toEqual(['news firing a']);

    await second.alerts.isMine();
    const ids = new Set(second.alerts.current().map(({ episode }) => episode?.id ?? ''));
    expect(await second.alerts.acknowledge(ids, 'anna', 'on it')).toHaveLength(1);
    await looks(4, { a: 9, b: 9 });
    expect(first.alerts.current().find(({ subject }) => subject.device === 'a')).toMatchObject({
      episode: { acknowledged: { by: 'anna' } },
    });

    // b has been wrong for a minute when the process ends.
    const { last } = await linesOf(alertStore);
    await first.store.close();
    processes = [second];
    while (!(await second.alerts.isMine())) await sleep(50);
    expect(await looks(5, { a: 9, b: 9 })).toBe(5);
    expect(second.alerts.current().find(({ subject }) => subject.device === 'b')).toMatchObject({ phase: 'alerting' });
    await looks(5, { a: 1, b: 9 });
    await looks(5, { a: 1, b: 1 });
    const { lines } = await linesOf(alertStore, last);
    expect(lines.filter((line) => line.startsWith('news firing b'))).not.toEqual([]);
    expect(lines.join('\n').match(/over a\b/g)).toHaveLength(1);
    expect(lines.at(-1)).toMatch(/over b$/);
  });
});
