import type { DataSource } from 'typeorm';
import { configOf } from './postgres/data-source.js';
import { PostgresStore, type PostgresSettings } from './postgres/postgres-store.js';
import { connectionOf } from './sqlite/data-source.js';
import { SqliteStore } from './sqlite/sqlite-store.js';
import type { Store } from './store.js';

/** The sample store on a DataSource of `openDataSource`. Closing it leaves that open. */
export function openSampleStore(dataSource: DataSource, settings: Partial<PostgresSettings> = {}): Promise<Store> {
  return dataSource.options.type === 'postgres'
    ? PostgresStore.open(configOf(dataSource), settings)
    : SqliteStore.open(connectionOf(dataSource), settings);
}
