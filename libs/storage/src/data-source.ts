import { DataSource, type DataSourceOptions } from 'typeorm';
import { isPostgresUrl } from './postgres/connection.js';
import { postgresOptions, prepareTables, refusalOf } from './postgres/data-source.js';
import { sqliteOptions } from './sqlite/data-source.js';

/** Options of the one DataSource of a process: on the SQLite file of a path, or on PostgreSQL where it is an address. */
export const dataSourceOptions = (address: string): DataSourceOptions =>
  isPostgresUrl(address) ? postgresOptions(address) : sqliteOptions(address);

/**
 * Opens a database of `dataSourceOptions`, with its tables as they are to be.
 *
 * @param mayUpgrade whether tables of an older version are changed on PostgreSQL, where processes of that version may run.
 * @throws DatabaseRefusedError where PostgreSQL cannot be worked with; the message says what would do.
 */
export async function openDataSource(options: DataSourceOptions, mayUpgrade = false): Promise<DataSource> {
  const dataSource = new DataSource(options);
  if (options.type !== 'postgres') return dataSource.initialize();
  await dataSource.initialize().catch((error: unknown) => {
    throw refusalOf(error, dataSource, false);
  });
  try {
    await prepareTables(dataSource, mayUpgrade);
  } catch (error) {
    await dataSource.destroy();
    throw error;
  }
  return dataSource;
}
