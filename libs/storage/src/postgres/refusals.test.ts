import { afterEach, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { dataSourceOptions, openDataSource } from '../data-source.js';
import { openSampleStore } from '../open-sample-store.js';
import { StoreUnavailableError } from '../store.js';
import { dropDatabase, makeDatabase } from '../testing/postgres-databases.js';
import { whyNoPostgres } from '../testing/postgres.js';
import { startTransactionPooler } from '../testing/transaction-pooler.js';
import { connectionOf } from './connection.js';
import { DatabaseRefusedError } from './data-source.js';

const describeIf = whyNoPostgres === undefined ? describe : describe.skip;

const ONE = { deviceName: 'pc', metricName: 'heat', unit: undefined, labels: {}, timestamp: Date.now() - 1_000 };
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describeIf('a database that cannot be worked with', () => {
  let url: string;
  afterEach(() => dropDatabase(url));

  const run = async (...statements: string[]): Promise<void> => {
    const client = new pg.Client(url);
    await client.connect();
    for (const statement of statements) await client.query(statement);
    await client.end();
  };
  const refusal = async (address = url): Promise<string> => {
    const opening = openDataSource(dataSourceOptions(address));
    await expect(opening).rejects.toThrow(DatabaseRefusedError);
    return opening.then(
      () => '',
      (error: Error) => error.message,
    );
  };

  it('says that it is of another program', async () => {
    url = await makeDatabase();
    await run('CREATE TABLE orders (id integer)');
    expect(await refusal()).toContain('has tables of another program (orders)');
    await run('DROP TABLE orders', 'CREATE VIEW piece AS SELECT 1 AS one');
    expect(await refusal()).toContain('has tables of another program (piece)');
    await run('DROP VIEW piece', 'CREATE TABLE migrations (version bigint)', 'INSERT INTO migrations VALUES (1)');
    expect(await refusal()).toContain('has tables of another program (migrations)');
  });

  it('says that it is of a newer or an older version, and how it comes up to date', async () => {
    url = await makeDatabase();
    await (await openDataSource(dataSourceOptions(url))).destroy();
    await run(`INSERT INTO migrations (timestamp, name) VALUES (9000000000000, 'Future9000000000000')`);
    expect(await refusal()).toContain('was made by a newer version of the api (Future9000000000000)');
    await run(`DELETE FROM migrations WHERE name LIKE 'Future%' OR name LIKE 'CollectorUpdate%'`);
    await run('DROP TABLE collector_update');
    expect(await refusal()).toContain(
      'has the tables of an older version of the api (without CollectorUpdate1765400000000)',
    );
    await (await openDataSource(dataSourceOptions(url), true)).destroy();
  });

  it('says that nothing can be written there: another encoding, closed, read-only, no schema', async () => {
    url = await makeDatabase();
    const latin = `${new URL(url).pathname.slice(1)}_latin`;
    await run(`CREATE DATABASE ${latin} ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0`);
    expect(await refusal(`${url}_latin`)).toContain('has the encoding LATIN1: it takes UTF8');
    await run(`DROP DATABASE ${latin}`, `CREATE DATABASE ${latin} ALLOW_CONNECTIONS false`);
    expect(await refusal(`${url}_latin`)).toContain('PostgreSQL lets nobody use this database now');
    await run(`DROP DATABASE ${latin}`, `ALTER DATABASE ${latin.slice(0, -6)} SET default_transaction_read_only = on`);
    expect(await refusal()).toContain('is read-only, as a standby is: name the primary');
    await run('SET default_transaction_read_only = off', 'DROP SCHEMA public');
    await run(
      'SET default_transaction_read_only = off',
      `ALTER DATABASE ${latin.slice(0, -6)} RESET default_transaction_read_only`,
    );
    expect(await refusal()).toContain('has no schema to make tables in');
  });

  it('says that its tables are in a schema behind an empty one', async () => {
    url = await makeDatabase();
    await (await openDataSource(dataSourceOptions(url))).destroy();
    await run('CREATE SCHEMA postgres');
    expect(await refusal()).toContain(
      'has its tables in the schema public, before which its search_path has the empty one postgres',
    );
    await run('DROP SCHEMA postgres');
    await (await openDataSource(dataSourceOptions(url))).destroy();
  });

  it('says that a pooler before it gives each transaction another connection', async () => {
    url = await makeDatabase();
    const pooler = await startTransactionPooler(url);
    const through = url.replace(/:\d+\//, `:${pooler.port}/`);
    expect(await refusal(through)).toContain(
      'is a pooler that gives each transaction another connection to PostgreSQL: let it give one to each session',
    );
    await pooler.close();
    // Nothing of it is left, such as a lock.
    await (await openDataSource(dataSourceOptions(url))).destroy();
  });

  it('says what is missing: the database, the rights, the server', async () => {
    url = await makeDatabase();
    expect(await refusal(`${url}_not`)).toContain('names a database that is not there');
    await run(`DROP ROLE IF EXISTS nobody_here`, `CREATE ROLE nobody_here LOGIN`);
    expect(await refusal(url.replace('postgres@', 'nobody_here@'))).toContain('has no right to make or use its tables');
    await run('REVOKE USAGE ON SCHEMA public FROM PUBLIC');
    expect(await refusal(url.replace('postgres@', 'nobody_here@'))).toContain(
      'does not let its user into the schema public: its owner may "GRANT USAGE, CREATE ON SCHEMA public TO nobody_here"',
    );
    await run(`DROP ROLE nobody_here`);
    expect(await refusal('postgres://postgres@127.0.0.1:1/x')).toContain('cannot be reached');
  });

  it('says what the server does not take of the address, without a stack', async () => {
    url = await makeDatabase();
    expect(await refusal(`${url}?options=-c%20foo.bar`)).toContain('cannot be used: -c foo.bar requires a value');
    expect(await refusal(`${url}?options=-c%20work_mem%3Dmuch`)).toContain('invalid value for parameter "work_mem"');
  });

  it('says which tables of another owner its user may not write, and works with them once it may', async () => {
    url = await makeDatabase();
    await (await openDataSource(dataSourceOptions(url))).destroy();
    await run('DROP ROLE IF EXISTS guest_here', 'CREATE ROLE guest_here LOGIN');
    const asGuest = url.replace('postgres@', 'guest_here@');
    expect(await refusal(asGuest)).toContain('permission denied for table migrations');
    await run('GRANT SELECT ON ALL TABLES IN SCHEMA public TO guest_here');
    expect(await refusal(asGuest)).toContain(
      'may not read and write all of its tables (alert_document, alert_history, alert_message, alert_state, audit, …)',
    );
    const all = 'GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO guest_here';
    await run(all, 'REVOKE INSERT ON piece FROM guest_here', 'REVOKE UPDATE, DELETE ON audit FROM guest_here');
    expect(await refusal(asGuest)).toContain(
      `may not read and write all of its tables (piece): their owner may "${all}"`,
    );
    await run('GRANT INSERT ON piece TO guest_here');
    await (await openDataSource(dataSourceOptions(asGuest))).destroy();
    await run('DROP OWNED BY guest_here', 'DROP ROLE guest_here');
  });

  it('says that no connection is left, at the start and later, and goes on once there is one', async () => {
    url = await makeDatabase();
    await run('DROP ROLE IF EXISTS crowd_here', 'CREATE ROLE crowd_here LOGIN CONNECTION LIMIT 0');
    await run(`ALTER DATABASE ${new URL(url).pathname.slice(1)} OWNER TO crowd_here`);
    const asCrowd = url.replace('postgres@', 'crowd_here@');
    expect(await refusal(asCrowd)).toContain('has no connection left: too many connections for role "crowd_here"');
    await run('ALTER ROLE crowd_here CONNECTION LIMIT -1');
    const dataSource = await openDataSource(dataSourceOptions(asCrowd));
    const store = await openSampleStore(dataSource, { onProblem: () => undefined });
    const append = (value: number): Promise<void> => store.append([{ ...ONE, value }]);
    await append(1);
    await run(
      'ALTER ROLE crowd_here CONNECTION LIMIT 0',
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'crowd_here'`,
    );
    // The first may still be told that its connection broke.
    const refused = (): Promise<string> =>
      append(2).then(
        () => '',
        (error: unknown) => (error instanceof StoreUnavailableError ? error.message : String(error)),
      );
    while (!(await refused()).startsWith('PostgreSQL has no connection left: too many connections')) await pause(20);
    await run('ALTER ROLE crowd_here CONNECTION LIMIT -1');
    while ((await refused()) !== '') await pause(20);
    expect(await store.latest(await store.findSeries({}))).toMatchObject([{ value: 2 }]);
    await store.close();
    await dataSource.destroy();
    await run('REASSIGN OWNED BY crowd_here TO postgres', 'DROP OWNED BY crowd_here', 'DROP ROLE crowd_here');
  });
});

describe('the address of a database', () => {
  it('is read as libpq reads it', () => {
    expect(connectionOf('postgres://anna:p%40ss@db:6432/m?sslmode=disable')).toMatchObject({
      host: 'db',
      port: 6432,
      user: 'anna',
      password: 'p@ss',
      database: 'm',
      ssl: false,
    });
    expect(connectionOf('postgresql:///m', { PGHOST: 'db', PGPORT: '6432', PGUSER: 'anna' })).toMatchObject({
      host: 'db',
      port: 6432,
      user: 'anna',
    });
    expect(connectionOf('postgres://db/m?sslmode=verify-full')).toMatchObject({
      ssl: { rejectUnauthorized: true, servername: 'db' },
    });
    expect(() => connectionOf('postgres://one,two/m')).toThrow('names several hosts');
    expect(connectionOf('postgres://127.0.0.1/m?sslmode=verify-full').ssl).not.toHaveProperty('servername');
    expect(() => connectionOf('postgres://db/m?connect_timeout=soon')).toThrow(
      'has connect_timeout "soon"; it must be',
    );
    expect(() => connectionOf('postgres://a%zz@db/m')).toThrow('has a "%"');
    expect(() => connectionOf('postgres://db/m?sslmode=verify-ca&sslrootcert=/none')).toThrow(
      'names sslrootcert /none',
    );
    // What is unheeded is not left out in silence; what other programs know is none of ours.
    expect(() => connectionOf('postgres://db/m?sslmod=require')).toThrow(
      'has "sslmod", which is not known; did you mean "sslmode"?',
    );
    expect(connectionOf('postgres://db/m?sslmode=disable&channel_binding=require&sslcrl=x&user=y').ssl).toBe(false);
    for (const port of ['db:99999/m', 'db:0/m', 'db/m?port=x']) {
      expect(() => connectionOf(`postgres://${port}`)).toThrow('it must be an integer from 1 to 65535');
    }
    // Nothing of a password shows, wherever it begins.
    for (const password of ['pass/word', 'pass@word', 'pass?word']) {
      const said = (): unknown => connectionOf(`postgres://anna:${password}@db/m`);
      expect(said).toThrow('%2F, %3F, %23 and %40 for / ? # and @');
      expect(said).not.toThrow(/pass[^w]|word@/);
    }
    expect(() => connectionOf('postgres://db/m?sslmode=perhaps')).toThrow('has sslmode "perhaps"; allowed are disable');
  });
});
