import type { DataSource } from 'typeorm';
import { configOf, refusalOf } from './postgres/data-source.js';
import { PostgresStore, type PostgresSettings } from './postgres/postgres-store.js';
import { connectionOf } from './sqlite/data-source.js';
import { SqliteStore } from './sqlite/sqlite-store.js';
import type { Store } from './store.js';

/**
 * The sample store on a DataSource of `openDataSource`. Closing it leaves that open.
 *
 * @throws DatabaseRefusedError where PostgreSQL cannot be worked with; the message says what would do.
 */
export async function openSampleStore(
  dataSource: DataSource,
  settings: Partial<PostgresSettings> = {},
): Promise<Store> {
  if (dataSource.options.type !== 'postgres') return SqliteStore.open(connectionOf(dataSource), settings);
  return PostgresStore.open(configOf(dataSource), settings).catch((error: unknown) => {
    throw refusalOf(error, dataSource);
  });
}
