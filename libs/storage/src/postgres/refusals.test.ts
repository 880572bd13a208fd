import { afterEach, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { dataSourceOptions, openDataSource } from '../data-source.js';
import { dropDatabase, makeDatabase } from '../testing/postgres-databases.js';
import { whyNoPostgres } from '../testing/postgres.js';
import { connectionOf } from './connection.js';
import { DatabaseRefusedError } from './data-source.js';

const describeIf = whyNoPostgres === undefined ? describe : describe.skip;

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

  it('says what is missing: the database, the rights, the server', async () => {
    url = await makeDatabase();
    expect(await refusal(`${url}_not`)).toContain('names a database that is not there');
    await run(`DROP ROLE IF EXISTS nobody_here`, `CREATE ROLE nobody_here LOGIN`);
    expect(await refusal(url.replace('postgres@', 'nobody_here@'))).toContain(
      'has no right to make or read its tables',
    );
    await run(`DROP ROLE nobody_here`);
    expect(await refusal('postgres://postgres@127.0.0.1:1/x')).toContain('cannot be reached');
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
    expect(() => connectionOf('postgres://db/m?sslmode=perhaps')).toThrow('has sslmode "perhaps"; allowed are disable');
  });
});
