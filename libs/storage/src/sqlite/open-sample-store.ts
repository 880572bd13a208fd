import type { DataSource } from 'typeorm';
import { SqliteStore, type StoreSettings } from './sqlite-store.js';
import { connectionOf } from './data-source.js';

/** The sample store on a DataSource that has been initialized with `dataSourceOptions`. Closing it leaves that open. */
export function openSampleStore(dataSource: DataSource, settings: Partial<StoreSettings> = {}): Promise<SqliteStore> {
  return SqliteStore.open(connectionOf(dataSource), settings);
}
