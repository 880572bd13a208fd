import type { DataSource, DataSourceOptions } from 'typeorm';
import type pg from 'pg';
import { reasonOf } from '@device-metrics/domain';
import { accessEntities } from '../access/access.entities.js';
import { configurationEntities } from '../configurations/configuration.entities.js';
import { StoreUnavailableError } from '../store.js';
import { connectionOf, shownUrl } from './connection.js';
import { LastingClient } from './lasting-client.js';
import { migrations } from './migrations/index.js';
import { sentenceOf } from './unavailable.js';

/** Connections for users, tokens, alerts and the like; the store of samples has its own. */
const CONNECTIONS = 4;

/** The oldest version of PostgreSQL that is tried. */
const OLDEST = 15;

/** A number that only this program locks: of processes that start at once, one makes the tables. */
const LOCK = 4_719_803_211;

/** The database is there and cannot be worked with; the message says what would do. */
export class DatabaseRefusedError extends Error {
  override readonly name = 'DatabaseRefusedError';
}

/** How safe an acknowledged commit is, by the settings of the server, and what is to be done about it. */
export interface Durability {
  readonly isSafe: boolean;
  readonly said: string;
}

/** What the server promises of a commit. The store asks for `synchronous_commit` itself where it is off. */
export async function durabilityOf(dataSource: DataSource): Promise<Durability | undefined> {
  if (dataSource.options.type !== 'postgres') return undefined;
  const [{ version, commit, fsync, standbys }] = await dataSource.query<
    { version: string; commit: string; fsync: string; standbys: string }[]
  >(
    `SELECT current_setting('server_version') AS version, current_setting('synchronous_commit') AS commit,
       current_setting('fsync') AS fsync, current_setting('synchronous_standby_names') AS standbys`,
  );
  const kind = standbys === '' ? 'on the disk of the primary' : `on the disk of the primary and of ${standbys}`;
  const off = isSynchronous(commit) ? '' : ` (the server has ${commit}; the store asks for on)`;
  const said = `PostgreSQL ${version}, synchronous_commit ${isSynchronous(commit) ? commit : 'on'}${off}: what is acknowledged is ${kind}`;
  if (fsync === 'on') return { isSafe: true, said };
  return { isSafe: false, said: `${said}, but fsync is off: a power failure may take what was acknowledged` };
}

/** Whether a commit waits for the disk. */
export const isSynchronous = (commit: string): boolean => commit !== 'off' && commit !== 'local';

function readUrl(url: string): pg.ClientConfig {
  try {
    return connectionOf(url, process.env);
  } catch (error) {
    throw new DatabaseRefusedError(`${shownUrl(url)} ${reasonOf(error)}`);
  }
}

/** Options of the DataSource of a process on PostgreSQL; `prepareTables` comes after it is initialized. */
export function postgresOptions(url: string): DataSourceOptions {
  const config = readUrl(url);
  return {
    type: 'postgres',
    entities: [...accessEntities, ...configurationEntities],
    migrations,
    migrationsRun: false,
    migrationsTransactionMode: 'each',
    synchronize: false,
    installExtensions: false,
    parseInt8: true,
    poolSize: CONNECTIONS,
    poolErrorHandler: () => undefined,
    extra: { ...config, keepAlive: true, Client: LastingClient } satisfies pg.PoolConfig,
  };
}

/** The connection that `postgresOptions` made. */
export const configOf = (dataSource: DataSource): pg.PoolConfig =>
  (dataSource.options as { extra?: unknown }).extra as pg.PoolConfig;

/** Where a DataSource connects to, without secrets. */
const placeOf = (dataSource: DataSource): string => {
  const { user, host, port, database } = configOf(dataSource);
  return `postgres://${user}@${host}:${port}/${database}`;
};

/** What a refused connection means. */
export function refusalOf(error: unknown, dataSource: DataSource): Error {
  const at = placeOf(dataSource);
  const code =
    (error as { code?: unknown } | null)?.code ?? (error as { driverError?: { code?: unknown } }).driverError?.code;
  const reason = reasonOf(error) || String(code);
  if (error instanceof DatabaseRefusedError) return error;
  switch (code) {
    case '28P01':
    case '28000':
      return new DatabaseRefusedError(`${at} lets nobody in with this user and password: ${reason}`);
    case '3D000':
      return new DatabaseRefusedError(`${at} names a database that is not there: ${reason}; "createdb" makes one`);
    case '42501':
      return new DatabaseRefusedError(
        `the user of ${at} has no right to make or read its tables: ${reason}; the owner of the database may GRANT it`,
      );
    case '25006':
      return new DatabaseRefusedError(`${at} is read-only, as a standby is: name the primary`);
    default: {
      if (error instanceof StoreUnavailableError)
        return new DatabaseRefusedError(`${at} cannot be used: ${error.message}`);
      const sentence = sentenceOf(error);
      return sentence === undefined
        ? (error as Error)
        : new DatabaseRefusedError(`${at} cannot be used: ${sentence}: ${reason}`);
    }
  }
}

/**
 * Makes the tables of an empty database. A database of an older version is left as it is until `mayUpgrade`, since processes of that
 * version may still work on it.
 *
 * @throws DatabaseRefusedError
 */
export async function prepareTables(dataSource: DataSource, mayUpgrade: boolean): Promise<void> {
  const runner = dataSource.createQueryRunner();
  try {
    await runner.query('SELECT pg_advisory_lock($1)', [LOCK]);
    try {
      await upgrade(dataSource, mayUpgrade, async <T>(sql: string) => (await runner.query(sql)) as T[]);
    } finally {
      // Where the connection broke it is gone, and that error is the one to tell.
      await runner.query('SELECT pg_advisory_unlock($1)', [LOCK]).catch(() => undefined);
    }
  } catch (error) {
    throw refusalOf(error, dataSource);
  } finally {
    await runner.release();
  }
}

/** What of a server and a database the tables need. */
interface Place {
  readonly version: number;
  readonly said: string;
  readonly encoding: string;
  readonly schema: string | null;
  readonly readonly: string;
}

const PLACE = `SELECT current_setting('server_version_num')::integer AS version, current_setting('server_version') AS said,
  pg_encoding_to_char(encoding) AS encoding, current_schema() AS schema, current_setting('transaction_read_only') AS readonly
  FROM pg_database WHERE datname = current_database()`;

/** What somebody has made in the schema; that of extensions is nobody's. */
const RELATIONS = `SELECT relname AS name FROM pg_class c WHERE relkind IN ('r', 'p', 'v', 'm', 'f') AND relnamespace = current_schema()::regnamespace
  AND NOT EXISTS (SELECT 1 FROM pg_depend WHERE classid = 'pg_class'::regclass AND objid = c.oid AND deptype = 'e') ORDER BY 1`;

type Query = <T>(sql: string) => Promise<T[]>;

/** @throws DatabaseRefusedError where no tables can be on it, or none can be written. */
async function assertFit(at: string, query: Query): Promise<void> {
  const [place] = await query<Place>(PLACE);
  const refuse = (reason: string): never => {
    throw new DatabaseRefusedError(`${at} ${reason}`);
  };
  if (place.version < OLDEST * 10_000) refuse(`is PostgreSQL ${place.said}: it takes ${OLDEST} or newer`);
  if (place.encoding !== 'UTF8') {
    refuse(`has the encoding ${place.encoding}: it takes UTF8; "createdb -E UTF8 -T template0" makes such a database`);
  }
  if (place.schema === null) refuse('has no schema to make tables in: "CREATE SCHEMA public" makes one');
  if (place.readonly === 'on') refuse('is read-only, as a standby is: name the primary');
}

async function upgrade(dataSource: DataSource, mayUpgrade: boolean, query: Query): Promise<void> {
  const at = placeOf(dataSource);
  await assertFit(at, query);
  const names = (await query<{ name: string }>(RELATIONS)).map(({ name }) => name);
  const ours = migrations.map(({ name }) => name);
  const refuseForeign = (found: readonly string[]): never => {
    const some = found.length > 5 ? [...found.slice(0, 5), '…'] : found;
    throw new DatabaseRefusedError(
      `${at} has tables of another program (${some.join(', ')}): name a database of its own`,
    );
  };
  if (!names.includes('migrations')) {
    if (names.length > 0) refuseForeign(names);
    await dataSource.runMigrations({ transaction: 'each' });
    return;
  }
  const columns = await query(
    `SELECT 1 FROM pg_attribute WHERE attrelid = 'migrations'::regclass AND attname IN ('id', 'name', 'timestamp')`,
  );
  if (columns.length < 3) refuseForeign(['migrations']);
  const done = (await query<{ name: string }>('SELECT name FROM migrations ORDER BY id')).map(({ name }) => name);
  const foreign = done.filter((name) => !ours.includes(name));
  if (foreign.length > 0) {
    if (!done.includes(ours[0])) refuseForeign(foreign);
    throw new DatabaseRefusedError(
      `${at} was made by a newer version of the api (${foreign.join(', ')}): start that version`,
    );
  }
  if (done.length === 0 && names.length > 1) refuseForeign(names.filter((name) => name !== 'migrations'));
  const missing = ours.filter((name) => !done.includes(name));
  if (missing.length === 0) return;
  if (!mayUpgrade && done.length > 0) {
    throw new DatabaseRefusedError(
      `${at} has the tables of an older version of the api (without ${missing.join(', ')}): stop all api processes of that version, and run "api database migrate"`,
    );
  }
  await dataSource.runMigrations({ transaction: 'each' });
}
