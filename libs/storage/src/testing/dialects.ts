import type { StoreSettings } from '../sqlite/sqlite-store.js';
import type { Store } from '../store.js';
import { TestStore } from './test-store.js';

/** A store on a database of its own. */
export interface OpenStore {
  /** Another object after `reopen`. */
  readonly store: Store;
  /** Closes the store and opens it again on the same database. */
  reopen(): Promise<void>;
  /** Closes the store and removes the database. */
  close(): Promise<void>;
}

/** A database that a store can stand on. */
export interface Dialect {
  readonly name: string;
  open(settings: Partial<StoreSettings>): Promise<OpenStore>;
}

/** All of them: every suite that knows no database runs over each. */
export const dialects: readonly Dialect[] = [{ name: 'SQLite', open: (settings) => TestStore.open(settings) }];
