import 'reflect-metadata';
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import type Database from 'better-sqlite3';
import type { DataSource, DataSourceOptions } from 'typeorm';
import { DeviceEntity } from './device.entity.js';
import { DevicesAndSeries1764000000000 } from './migrations/1764000000000-devices-and-series.js';
import { SeriesEntity } from './series.entity.js';

/** SQLite before this version may corrupt a database in WAL mode. */
const OLDEST_SQLITE = [3, 51, 3] as const;

/**
 * Options of the one connection to the SQLite file at `path`. The file and its folder are made where they are missing,
 * and migrations bring it up to date.
 */
export function dataSourceOptions(path: string): DataSourceOptions {
  mkdirSync(dirname(path), { recursive: true });
  return {
    type: 'better-sqlite3',
    database: path,
    entities: [DeviceEntity, SeriesEntity],
    migrations: [DevicesAndSeries1764000000000],
    migrationsRun: true,
    prepareDatabase,
  };
}

/** The better-sqlite3 connection that TypeORM uses, for transactions that nothing can interleave with. */
export function connectionOf(dataSource: DataSource): Database.Database {
  return (dataSource.driver as unknown as { databaseConnection: Database.Database }).databaseConnection;
}

function prepareDatabase(database: Database.Database): void {
  const version = database.prepare('SELECT sqlite_version()').pluck().get() as string;
  if (isOlder(version.split('.').map(Number), OLDEST_SQLITE)) {
    throw new Error(`SQLite must be ${OLDEST_SQLITE.join('.')} or newer, got ${version}`);
  }
  database.pragma('journal_mode = WAL');
  // NORMAL could undo an acknowledged commit at power loss.
  database.pragma('synchronous = FULL');
  database.pragma('busy_timeout = 5000');
  database.pragma('foreign_keys = ON');
}

function isOlder(version: readonly number[], than: readonly number[]): boolean {
  const different = than.findIndex((part, index) => (version[index] ?? 0) !== part);
  return different >= 0 && (version[different] ?? 0) < (than[different] ?? 0);
}
