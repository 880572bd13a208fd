import { createRequire } from 'node:module';
import type Sqlite from 'better-sqlite3';
import { buildForNode20 } from './build-for-node-20.js';

/** No binary of SQLite can be loaded; the message says why and what to do. */
export class SqliteUnavailableError extends Error {}

/**
 * The package that speaks SQLite on a version of Node.
 *
 * better-sqlite3 13 stands on Node-API and brings its binaries along, but crashes on Node 20. Its versions up to 12 are made
 * for one version of Node, are compiled where nobody offers that binary, and from Node 24.19 on abort the process as soon as
 * a statement is collected.
 */
export function packageFor(nodeVersion: string): 'better-sqlite3-13' | 'better-sqlite3-12' {
  return Number.parseInt(nodeVersion, 10) >= 22 ? 'better-sqlite3-13' : 'better-sqlite3-12';
}

/** @throws SqliteUnavailableError where the package of this version of Node, or its binary for this platform, is missing. */
export function loadDriver(requirePackage: (name: string) => unknown, nodeVersion: string): typeof Sqlite {
  const name = packageFor(nodeVersion);
  try {
    const driver = requirePackage(name) as typeof Sqlite;
    // Only a first database loads the binary.
    new driver(':memory:').close();
    return driver;
  } catch (error) {
    const [reason] = (error instanceof Error ? error.message : String(error)).split('\n');
    const help =
      name === 'better-sqlite3-13'
        ? 'better-sqlite3 brings binaries for Linux, macOS and Windows on x64 and arm64; elsewhere it has to be compiled.'
        : 'On Node 20 it may have to be compiled, which takes a C++ compiler, make and Python; Node 22 and newer need none.';
    throw new SqliteUnavailableError(
      `SQLite cannot be loaded on Node ${nodeVersion} (${process.platform} ${process.arch}): ${reason}. ` +
        `Run "npm ci" with this version of Node, optional dependencies included. ${help}`,
      { cause: error },
    );
  }
}

let driver: typeof Sqlite | undefined;

/** SQLite on this version of Node, as TypeORM takes it for its `driver`. @throws SqliteUnavailableError */
export function sqliteDriver(): typeof Sqlite {
  return (driver ??= loadOrBuild());
}

function loadOrBuild(): typeof Sqlite {
  const load = () => loadDriver(createRequire(import.meta.url), process.versions.node);
  try {
    return load();
  } catch (error) {
    if (packageFor(process.versions.node) !== 'better-sqlite3-12') throw error;
  }
  try {
    buildForNode20();
  } catch {
    // Without the package or the rights to build it, loading says what is missing.
  }
  return load();
}

/** Opens a file or makes it; its folder must exist. @throws SqliteUnavailableError, SqliteError */
export function openDatabase(file: string, options?: Sqlite.Options): Sqlite.Database {
  return new (sqliteDriver())(file, options);
}
