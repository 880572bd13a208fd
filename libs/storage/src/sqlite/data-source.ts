import { sqliteDriver } from '@device-metrics/sqlite';
import type { Database } from 'better-sqlite3';
import type { DataSource, DataSourceOptions } from 'typeorm';
import { accessEntities } from '../access/access.entities.js';
import { configurationEntities } from '../configurations/configuration.entities.js';
import { assertOtherTablesWhole, assertSchemaAsWritten } from './assert-whole.js';
import { DeviceEntity } from './entities/device.entity.js';
import { SeriesEntity } from './entities/series.entity.js';
import { migrations } from './migrations/index.js';

/** SQLite before this version can corrupt a WAL database: https://sqlite.org/wal.html#walresetbug */
const OLDEST_SAFE_SQLITE = '3.51.3';

/** Pages that stay in memory: the hourly values of a day of a hundred devices. SQLite's own 2 MiB hold a tenth of them. */
const CACHE_KIBIBYTES = 16 * 1024;

/**
 * Options of the one DataSource of a process, for `new DataSource` or `TypeOrmModule.forRoot`. The file and its folder
 * are made when it is first opened; the schema comes from migrations alone.
 *
 * On this connection nothing may open a TypeORM transaction, and so nothing may call `save()`: all callers share one
 * query runner, and their statements would fall into each other's transactions.
 */
export function sqliteOptions(path: string): DataSourceOptions {
  return {
    type: 'better-sqlite3',
    driver: sqliteDriver(),
    database: path,
    entities: [DeviceEntity, SeriesEntity, ...accessEntities, ...configurationEntities],
    migrations,
    migrationsRun: true,
    migrationsTransactionMode: 'each',
    synchronize: false,
    prepareDatabase,
  };
}

/** The connection beneath a DataSource made with `sqliteOptions`. */
export function connectionOf(dataSource: DataSource): Database {
  return (dataSource.driver as unknown as { databaseConnection: Database }).databaseConnection;
}

function prepareDatabase(database: unknown): void {
  const db = database as Database;
  assertSafeVersion(db.prepare('SELECT sqlite_version()').pluck().get() as string);
  db.pragma('busy_timeout = 5000');
  makeVacuumIncremental(db);
  db.pragma('journal_mode = WAL');
  db.pragma('synchronous = FULL');
  assertSchemaAsWritten(db);
  assertOtherTablesWhole(db);
  db.pragma('foreign_keys = ON');
  db.pragma(`cache_size = -${CACHE_KIBIBYTES}`);
}

/** @throws Error when this version of SQLite is known to lose data. */
export function assertSafeVersion(version: string): void {
  const number = (text: string): number => text.split('.').reduce((sum, part) => sum * 1000 + Number(part), 0);
  if (number(version) >= number(OLDEST_SAFE_SQLITE)) return;
  throw new Error(`SQLite ${version} can corrupt the database; at least ${OLDEST_SAFE_SQLITE} is needed`);
}

/**
 * Lets a file give back its free pages in small steps. Free for a new file, one rewrite for a file from elsewhere; where there is no
 * room for that, it keeps its free pages for what comes next.
 */
function makeVacuumIncremental(db: Database): void {
  const INCREMENTAL = 2;
  if (db.pragma('auto_vacuum', { simple: true }) === INCREMENTAL) return;
  db.pragma(`auto_vacuum = ${INCREMENTAL}`);
  try {
    db.exec('VACUUM');
  } catch (error) {
    if ((error as { code?: string }).code !== 'SQLITE_FULL') throw error;
  }
}
