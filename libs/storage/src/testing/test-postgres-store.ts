import type { Selector, TimeRange } from '@device-metrics/domain';
import type pg from 'pg';
import { HOUR } from '@device-metrics/domain';
import { connectionOf } from '../postgres/connection.js';
import { PostgresStore, type PostgresSettings } from '../postgres/postgres-store.js';
import { connect, giveBack, takeDatabase } from './postgres-databases.js';
import { EVER, storedIn, T0 } from './test-store.js';

/** A store on a PostgreSQL database of its own, whose clock the test sets. */
export class TestPostgresStore {
  now = T0;
  store!: PostgresStore;
  readonly problems: string[] = [];
  private client: pg.Client | undefined;

  private constructor(
    readonly url: string,
    private readonly settings: Partial<PostgresSettings>,
  ) {}

  static async open(settings: Partial<PostgresSettings> = {}): Promise<TestPostgresStore> {
    const opened = new TestPostgresStore(await takeDatabase(), settings);
    opened.store = await opened.another();
    return opened;
  }

  /** Another process, as far as the database can tell. */
  another(settings: Partial<PostgresSettings> = {}): Promise<PostgresStore> {
    return PostgresStore.open(connectionOf(this.url), {
      now: () => this.now,
      sealInterval: 0,
      journalGrace: 0,
      connections: 3,
      onProblem: (problem) => this.problems.push(String(problem)),
      ...this.settings,
      ...settings,
    });
  }

  async query<T>(sql: string): Promise<T[]> {
    this.client ??= await connect(this.url);
    return (await this.client.query(sql)).rows as T[];
  }

  async reopen(): Promise<void> {
    await this.store.close();
    this.store = await this.another();
  }

  async close(): Promise<void> {
    await this.store.close();
    await this.client?.end();
    giveBack(this.url);
  }

  async sealAll(): Promise<void> {
    this.now += 24 * HOUR;
    await this.store.maintain();
  }

  stored(selector: Selector = {}, range: TimeRange = EVER): Promise<Record<string, [number, number][]>> {
    return storedIn(this.store, selector, range);
  }
}
