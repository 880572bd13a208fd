import type { Selector, TimeRange } from '@device-metrics/domain';
import type { StoreSettings } from '../columnar/store-settings.js';
import type { Store } from '../store.js';
import { whyNoPostgres } from './postgres.js';
import { TestPostgresStore } from './test-postgres-store.js';
import { TestStore } from './test-store.js';

/** A store on a database of its own. */
export interface OpenStore {
  /** Another object after `reopen`. */
  readonly store: Store;
  /** What it takes for the time, unless its settings say otherwise, Unix ms. */
  now: number;
  /** What it said of problems in the background. */
  readonly problems: readonly string[];
  /** Closes the store and opens it again on the same database. */
  reopen(): Promise<void>;
  /** Closes the store and removes the database. */
  close(): Promise<void>;
  /** Lets a day pass, so that everything is sealed. */
  sealAll(): Promise<void>;
  /** `[time, value]` of all samples that match, under `device/metric`. */
  stored(selector?: Selector, range?: TimeRange): Promise<Record<string, [number, number][]>>;
}

/** A database that a store can stand on. */
export interface Dialect {
  readonly name: string;
  open(settings: Partial<StoreSettings>): Promise<OpenStore>;
}

const postgres: Dialect = { name: 'PostgreSQL', open: (settings) => TestPostgresStore.open(settings) };

/** All that can be tested here: every suite that knows no database runs over each. */
export const dialects: readonly Dialect[] = [
  { name: 'SQLite', open: (settings) => TestStore.open(settings) },
  ...(whyNoPostgres === undefined ? [postgres] : []),
];
