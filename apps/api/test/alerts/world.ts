import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DAY, type Labels, type Sample } from '@device-metrics/domain';
import {
  dataSourceOptions,
  openAlertStore,
  openSampleStore,
  type AlertStore,
  type Store,
  type StoredAlertMessage,
} from '@device-metrics/storage';
import { DataSource } from 'typeorm';
import { DeviceRhythms } from '../../src/devices/device-rhythms.js';
import { Arrivals } from '../../src/live/arrivals.js';
import { NO_FILE } from '../../src/alerts/alerts-file.js';
import { Alerts } from '../../src/alerts/alerts.js';
import { putEmptyDatabase } from '../../../../libs/storage/src/testing/empty-database.js';
import type { Document } from '../../src/alerts/registry.js';
import type { Notice } from '../../src/alerts/telling/tell.js';

export const GRID = 15_000;
export const T0 = Date.UTC(2026, 0, 15, 10);

/** A site with a clock that the test moves, real stores, and a channel whose messages the test reads from the outbox. */
export class World {
  now = T0;
  elapsed = 1_000_000;
  store!: Store;
  alertStore!: AlertStore;
  alerts!: Alerts;
  arrivals = new Arrivals();
  private dataSource!: DataSource;
  private read = 0;

  private constructor(private readonly folder: string) {}

  private get path(): string {
    return join(this.folder, 'metrics.db');
  }

  static async open(): Promise<World> {
    const world = new World(await mkdtemp(join(tmpdir(), 'alerts-')));
    await putEmptyDatabase(world.path, dataSourceOptions);
    await world.start();
    // Only the rules of the test are looked at.
    const defaults = world.alerts.rules.list().map(({ document }) => ({ ...document, enabled: false }));
    await world.alerts.rules.put(defaults, world.now);
    await world.alerts.channels.put([{ name: 'hook', type: 'webhook', url: 'http://127.0.0.1:2/' }], world.now);
    return world;
  }

  /** Ends everything as a crash would, and opens it again; what had been heard of devices is forgotten. */
  async restart(): Promise<void> {
    await this.store.close();
    await this.dataSource.destroy();
    this.arrivals = new Arrivals();
    await this.start();
  }

  async close(): Promise<void> {
    await this.store.close();
    await this.dataSource.destroy();
    await rm(this.folder, { recursive: true });
  }

  async rule(document: Document): Promise<void> {
    await this.alerts.rules.put([document], this.now);
  }

  /** Samples of now, or of so many ms ago. */
  async send(value: number, deviceName = 'lab-pc-1', ago = 0, metricName = 'm', labels: Labels = {}): Promise<void> {
    await this.sendAll([{ deviceName, metricName, unit: undefined, labels, timestamp: this.now - ago, value }]);
  }

  async sendAll(samples: readonly Sample[]): Promise<void> {
    await this.store.append(samples);
    this.arrivals.note(samples, this.elapsed, this.now);
  }

  pass(length: number): void {
    this.now += length;
    this.elapsed += length;
  }

  /** Some looks, one after the other on the grid; before each what `before` does. */
  async looks(count: number, before: (index: number) => Promise<void> | void = () => undefined): Promise<void> {
    for (let index = 0; index < count; index += 1) {
      this.pass(GRID);
      await before(index);
      await this.alerts.look();
    }
  }

  /** What was written to the outbox since the last call, as lines such as `news firing a resolved b`. */
  async told(): Promise<string[]> {
    const { lines, last } = await linesOf(this.alertStore, this.read);
    this.read = last;
    return lines;
  }

  /** The oldest first. */
  async messages(): Promise<StoredAlertMessage[]> {
    return [...(await this.alertStore.messages({ limit: 10_000 }))].reverse();
  }

  private async start(): Promise<void> {
    this.dataSource = await new DataSource(dataSourceOptions(this.path)).initialize();
    this.store = await openSampleStore(this.dataSource, { now: () => this.now, sealInterval: 0 });
    this.alertStore = openAlertStore(this.dataSource);
    this.alerts = await openAlerts(this);
  }
}

/** The alerts of a process with these stores and this clock. */
export const openAlerts = (
  world: Pick<World, 'now' | 'elapsed' | 'store' | 'alertStore' | 'arrivals'>,
): Promise<Alerts> =>
  Alerts.open({
    store: world.store,
    alertStore: world.alertStore,
    linkKey: Buffer.alloc(32, 1),
    rhythms: new DeviceRhythms(world.store),
    arrivals: world.arrivals,
    server: { number: () => Promise.resolve(0) },
    clock: { now: () => world.now, elapsed: () => world.elapsed },
    file: NO_FILE,
    secrets: { environment: {}, folder: undefined },
    publicUrl: 'http://127.0.0.1:3000',
    timeZone: 'UTC',
    retention: 365 * DAY,
    onProblem: (problem) => {
      throw new Error(problem);
    },
  });

/** What was written to the outbox from message `from` on, the oldest first, as lines such as `news firing a over b`. */
export async function linesOf(store: AlertStore, from = 0): Promise<{ lines: string[]; last: number }> {
  const messages = [...(await store.messages({ limit: 10_000 }))].reverse().filter(({ id }) => id > from);
  const lines = messages.map(({ body }) => {
    const { kind, firing, ended } = body as Notice;
    const names = (items: Notice['firing']): string => items.map(({ subject }) => subject.device).join(',');
    const parts = [firing.length > 0 ? `firing ${names(firing)}` : '', ended.length > 0 ? `over ${names(ended)}` : ''];
    return [kind, ...parts.filter(Boolean)].join(' ');
  });
  return { lines, last: messages.at(-1)?.id ?? from };
}
