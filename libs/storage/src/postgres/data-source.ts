import type { DataSource, DataSourceOptions, QueryRunner } from 'typeorm';
import pg from 'pg';
import { reasonOf } from '@device-metrics/domain';
import { accessEntities } from '../access/access.entities.js';
import { configurationEntities } from '../configurations/configuration.entities.js';
import { StoreUnavailableError } from '../store.js';
import { connectionOf, shownUrl } from './connection.js';
import { LastingClient } from './lasting-client.js';
import { migrations } from './migrations/index.js';
import { prepareConnection } from './prepare-connection.js';
import { codeOf, sentenceOf } from './unavailable.js';

/** Connections for users, tokens, alerts and the like; the store of samples has its own. */
const CONNECTIONS = 4;

/** The oldest version of PostgreSQL that is tried. */
const OLDEST = 15;

/** A number that only this program locks: of processes that start at once, one makes the tables. */
const LOCK = 4_719_803_211;

/** How often it is looked whether a pooler gives one connection to several. */
const POOLER_ATTEMPTS = 3;

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
    `SELECT current_setting('server_version') AS version,
       (SELECT reset_val FROM pg_settings WHERE name = 'synchronous_commit') AS commit, current_setting('fsync') AS fsync, current_setting('synchronous_standby_names') AS standbys`,
  );
  const kind = standbys === '' ? 'on the disk of the primary' : `on the disk of the primary and of ${standbys}`;
  const off = isSynchronous(commit) ? '' : ` (the server has ${commit}; the store asks for on)`;
  const said = `PostgreSQL ${version}, synchronous_commit ${isSynchronous(commit) ? commit : 'on'}${off}: what is acknowledged is ${kind}`;
  if (fsync === 'on') return { isSafe: true, said };
  return { isSafe: false, said: `${said}, but fsync is off: a power failure may take what was acknowledged` };
}

/** Whether a commit waits for the disk. */
const isSynchronous = (commit: string): boolean => commit !== 'off' && commit !== 'local';

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
    // By its name TypeORM finds it in the folder of sources alone: it is no file of its own in a package.
    driver: pg,
    entities: [...accessEntities, ...configurationEntities],
    migrations,
    migrationsRun: false,
    migrationsTransactionMode: 'each',
    synchronize: false,
    installExtensions: false,
    parseInt8: true,
    poolSize: CONNECTIONS,
    poolErrorHandler: () => undefined,
    extra: { ...config, keepAlive: true, Client: LastingClient, verify: prepareConnection } satisfies pg.PoolConfig,
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

/**
 * What a refused connection means.
 *
 * @param isConnected whether the server had let this process in before.
 */
export function refusalOf(error: unknown, dataSource: DataSource, isConnected = true): Error {
  const at = placeOf(dataSource);
  if (error instanceof DatabaseRefusedError) return error;
  const code = codeOf(error);
  // A StoreUnavailableError says more than the server did.
  const reason = reasonOf(error instanceof StoreUnavailableError ? (error.cause ?? error) : error) || code;
  switch (code) {
    case '28P01':
    case '28000':
      return new DatabaseRefusedError(`${at} lets nobody in with this user and password: ${reason}`);
    case '3D000':
      return new DatabaseRefusedError(`${at} names a database that is not there: ${reason}; "createdb" makes one`);
    case '42501':
      return new DatabaseRefusedError(
        `the user of ${at} has no right to make or use its tables: ${reason}; the owner of the database may GRANT it`,
      );
    case '53300':
      return new DatabaseRefusedError(
        `${at} has no connection left: ${reason}; each api process takes DATABASE_CONNECTIONS and six more`,
      );
    case '25006':
      return new DatabaseRefusedError(`${at} is read-only, as a standby is: name the primary`);
    default: {
      if (error instanceof StoreUnavailableError)
        return new DatabaseRefusedError(`${at} cannot be used: ${error.message}`);
      const sentence = sentenceOf(error);
      if (sentence !== undefined) return new DatabaseRefusedError(`${at} cannot be used: ${sentence}: ${reason}`);
      // While it connects it runs nothing of ours that could be wrong: it is what the address has in `options`, for one.
      return isConnected || code === ''
        ? (error as Error)
        : new DatabaseRefusedError(`${at} cannot be used: ${reason}`);
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
    await assertOwnSession(dataSource, runner);
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

/**
 * A pooler that gives each transaction another connection to the server would mix up prepared statements, settings and locks. Then
 * one connection is seen to have the server's process of another, or two of them.
 *
 * @throws DatabaseRefusedError
 */
async function assertOwnSession(dataSource: DataSource, runner: QueryRunner): Promise<void> {
  const pidOf = async (one: QueryRunner): Promise<number> =>
    ((await one.query('SELECT pg_backend_pid() AS pid')) as { pid: number }[])[0].pid;
  const other = dataSource.createQueryRunner();
  try {
    // Whoever else works with the pooler may take a connection in between.
    for (let attempt = 0; attempt < POOLER_ATTEMPTS; attempt += 1) {
      const before = await pidOf(runner);
      await other.startTransaction();
      // Where there is but one, who asks for another one would wait for ever.
      const isOwn = (await pidOf(other)) !== before && (await pidOf(runner)) === before;
      await other.commitTransaction();
      if (isOwn) continue;
      throw new DatabaseRefusedError(
        `${placeOf(dataSource)} is a pooler that gives each transaction another connection to PostgreSQL: let it give one to each session ("pool_mode = session" of PgBouncer), or name PostgreSQL itself`,
      );
    }
  } finally {
    await other.release();
  }
}

/** What of a server and a database the tables need. */
interface Place {
  readonly version: number;
  readonly said: string;
  readonly encoding: string;
  readonly schema: string | null;
  /** One that is there, and that the user may not look into. */
  readonly shut: string | null;
  readonly user: string;
  readonly readonly: string;
}

const PLACE = `SELECT current_setting('server_version_num')::integer AS version, current_setting('server_version') AS said,
  pg_encoding_to_char(encoding) AS encoding, current_schema() AS schema, current_user AS user,
  current_setting('transaction_read_only') AS readonly,
  (SELECT nspname FROM pg_namespace WHERE nspname IN ('public', current_user) AND NOT has_schema_privilege(oid, 'USAGE')
     LIMIT 1) AS shut
  FROM pg_database WHERE datname = current_database()`;

/** What somebody has made in the schema; that of extensions is nobody's. */
const RELATIONS = `SELECT relname AS name FROM pg_class c WHERE relkind IN ('r', 'p', 'v', 'm', 'f') AND relnamespace = current_schema()::regnamespace
  AND NOT EXISTS (SELECT 1 FROM pg_depend WHERE classid = 'pg_class'::regclass AND objid = c.oid AND deptype = 'e') ORDER BY 1`;

/** Where tables of ours are that the search path reaches behind a schema without any. */
const HIDDEN = `SELECT nspname AS schema FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
  WHERE c.oid = to_regclass('piece') AND to_regclass('migrations') IS NOT NULL AND n.oid <> current_schema()::regnamespace`;

/** Tables of the owner of `migrations` that the user may not work with. What is in the audit stays, so nobody has to be allowed more. */
const WITHOUT_RIGHTS = `SELECT relname AS name FROM pg_class c WHERE relkind IN ('r', 'p') AND relnamespace = current_schema()::regnamespace
  AND relowner = (SELECT relowner FROM pg_class WHERE oid = 'migrations'::regclass)
  AND NOT (has_table_privilege(oid, 'SELECT') AND (relname = 'migrations' OR has_table_privilege(oid, 'INSERT')
    AND (relname = 'audit' OR has_table_privilege(oid, 'UPDATE') AND has_table_privilege(oid, 'DELETE'))))
  ORDER BY 1`;

const someOf = (names: readonly string[]): string =>
  (names.length > 5 ? [...names.slice(0, 5), '…'] : names).join(', ');

type Query = <T>(sql: string) => Promise<T[]>;

/** @throws DatabaseRefusedError where no tables can be on it, or none can be written. */
async function assertFit(at: string, query: Query): Promise<Place> {
  const [place] = await query<Place>(PLACE);
  const refuse = (reason: string): never => {
    throw new DatabaseRefusedError(`${at} ${reason}`);
  };
  if (place.version < OLDEST * 10_000) refuse(`is PostgreSQL ${place.said}: it takes ${OLDEST} or newer`);
  if (place.encoding !== 'UTF8') {
    refuse(`has the encoding ${place.encoding}: it takes UTF8; "createdb -E UTF8 -T template0" makes such a database`);
  }
  if (place.schema === null && place.shut !== null) {
    refuse(
      `does not let its user into the schema ${place.shut}: its owner may "GRANT USAGE, CREATE ON SCHEMA ${place.shut} TO ${place.user}"`,
    );
  }
  if (place.schema === null) refuse('has no schema to make tables in: "CREATE SCHEMA public" makes one');
  if (place.readonly === 'on') refuse('is read-only, as a standby is: name the primary');
  return place;
}

async function upgrade(dataSource: DataSource, mayUpgrade: boolean, query: Query): Promise<void> {
  const at = placeOf(dataSource);
  const place = await assertFit(at, query);
  const names = (await query<{ name: string }>(RELATIONS)).map(({ name }) => name);
  const ours = migrations.map(({ name }) => name);
  const refuseForeign = (found: readonly string[]): never => {
    throw new DatabaseRefusedError(
      `${at} has tables of another program (${someOf(found)}): name a database of its own`,
    );
  };
  if (!names.includes('migrations')) {
    if (names.length > 0) refuseForeign(names);
    const [hidden] = await query<{ schema: string }>(HIDDEN);
    if (hidden) {
      throw new DatabaseRefusedError(
        `${at} has its tables in the schema ${hidden.schema}, before which its search_path has the empty one ${place.schema}: "ALTER ROLE ${place.user} SET search_path = ${hidden.schema}" leaves it out`,
      );
    }
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
  if (missing.length === 0) {
    const shut = (await query<{ name: string }>(WITHOUT_RIGHTS)).map(({ name }) => name);
    if (shut.length === 0) return;
    throw new DatabaseRefusedError(
      `the user of ${at} may not read and write all of its tables (${someOf(shut)}): their owner may "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA ${place.schema} TO ${place.user}"`,
    );
  }
  if (!mayUpgrade && done.length > 0) {
    throw new DatabaseRefusedError(
      `${at} has the tables of an older version of the api (without ${missing.join(', ')}): stop all api processes of that version, and run "api database migrate"`,
    );
  }
  await dataSource.runMigrations({ transaction: 'each' });
}
