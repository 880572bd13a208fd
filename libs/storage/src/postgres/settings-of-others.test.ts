import { afterEach, describe, expect, it } from '@jest/globals';
import { HOUR } from '@device-metrics/domain';
import { dataSourceOptions, openDataSource } from '../data-source.js';
import { connect, dropDatabase, makeDatabase } from '../testing/postgres-databases.js';
import { whyNoPostgres } from '../testing/postgres.js';
import { sample, storedIn, T0 } from '../testing/test-store.js';
import { connectionOf } from './connection.js';
import { durabilityOf } from './data-source.js';
import { PostgresStore, type PostgresSettings } from './postgres-store.js';

const describeIf = whyNoPostgres === undefined ? describe : describe.skip;

/** What administrators set for a server, a database or a user, with other programs in mind. */
const SETTINGS = [
  'bytea_output = escape',
  'extra_float_digits = -10',
  'synchronous_commit = off',
  `default_transaction_isolation = 'serializable'`,
  `idle_session_timeout = '5s'`,
  `datestyle = 'SQL, DMY'`,
  `intervalstyle = sql_standard`,
  `timezone = 'Asia/Kathmandu'`,
  `client_encoding = LATIN1`,
  'standard_conforming_strings = off',
];

describeIf('settings of the database for other programs', () => {
  let url: string;
  afterEach(() => dropDatabase(url));

  const run = async (...statements: string[]): Promise<void> => {
    const client = await connect(url);
    for (const statement of statements) await client.query(statement);
    await client.end();
  };
  const open = (settings: Partial<PostgresSettings> = {}): Promise<PostgresStore> =>
    PostgresStore.open(connectionOf(url), { sealInterval: 0, connections: 3, ...settings });

  it('change nothing: samples, chunks and latest values are what was sent', async () => {
    url = await makeDatabase();
    const name = new URL(url).pathname.slice(1);
    await run(...SETTINGS.map((setting) => `ALTER DATABASE ${name} SET ${setting}`));
    const dataSource = await openDataSource(dataSourceOptions(url));
    expect((await durabilityOf(dataSource))?.said).toContain('synchronous_commit on (the server has off');
    expect(
      await dataSource.query(
        `SELECT current_setting('synchronous_commit') AS commit, current_setting('idle_session_timeout') AS idle`,
      ),
    ).toEqual([{ commit: 'on', idle: '0' }]);
    await dataSource.destroy();
    const values = [0.1 + 0.2, Math.PI * 1e-30, -0, 5e-324, Number.MAX_VALUE, 1 / 3];
    const samples = values.map((value, at) => sample(T0 + at, value, 'Gerät \\ 1', `m.${at}`));
    let now = T0;
    const store = await open({ now: () => now });
    const [first, ...others] = samples;
    await store.append([first]);
    await store.append(others);
    now += 24 * HOUR;
    await store.maintain();
    expect((await store.health()).heads).toBe(0);
    const again = await open({ now: () => now });
    const stored = Object.fromEntries(values.map((value, at) => [`Gerät \\ 1/m.${at}`, [[T0 + at, value]]]));
    const newest = async (from: PostgresStore): Promise<unknown[]> =>
      (await from.latest(await from.findSeries({}))).map(({ value }) => value);
    for (const one of [store, again]) {
      expect(await storedIn(one)).toEqual(stored);
      expect(await newest(one)).toEqual(values);
    }
    for (const one of [store, again]) await one.close();
  });

  it('that hide rows are told, and not taken for an empty database', async () => {
    url = await makeDatabase();
    const [role, asHidden] = ['hidden_here', url.replace('postgres@', 'hidden_here@')];
    await (await openDataSource(dataSourceOptions(url))).destroy();
    await run(
      `DROP ROLE IF EXISTS ${role}`,
      `CREATE ROLE ${role} LOGIN`,
      `GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO ${role}`,
      'ALTER TABLE series ENABLE ROW LEVEL SECURITY',
    );
    await expect(PostgresStore.open(connectionOf(asHidden))).rejects.toThrow(
      'query would be affected by row-level security policy for table "series"',
    );
    await run(`DROP OWNED BY ${role}`, `DROP ROLE ${role}`);
  });
});
