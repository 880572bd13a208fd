import type pg from 'pg';
import type { DataSource } from 'typeorm';
import { transaction } from './postgres/transaction.js';
import { asUnavailable } from './postgres/unavailable.js';
import { connectionOf } from './sqlite/data-source.js';

/** A statement that SQLite and PostgreSQL both take, with `?` for each value. */
export type Statement = readonly [sql: string, ...values: readonly unknown[]];

/** Runs statements on either database. Names in double quotes keep the case of their letters on both. */
export interface Sql {
  /** The rows that a statement gives. */
  rows<T>(...statement: Statement): Promise<T[]>;
  /** Runs all of them, or none. */
  together(statements: readonly Statement[]): Promise<void>;
  /** Does work while no other process does any under the same number. Within a process the caller sees to that. */
  alone<T>(lock: number, work: () => Promise<T>): Promise<T>;
}

/** On a DataSource of `openDataSource`. */
export const sqlOf = (dataSource: DataSource): Sql =>
  dataSource.options.type === 'postgres' ? postgresSql(dataSource) : sqliteSql(dataSource);

/** On the connection itself: only its own transactions are safe from those of other callers. */
function sqliteSql(dataSource: DataSource): Sql {
  const db = connectionOf(dataSource);
  return {
    rows: async <T>(sql: string, ...values: readonly unknown[]) => {
      const statement = db.prepare(sql);
      if (statement.reader) return statement.all(...values) as T[];
      statement.run(...values);
      return [];
    },
    together: async (statements) =>
      db.transaction(() => {
        // Mostly they differ in their values only.
        const prepared = new Map<string, ReturnType<typeof db.prepare>>();
        for (const [sql, ...values] of statements) {
          const statement = prepared.get(sql) ?? db.prepare(sql);
          prepared.set(sql, statement);
          statement.run(...values);
        }
      })(),
    // The file is of one process.
    alone: (_, work) => work(),
  };
}

function postgresSql(dataSource: DataSource): Sql {
  const pool = (dataSource.driver as unknown as { master: pg.Pool }).master;
  const run = async (on: pg.Pool | pg.PoolClient, [sql, ...values]: Statement): Promise<pg.QueryResult> => {
    let place = 0;
    return on.query(
      sql.replace(/\?/g, () => `$${(place += 1)}`),
      [...values],
    );
  };
  return {
    rows: async <T>(...statement: Statement) => {
      try {
        return (await run(pool, statement)).rows as T[];
      } catch (error) {
        throw asUnavailable(error);
      }
    },
    together: (statements) =>
      transaction(pool, async (client) => {
        for (const statement of statements) await run(client, statement);
      }),
    alone: (lock, work) =>
      transaction(pool, async (client) => {
        // A process that stops meanwhile does not keep the others waiting.
        await client.query(`SET LOCAL idle_in_transaction_session_timeout = '10s'; SET LOCAL lock_timeout = '10s'`);
        await client.query('SELECT pg_advisory_xact_lock($1)', [lock]);
        return work();
      }),
  };
}
